-- Files that captures were read from, so that their packets can be had again. A capture may lie in several places; an upload
-- in none. Whether a file is still the same is seen by its size, its time of modification and a digest of parts of it.
CREATE TABLE capture_file (
  capture_id UINTEGER NOT NULL,
  path VARCHAR NOT NULL,              -- absolute, on the machine of the process that owns the database; hostile text
  octets UBIGINT NOT NULL,            -- of the file, compressed if it is
  modified_ns BIGINT NOT NULL,        -- nanoseconds since 1970
  sample VARCHAR NOT NULL,            -- SHA-256 of its beginning, its end, and blocks between
  noted_at TIMESTAMP NOT NULL
);
