-- Who did what through the dashboard, besides decisions about hosts, which have a log of their own. Appended, never updated.
CREATE TABLE audit_entry (
  entry_id UBIGINT NOT NULL,          -- dense, from 1
  noted_at TIMESTAMP NOT NULL,        -- by this machine's clock
  who VARCHAR NOT NULL,               -- name of a token, or as a trusted proxy or this machine says
  role VARCHAR NOT NULL,              -- viewer | analyst | operator
  action VARCHAR NOT NULL,            -- upload | export | packets | token added | token revoked
  subject VARCHAR NOT NULL            -- of what; hostile text
);
