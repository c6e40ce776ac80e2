-- How active was each host?
CREATE OR REPLACE TEMP TABLE active_minute AS
SELECT host_id, minute, marked_packets, marked_octets
FROM staged_host_minute JOIN host_of USING (local_host)
WHERE local_host >= getvariable('slice_from') AND local_host < getvariable('slice_to');

INSERT INTO host_minute
SELECT host_id, getvariable('capture_id'), minute, marked_packets, marked_octets FROM active_minute;

INSERT INTO host_hour
SELECT host_id, getvariable('capture_id'), date_trunc('hour', minute), sum(marked_packets), sum(marked_octets)
FROM active_minute
GROUP BY ALL;

INSERT INTO host_day
SELECT host_id, getvariable('capture_id'), date_trunc('day', minute), sum(marked_packets), sum(marked_octets)
FROM active_minute
GROUP BY ALL;
