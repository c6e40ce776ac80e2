-- Marked packets of one host in bins of $seconds; gather_host_minutes.sql comes first.
SELECT
  epoch_us(time_bucket(to_seconds($seconds::INTEGER), minute)) / 1e6 AS start,
  sum(marked_packets)::DOUBLE AS marked_packets
FROM gathered_minute
GROUP BY start
ORDER BY start;
