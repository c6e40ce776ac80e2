-- Agents that report what they do to marked packets, and how they are. What their events bring has capture_id 0.
-- A token speaks for itself alone: the same identity under another token is another agent.
CREATE TABLE agent (
  token VARCHAR NOT NULL,             -- name of the token that it came with
  agent VARCHAR NOT NULL,             -- the identity that it gave, a UUID
  heard_at TIMESTAMP NOT NULL,        -- by this machine's clock
  heartbeat VARCHAR,                  -- the last one, JSON (policy/agent-report.ts); hostile text
  PRIMARY KEY (token, agent)
);

-- An agent's events are numbered in its spool; they come in order, and those up to here are stored.
CREATE TABLE agent_spool (
  token VARCHAR NOT NULL,
  spool VARCHAR NOT NULL,
  last_number UBIGINT NOT NULL,
  PRIMARY KEY (token, spool)
);

-- Packets that an agent decided on and of which no event exists: exactly this many.
CREATE TABLE agent_gap (
  event_id VARCHAR NOT NULL,
  agent VARCHAR NOT NULL,             -- token/identity
  time TIMESTAMP NOT NULL,
  verdict VARCHAR NOT NULL,
  rule VARCHAR,
  packets UBIGINT NOT NULL,
  reason VARCHAR NOT NULL             -- sampled | unread | spool full
);

ALTER TABLE enforcement_event ADD COLUMN agent VARCHAR;      -- token/identity; null from a capture
