-- Agents that report what they do to marked packets, and how they are. What their events bring has capture_id 0.
CREATE TABLE agent (
  agent VARCHAR PRIMARY KEY,          -- its identity, a UUID
  token VARCHAR NOT NULL,             -- name of the token that it came with last
  heard_at TIMESTAMP NOT NULL,        -- by this machine's clock
  heartbeat VARCHAR                   -- the last one, JSON (policy/agent-report.ts); hostile text
);

-- An agent's events are numbered in its spool; they come in order, and those up to here are stored.
CREATE TABLE agent_spool (
  spool VARCHAR PRIMARY KEY,
  last_number UBIGINT NOT NULL
);

-- Packets that an agent decided on and of which no event exists: exactly this many.
CREATE TABLE agent_gap (
  event_id VARCHAR NOT NULL,
  agent VARCHAR NOT NULL,
  time TIMESTAMP NOT NULL,
  verdict VARCHAR NOT NULL,
  rule VARCHAR,
  packets UBIGINT NOT NULL,
  reason VARCHAR NOT NULL             -- sampled | unread | spool full
);

ALTER TABLE enforcement_event ADD COLUMN agent VARCHAR;      -- null from a capture
