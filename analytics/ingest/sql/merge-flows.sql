-- Which marks were seen, and which flows passed in which minute? The flows themselves are there already.
INSERT INTO mark
SELECT getvariable('last_mark') + 1 + local_mark, getvariable('capture_id'), host_id, kind, option
FROM staged_mark JOIN host_of USING (local_host);

INSERT INTO flow_passed
SELECT DISTINCT getvariable('capture_id'), flow_key, tuple_key, host_id, minute
FROM staged_passed JOIN flow_seen ON flow_id = getvariable('last_flow') + 1 + local_flow
WHERE flow_id > getvariable('last_flow');
