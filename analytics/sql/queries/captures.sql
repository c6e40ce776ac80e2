-- Every capture that was handed in, newest first.
SELECT
  capture_id, name, state, reason, reason_offset, format, octets, packets, marked_packets, malformed_marks, grew_from, nullif(unchecked_tags, 0) AS unchecked_tags,
  epoch_us(first_packet) / 1e6 AS first_packet,
  epoch_us(last_packet) / 1e6 AS last_packet,
  epoch_us(ingested_at) / 1e6 AS ingested_at
FROM capture
UNION ALL
SELECT
  NULL, name, 'refused', reason, reason_offset, NULL, 0, 0, 0, 0, NULL, NULL, NULL, NULL, epoch_us(refused_at) / 1e6
FROM refused_capture
ORDER BY ingested_at DESC, capture_id DESC;
