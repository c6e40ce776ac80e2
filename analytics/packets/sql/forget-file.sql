-- A file is known once: what it held before is no longer there.
DELETE FROM capture_file WHERE path = $path OR capture_id NOT IN (SELECT capture_id FROM capture)
