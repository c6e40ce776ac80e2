-- Hosts with any detection at $as_of (microseconds since 1970), with every term of their scores.
SELECT
  host_id, address, name, score, weight,
  probability, passed, stopped, peers, dwell_hours, contained,
  detections_term, passed_term, peers_term, dwell_term, contained_term, asset_term,
  marked_packets, severity_rank,
  epoch_us(first_seen) / 1e6 AS first_seen,
  epoch_us(last_seen) / 1e6 AS last_seen,
  epoch_us(first_detected) / 1e6 AS first_detected,
  epoch_us(last_detected) / 1e6 AS last_detected
FROM ranking(make_timestamp($as_of::BIGINT))
WHERE $address IS NULL OR address = $address;
