-- The sums per minute once more, per hour: what lies before the hour of an "as of" is read from these. A ranking of 10,000
-- hosts over a day so reads a fiftieth of the rows.
CREATE TABLE detection_hour (
  detection_id UINTEGER NOT NULL,
  capture_id UINTEGER NOT NULL,
  hour TIMESTAMP NOT NULL,
  trust UTINYINT NOT NULL,            -- see the trust table
  first_seen TIMESTAMP NOT NULL,
  last_seen TIMESTAMP NOT NULL,
  packets UBIGINT NOT NULL
);

CREATE TABLE host_hour (
  host_id UINTEGER NOT NULL,
  capture_id UINTEGER NOT NULL,
  hour TIMESTAMP NOT NULL,
  marked_packets UBIGINT NOT NULL,
  marked_octets UBIGINT NOT NULL
);

INSERT INTO detection_hour
SELECT detection_id, capture_id, date_trunc('hour', minute), trust, min(first_seen), max(last_seen), sum(packets)
FROM detection_minute
GROUP BY ALL;

INSERT INTO host_hour
SELECT host_id, capture_id, date_trunc('hour', minute), sum(marked_packets), sum(marked_octets)
FROM host_minute
GROUP BY ALL;
