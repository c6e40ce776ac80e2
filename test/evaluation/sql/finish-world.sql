-- Flows that a router stopped, as its agent reports them.
INSERT INTO enforcement_event BY NAME
SELECT
  1 AS capture_id, time, 1 AS frame, 'drop' AS verdict, host_id, 1 AS peer_id, flow AS tuple_key,
  6 AS protocol, 1 AS host_port, 1 AS peer_port, 60 AS length
FROM simulated_stop;
DROP TABLE simulated_stop;
-- What an ingest adds up beside the minutes.
INSERT INTO detection_hour
SELECT detection_id, 1, date_trunc('hour', minute), trust, min(first_seen), max(last_seen), sum(packets)
FROM detection_minute GROUP BY ALL;
INSERT INTO detection_day
SELECT detection_id, 1, date_trunc('day', hour), trust, min(first_seen), max(last_seen), sum(packets)
FROM detection_hour GROUP BY ALL;
INSERT INTO detection_sum
SELECT detection_id, trust, min(first_seen), max(last_seen), sum(packets) FROM detection_minute GROUP BY ALL;
INSERT INTO peer_hour SELECT host_id, date_trunc('hour', minute), sum(peers) FROM peer_minute GROUP BY ALL;
INSERT INTO peer_day SELECT host_id, date_trunc('day', hour), sum(peers) FROM peer_hour GROUP BY ALL;
