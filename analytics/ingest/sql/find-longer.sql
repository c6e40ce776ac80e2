-- Which captures may go on where this one ends, or show the same and names behind it? One without marks shows nothing
-- that could be compared.
SELECT capture_id, name
FROM capture
WHERE format = $format AND first_packet = make_timestamp($first_packet::BIGINT)
  AND packets >= $packets AND marked_packets >= $marked_packets AND $marked_packets > 0
ORDER BY packets LIMIT 4
