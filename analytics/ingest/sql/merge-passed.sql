-- Which flows passed in which minute? The flows themselves are there already.
INSERT INTO flow_passed
SELECT DISTINCT getvariable('capture_id'), flow_key, tuple_key, host_id, minute
FROM staged_passed JOIN flow_seen ON flow_id = getvariable('last_flow') + 1 + local_flow
WHERE local_flow >= getvariable('slice_from') AND local_flow < getvariable('slice_to')
  AND flow_id > getvariable('last_flow') + getvariable('slice_from')
  AND flow_id <= getvariable('last_flow') + getvariable('slice_to');
