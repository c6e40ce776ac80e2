-- What people decided about hosts. Appended, never updated: the last entry of a host is how it stands.
CREATE TABLE triage_entry (
  entry_id UBIGINT NOT NULL,          -- dense, from 1, in the order of the decisions
  change_id UBIGINT NOT NULL,         -- entries of one decision share the id of the first of them
  host_id UINTEGER NOT NULL,
  state VARCHAR NOT NULL,             -- new | acknowledged | contained | false-positive | closed
  decided_at TIMESTAMP NOT NULL,      -- by this machine's clock
  who VARCHAR NOT NULL,
  note VARCHAR,                       -- hostile text
  undoes UBIGINT,                     -- the change that this one takes back
  known_detection UINTEGER NOT NULL   -- the newest detection in the database: those that came later were not judged
);
