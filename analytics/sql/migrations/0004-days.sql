-- The sums once more per day, and first contacts per hour and day: a ranking reads days before its own day, hours before
-- its own hour, and minutes. A month of 10,000 hosts that are active every hour is seven million hours, but 300,000 days.
CREATE TABLE detection_day (
  detection_id UINTEGER NOT NULL,
  capture_id UINTEGER NOT NULL,
  day TIMESTAMP NOT NULL,             -- its beginning
  trust UTINYINT NOT NULL,            -- see the trust table
  first_seen TIMESTAMP NOT NULL,
  last_seen TIMESTAMP NOT NULL,
  packets UBIGINT NOT NULL
);

CREATE TABLE host_day (
  host_id UINTEGER NOT NULL,
  capture_id UINTEGER NOT NULL,
  day TIMESTAMP NOT NULL,             -- its beginning
  marked_packets UBIGINT NOT NULL,
  marked_octets UBIGINT NOT NULL
);

CREATE TABLE peer_hour (
  host_id UINTEGER NOT NULL,
  hour TIMESTAMP NOT NULL,
  peers INTEGER NOT NULL              -- a difference, as in peer_minute
);

CREATE TABLE peer_day (
  host_id UINTEGER NOT NULL,
  day TIMESTAMP NOT NULL,             -- its beginning
  peers INTEGER NOT NULL              -- a difference, as in peer_minute
);

INSERT INTO detection_day
SELECT detection_id, capture_id, date_trunc('day', hour), trust, min(first_seen), max(last_seen), sum(packets)
FROM detection_hour
GROUP BY ALL;

INSERT INTO host_day
SELECT host_id, capture_id, date_trunc('day', hour), sum(marked_packets), sum(marked_octets)
FROM host_hour
GROUP BY ALL;

INSERT INTO peer_hour SELECT host_id, date_trunc('hour', minute), sum(peers) FROM peer_minute GROUP BY ALL;

INSERT INTO peer_day SELECT host_id, date_trunc('day', hour), sum(peers) FROM peer_hour GROUP BY ALL;
