-- Which marks were seen?
INSERT INTO mark
SELECT getvariable('last_mark') + 1 + local_mark, getvariable('capture_id'), host_id, kind, option
FROM staged_mark JOIN host_of USING (local_host)
WHERE local_mark >= getvariable('slice_from') AND local_mark < getvariable('slice_to');
