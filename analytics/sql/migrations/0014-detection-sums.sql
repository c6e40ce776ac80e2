-- Each detection's sums over all captures and times. Who asks about a time after a detection was last seen, and most do, reads
-- one row here instead of one for each capture and day. Updated by every capture; taken anew for what a replaced one had shown.
CREATE TABLE detection_sum (
  detection_id UINTEGER NOT NULL,
  trust UTINYINT NOT NULL,            -- see the trust table; one row for each that was seen
  first_seen TIMESTAMP NOT NULL,
  last_seen TIMESTAMP NOT NULL,
  packets UBIGINT NOT NULL
);

INSERT INTO detection_sum
SELECT detection_id, trust, min(first_seen), max(last_seen), sum(packets)
FROM detection_day
GROUP BY ALL;
