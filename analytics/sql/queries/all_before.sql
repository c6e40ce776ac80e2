-- Whether no mark was seen after the minute of $as_of.
SELECT coalesce(max(last_seen) < date_trunc('minute', make_timestamp($as_of::BIGINT)) + INTERVAL 1 MINUTE, true) AS all_before
FROM detection_sum;
