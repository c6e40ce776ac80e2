-- A capture may be ingested while it is still being written. When it comes again, longer, it takes the place of its own
-- beginning, which is known by the digest of its frames alone. Captures from before this have none and count apart.
ALTER TABLE capture ADD COLUMN stream_id VARCHAR;   -- digest of the frames, without names and interfaces
ALTER TABLE capture ADD COLUMN grew_from UBIGINT;   -- packets that were known before, when this one took their place
