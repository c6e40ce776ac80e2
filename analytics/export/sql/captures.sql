-- Every capture that was handed in, newest first.
SELECT
  capture_id, name, state, reason, reason_offset, format, octets, packets, tcp_packets, marked_packets, malformed_marks,
  cut_packets, duplicate_marks, quoted_marks, gap_octets, first_packet, last_packet, ingested_at, content_id
FROM capture
UNION ALL
SELECT
  NULL, name, 'refused', reason, reason_offset, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, refused_at, NULL
FROM refused_capture
ORDER BY ingested_at DESC, capture_id DESC
