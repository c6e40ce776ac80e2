-- Takes out what a capture brought; the one that takes its place brings all of it again. Hosts, detections and pairs stay.
CREATE OR REPLACE TEMP TABLE shown_before AS SELECT DISTINCT detection_id FROM detection_day WHERE capture_id = $capture_id;
DELETE FROM captured_name WHERE capture_id = $capture_id;
DELETE FROM detection_minute WHERE capture_id = $capture_id;
DELETE FROM detection_hour WHERE capture_id = $capture_id;
DELETE FROM detection_day WHERE capture_id = $capture_id;
DELETE FROM detection_sum WHERE detection_id IN (FROM shown_before);
INSERT INTO detection_sum
SELECT detection_id, trust, min(first_seen), max(last_seen), sum(packets)
FROM detection_day
WHERE detection_id IN (FROM shown_before) AND capture_id <> $capture_id
GROUP BY ALL;
DELETE FROM host_minute WHERE capture_id = $capture_id;
DELETE FROM host_hour WHERE capture_id = $capture_id;
DELETE FROM host_day WHERE capture_id = $capture_id;
DELETE FROM mark WHERE capture_id = $capture_id;
DELETE FROM flow_seen WHERE capture_id = $capture_id;
DELETE FROM flow_passed WHERE capture_id = $capture_id;
DELETE FROM enforcement_event WHERE capture_id = $capture_id;
DELETE FROM unmarked_run WHERE capture_id = $capture_id;
DELETE FROM sighting WHERE capture_id = $capture_id;
DELETE FROM capture WHERE capture_id = $capture_id;
