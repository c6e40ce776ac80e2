-- Marked packets of one host up to $as_of (microseconds), in bins of $seconds.
SELECT
  epoch_us(time_bucket(to_seconds($seconds::INTEGER), minute)) / 1e6 AS start,
  sum(marked_packets)::DOUBLE AS marked_packets
FROM host_minute
JOIN host USING (host_id)
WHERE address = $address AND minute <= date_trunc('minute', make_timestamp($as_of::BIGINT))
GROUP BY start
ORDER BY start;
