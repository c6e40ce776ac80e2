-- What the database knows (docs/explanation/architecture.md). Every row that a capture brought carries its capture_id and
-- is appended, never updated, so that a capture is one transaction and the order of captures does not matter.
-- Times are UTC, microseconds; ids are dense integers, so that columns pack (128-bit types are 75 times slower here).

-- Ids that only joins use have no index: one transaction writes at a time and takes the next free ids, and an index over
-- millions of flows and marks would cost more than the rows themselves.

-- What belongs to this database: seed (of the flow keys and the hash tables), views (digest of the view definitions),
-- code book (digest of the one that was loaded last).
CREATE TABLE setting (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL);

-- One ingested capture file, pipe or upload.
CREATE TABLE capture (
  capture_id UINTEGER PRIMARY KEY,
  name VARCHAR NOT NULL,              -- as the user named it; hostile text
  content_id VARCHAR NOT NULL UNIQUE, -- digest of the content, the same under another name or compressed
  state VARCHAR NOT NULL,             -- complete | partial; a refused capture leaves no row but in refused_capture
  reason VARCHAR,                     -- why it is partial
  reason_offset UBIGINT,              -- octets from the start of the uncompressed content
  format VARCHAR NOT NULL,            -- pcap | pcapng | snoop
  octets UBIGINT NOT NULL,            -- uncompressed
  packets UBIGINT NOT NULL,
  tcp_packets UBIGINT NOT NULL,
  marked_packets UBIGINT NOT NULL,
  malformed_marks UBIGINT NOT NULL,   -- options that break the strict rule
  cut_packets UBIGINT NOT NULL,       -- whose options the snap length cut
  duplicate_marks UBIGINT NOT NULL,   -- further marks in a header that has one
  quoted_marks UBIGINT NOT NULL,      -- inside ICMP errors; they never rank
  gap_octets UBIGINT NOT NULL,        -- skipped over damage
  first_packet TIMESTAMP,
  last_packet TIMESTAMP,
  ingested_at TIMESTAMP NOT NULL
);

CREATE TABLE refused_capture (
  name VARCHAR NOT NULL,
  reason VARCHAR NOT NULL,
  reason_offset UBIGINT,
  refused_at TIMESTAMP NOT NULL
);

-- An address as a sensor saw it; inside a tunnel, the inner one.
CREATE TABLE host (
  host_id UINTEGER NOT NULL,          -- dense, from 1
  address VARCHAR NOT NULL            -- once in the database
);

-- Names that captures bring along (pcapng name resolution). Hostile text.
CREATE TABLE captured_name (
  capture_id UINTEGER NOT NULL,
  address VARCHAR NOT NULL,
  name VARCHAR NOT NULL
);

-- What the operator says of an address (CSV: address, name, low|normal|high).
CREATE TABLE asset (
  address VARCHAR PRIMARY KEY,
  name VARCHAR,
  weight DOUBLE NOT NULL DEFAULT 1    -- 0.5 low, 1 normal, 2 high
);

-- The unit of evidence: repeats in packets do not count again.
CREATE TABLE detection (
  detection_id UINTEGER NOT NULL,     -- dense, from 1
  host_id UINTEGER NOT NULL,
  detected_at TIMESTAMP NOT NULL,     -- by the marking host's clock, whole seconds
  category UTINYINT NOT NULL,
  activity UTINYINT NOT NULL
);

-- Per detection and minute: additive, so that any "as of" is exact. Several rows a minute are normal; take the maximum.
CREATE TABLE detection_minute (
  detection_id UINTEGER NOT NULL,
  capture_id UINTEGER NOT NULL,
  minute TIMESTAMP NOT NULL,
  trust UTINYINT NOT NULL,            -- see the trust table
  first_seen TIMESTAMP NOT NULL,
  last_seen TIMESTAMP NOT NULL,
  packets UINTEGER NOT NULL
);

-- How far a mark may be believed; quality is q of the ranking.
CREATE TABLE trust (trust UTINYINT PRIMARY KEY, name VARCHAR NOT NULL, quality DOUBLE NOT NULL);
INSERT INTO trust VALUES
  (0, 'lone', 0.2),                   -- nothing shows that the other side ever answered
  (1, 'established', 0.6),            -- both sides acknowledged each other
  (2, 'verified', 1.0),               -- the tag verifies
  (3, 'implausible', 0.0),            -- detected after the packet or more than ten years before
  (4, 'invalid', 0.0);                -- the tag does not verify

