-- First and last minute in which one host marked packets, up to $as_of (microseconds).
SELECT epoch_us(min(minute)) / 1e6 AS first_minute, epoch_us(max(minute)) / 1e6 AS last_minute
FROM host_minute
JOIN host USING (host_id)
WHERE address = $address AND minute <= date_trunc('minute', make_timestamp($as_of::BIGINT));
