-- What a flagged host sent without a mark after the last packet of it that a capture shows with one.
CREATE TABLE unmarked_run (
  host_id UINTEGER NOT NULL,
  capture_id UINTEGER NOT NULL,
  first_unmarked TIMESTAMP NOT NULL,
  last_unmarked TIMESTAMP NOT NULL,
  packets UINTEGER NOT NULL           -- TCP packets that had room for a mark: first segments and payload
);
