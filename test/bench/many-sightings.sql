-- A month of 10,000 flagged hosts: $1 sightings, an eighth as many flows, three tenths as many pairs of host and peer (one in a
-- hundred of them flagged itself), and the sums that an ingest
-- would have kept. Spread by a hash, so that nothing lies in a convenient order but time, as in captures.
SET VARIABLE sightings = $sightings::BIGINT;
SET VARIABLE month = TIMESTAMP '2026-02-01';
SET VARIABLE minutes = 40320::BIGINT;

INSERT INTO host
SELECT i, '10.' || (i // 65536) || '.' || (i // 256 % 256) || '.' || (i % 256) FROM range(3000000) AS t(i);

INSERT INTO detection
SELECT i, i % 10000, getvariable('month') + to_seconds(i % 2000000), 1 + i % 6, 1 + i % 4 FROM range(30000) AS t(i);

INSERT INTO sighting
SELECT
  1 + i // 1000000, i % 1000000,
  getvariable('month') + to_microseconds(i * (getvariable('minutes') * 60000000 // getvariable('sightings'))),
  i // 8, hash(i // 50) % 30000, 60 + i % 1400, 0
FROM range(getvariable('sightings')) AS t(i);

INSERT INTO mark SELECT i, 1, i % 10000, 253, '\x00'::BLOB FROM range(30000) AS t(i);

INSERT INTO flow_seen
SELECT
  i, 1 + i // 125000, hash(i), hash(i, 1), hash(i * 8 // 50) % 30000 % 10000,
  CASE WHEN hash(i, 4) % 100 = 0 THEN hash(i, 2) % 10000 ELSE 10000 + hash(i, 2) % 2990000 END,
  6, 32768 + i % 28000, 443, time, time + INTERVAL 30 SECOND, 8, 5840, 7, 3000 + i % 100000, 4200, i % 10 > 0,
  CASE WHEN i % 10 > 0 THEN time END, CASE WHEN i % 10 > 2 THEN time END
FROM (
  SELECT i, getvariable('month') + to_microseconds(i * 8 * (getvariable('minutes') * 60000000 // getvariable('sightings'))) AS time
  FROM range(getvariable('sightings') // 8) AS t(i)
);

INSERT INTO host_minute
SELECT hash(i) % 10000, 1 + i // 100000, getvariable('month') + to_minutes(i * getvariable('minutes') // (getvariable('sightings') // 10)), 10, 6000
FROM range(getvariable('sightings') // 10) AS t(i);

INSERT INTO detection_minute
SELECT hash(i) % 30000, 1 + i // 100000, minute, (i % 10 > 0)::UTINYINT, minute, minute + INTERVAL 30 SECOND, 3
FROM (
  SELECT i, getvariable('month') + to_minutes(i * getvariable('minutes') // (getvariable('sightings') // 10)) AS minute
  FROM range(getvariable('sightings') // 10) AS t(i)
);

INSERT INTO flow_passed
SELECT
  1 + i // 100000, hash(i // 2), hash(i // 2), hash(i // 2) % 10000,
  getvariable('month') + to_minutes(i * getvariable('minutes') // (getvariable('sightings') // 5))
FROM range(getvariable('sightings') // 5) AS t(i);

INSERT INTO enforcement_event (event_id, capture_id, time, frame, verdict, rule, host_id, peer_id, tuple_key,
  protocol, host_port, peer_port, length)
SELECT
  NULL, 1, getvariable('month') + to_minutes(i * getvariable('minutes') // (getvariable('sightings') // 100)), 1, 'drop', NULL,
  hash(i) % 10000, 10000 + hash(i, 3) % 2990000, hash(i * 17), 6, 1, 1, 60
FROM range(getvariable('sightings') // 100) AS t(i);

INSERT INTO pair
SELECT i % 10000, CASE WHEN i // 10000 % 100 = 0 THEN hash(i) % 10000 ELSE 10000 + hash(i) % 2990000 END, getvariable('month') + to_minutes(i * getvariable('minutes') // (getvariable('sightings') * 3 // 10))
FROM range(getvariable('sightings') * 3 // 10) AS t(i);

INSERT INTO peer_minute SELECT host_id, first_contact, count(*) FROM pair GROUP BY ALL ORDER BY first_contact;
INSERT INTO peer_hour SELECT host_id, date_trunc('hour', minute), sum(peers) FROM peer_minute GROUP BY ALL ORDER BY 2;
INSERT INTO host_hour
SELECT host_id, capture_id, date_trunc('hour', minute), sum(marked_packets), sum(marked_octets) FROM host_minute GROUP BY ALL ORDER BY 3;
INSERT INTO detection_hour
SELECT detection_id, capture_id, date_trunc('hour', minute), trust, min(first_seen), max(last_seen), sum(packets)
FROM detection_minute GROUP BY ALL ORDER BY 3;
INSERT INTO detection_sum SELECT detection_id, trust, min(first_seen), max(last_seen), sum(packets) FROM detection_hour GROUP BY ALL;
INSERT INTO peer_day SELECT host_id, date_trunc('day', hour), sum(peers) FROM peer_hour GROUP BY ALL ORDER BY 2;
INSERT INTO host_day
SELECT host_id, capture_id, date_trunc('day', hour), sum(marked_packets), sum(marked_octets) FROM host_hour GROUP BY ALL ORDER BY 3;
INSERT INTO detection_day
SELECT detection_id, capture_id, date_trunc('day', hour), trust, min(first_seen), max(last_seen), sum(packets)
FROM detection_hour GROUP BY ALL ORDER BY 3;
