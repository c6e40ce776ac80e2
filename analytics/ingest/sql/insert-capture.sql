-- times: microseconds since 1970; null without packets
INSERT INTO capture
SELECT
  getvariable('capture_id'), $name, $content_id, $state, $reason, $reason_offset, $format, $octets, $packets, $tcp_packets,
  $marked_packets, $malformed_marks, $cut_packets, $duplicate_marks, $quoted_marks, $gap_octets,
  make_timestamp($first_packet::BIGINT), make_timestamp($last_packet::BIGINT), make_timestamp($ingested_at::BIGINT),
  $stream_id, $grew_from, $verified_tags, $unchecked_tags
