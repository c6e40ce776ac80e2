-- The same capture under another id.
UPDATE capture_file SET capture_id = $to WHERE capture_id = $from
