-- Views of the dashboard that people saved for everybody, by name.
CREATE TABLE saved_view (
  name VARCHAR NOT NULL,       -- hostile text; one of each
  address VARCHAR NOT NULL,           -- path and query of a page of the dashboard
  who VARCHAR NOT NULL,               -- hostile text
  saved_at TIMESTAMP NOT NULL         -- by this machine's clock
);
