-- What became of tags, once for each connection and window; null: ingested before this was counted. With more keys a capture
-- that comes again takes its own place.
ALTER TABLE capture ADD COLUMN verified_tags UBIGINT;
ALTER TABLE capture ADD COLUMN unchecked_tags UBIGINT;  -- of keys that the reader did not have