-- A host with one distinct option content.
CREATE TABLE mark (
  mark_id UINTEGER NOT NULL,          -- dense, from 1
  capture_id UINTEGER NOT NULL,
  host_id UINTEGER NOT NULL,
  kind UTINYINT NOT NULL,
  option BLOB NOT NULL                -- the whole option, kind and length included, at most 40 octets
);

-- A flow as one capture saw it; the same flow in two captures has the same flow_key.
CREATE TABLE flow_seen (
  flow_id UINTEGER NOT NULL,          -- dense, from 1
  capture_id UINTEGER NOT NULL,
  flow_key UBIGINT NOT NULL,          -- hash of the 5-tuple and the first SYN's sequence number, or the first-seen minute
  tuple_key UBIGINT NOT NULL,         -- hash of the 5-tuple alone
  host_id UINTEGER NOT NULL,          -- the marking host
  peer_id UINTEGER NOT NULL,
  protocol UTINYINT NOT NULL,
  host_port USMALLINT NOT NULL,
  peer_port USMALLINT NOT NULL,
  first_seen TIMESTAMP NOT NULL,
  last_seen TIMESTAMP NOT NULL,
  marked_packets UINTEGER NOT NULL,
  marked_octets UBIGINT NOT NULL,     -- of IP packets
  reply_packets UINTEGER NOT NULL,
  reply_octets UBIGINT NOT NULL,
  acknowledged_octets UBIGINT NOT NULL, -- of the host's payload, acknowledged by the peer
  established BOOLEAN NOT NULL,       -- both sides acknowledged each other
  established_at TIMESTAMP,
  passed_at TIMESTAMP                 -- first acknowledgment of payload octets
);

-- A minute in which the peer acknowledged octets of a marked flow.
CREATE TABLE flow_passed (
  capture_id UINTEGER NOT NULL,
  flow_key UBIGINT NOT NULL,
  tuple_key UBIGINT NOT NULL,
  host_id UINTEGER NOT NULL,
  minute TIMESTAMP NOT NULL
);

-- A packet on which an enforcement point acted (NFLOG prefix, or an agent's event).
CREATE TABLE enforcement_event (
  event_id VARCHAR,                   -- from an agent: unique; null from a capture
  capture_id UINTEGER,
  time TIMESTAMP NOT NULL,
  frame UINTEGER,
  verdict VARCHAR NOT NULL,           -- accept | drop | reject | alter | strip
  rule VARCHAR,
  host_id UINTEGER NOT NULL,
  peer_id UINTEGER NOT NULL,
  tuple_key UBIGINT NOT NULL,
  protocol UTINYINT NOT NULL,
  host_port USMALLINT NOT NULL,
  peer_port USMALLINT NOT NULL,
  length UINTEGER NOT NULL            -- octets of the IP packet
);

-- One marked packet.
CREATE TABLE sighting (
  capture_id UINTEGER NOT NULL,
  frame UINTEGER NOT NULL,            -- number in the capture, from 1, as Wireshark counts
  time TIMESTAMP NOT NULL,
  flow_id UINTEGER NOT NULL,          -- 0: quoted in an ICMP error, so no flow
  mark_id UINTEGER NOT NULL,
  length UINTEGER NOT NULL,           -- octets of the frame on the wire
  detail UTINYINT NOT NULL            -- bit 0: IPv4 carrier, bit 1: quoted, bit 2: sent by the flow's server side
);

-- Per host and minute, additive.
CREATE TABLE host_minute (
  host_id UINTEGER NOT NULL,
  capture_id UINTEGER NOT NULL,
  minute TIMESTAMP NOT NULL,
  marked_packets UINTEGER NOT NULL,
  marked_octets UBIGINT NOT NULL
);

-- A pair of flagged host and peer, once in the database: when the peer was first reached with evidence.
CREATE TABLE pair (
  host_id UINTEGER NOT NULL,
  peer_id UINTEGER NOT NULL,
  first_contact TIMESTAMP NOT NULL
);

-- Peers first contacted in a minute, as differences: a capture ingested later may move a first contact.
CREATE TABLE peer_minute (
  host_id UINTEGER NOT NULL,
  minute TIMESTAMP NOT NULL,
  peers INTEGER NOT NULL
);
