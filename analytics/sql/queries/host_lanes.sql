-- What became of packets of one host up to $as_of (microseconds), in bins of $seconds: packets stopped, and flows of which the
-- peer acknowledged octets (or which an agent let through); gather_host_passed.sql comes first.
WITH chosen AS (
  SELECT host_id FROM host WHERE address = $address
)
SELECT
  'stopped' AS lane,
  epoch_us(time_bucket(to_seconds($seconds::INTEGER), time)) / 1e6 AS start,
  count(*) AS count
FROM enforcement_event
JOIN chosen USING (host_id)
WHERE verdict IN ('drop', 'reject') AND time <= make_timestamp($as_of::BIGINT)
GROUP BY start
UNION ALL
SELECT
  'passed',
  epoch_us(time_bucket(to_seconds($seconds::INTEGER), minute)) / 1e6 AS start,
  count(DISTINCT flow_key)
FROM gathered_passed
GROUP BY start
ORDER BY lane, start;
