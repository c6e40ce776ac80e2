-- What an ingest adds up beside the minutes.
INSERT INTO detection_hour
SELECT detection_id, 1, date_trunc('hour', minute), trust, min(first_seen), max(last_seen), sum(packets)
FROM detection_minute GROUP BY ALL;
INSERT INTO detection_day
SELECT detection_id, 1, date_trunc('day', hour), trust, min(first_seen), max(last_seen), sum(packets)
FROM detection_hour GROUP BY ALL;
INSERT INTO peer_hour SELECT host_id, date_trunc('hour', minute), sum(peers) FROM peer_minute GROUP BY ALL;
INSERT INTO peer_day SELECT host_id, date_trunc('day', hour), sum(peers) FROM peer_hour GROUP BY ALL;
