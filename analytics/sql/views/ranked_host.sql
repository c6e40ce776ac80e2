-- The hosts that detections flag, with the terms of their scores (docs/explanation/ranking.md). `judged` names the detections at
-- `as_of`, as ranked_detection gives them: whoever needs those too has them judged once. It reads sums per minute, hour and
-- day only, never all sightings. One row a host that has any detection; score is null where none of them counts
-- (implausible, or a tag does not verify). Of one host (its host_id) alone, if it is named.
CREATE OR REPLACE MACRO ranked_host(as_of, judged, one_host := NULL) AS TABLE
WITH flagged AS (
  SELECT
    host_id,
    max(quality) AS quality,
    min(first_seen) AS first_seen,
    coalesce(max(last_seen) FILTER (WHERE quality > 0), max(last_seen)) AS last_seen,
    min(detected_at) FILTER (WHERE quality > 0) AS first_detected,
    max(detected_at) FILTER (WHERE quality > 0) AS last_detected,
    max(severity_rank) FILTER (WHERE quality > 0) AS severity_rank,
    -- Lone packets can be forged by the thousand. Whatever they say, they raise one detection, the one that gains most.
    1 - product(1 - borne_out_probability) * min((1 - probability) / (1 - borne_out_probability)) AS raw_probability,
    -- A forged time of detection, ten years back, would be worth as much as a day among many peers.
    greatest(0, epoch_us(max(borne_out_last_seen)) - epoch_us(min(detected_at) FILTER (WHERE borne_out_last_seen IS NOT NULL))) / 3.6e9
      AS raw_dwell_hours,
    -- The most severe activity that counts, and the lowest code among those.
    max(severity_rank::INTEGER * 65536 - (category::INTEGER * 256 + activity)) FILTER (WHERE quality > 0) AS activity_order
  FROM query_table(judged)
  GROUP BY host_id
),
packets AS (
  SELECT host_id, sum(marked_packets::DOUBLE)::UBIGINT AS marked_packets
  FROM (
    SELECT host_id, marked_packets
    FROM host_day
    WHERE day < date_trunc('day', as_of::TIMESTAMP) AND (one_host IS NULL OR host_id = one_host)
    UNION ALL
    SELECT host_id, marked_packets
    FROM host_hour
    WHERE hour >= date_trunc('day', as_of::TIMESTAMP) AND hour < date_trunc('hour', as_of::TIMESTAMP)
      AND (one_host IS NULL OR host_id = one_host)
    UNION ALL
    SELECT host_id, marked_packets
    FROM host_minute
    WHERE minute >= date_trunc('hour', as_of::TIMESTAMP) AND minute <= date_trunc('minute', as_of::TIMESTAMP)
      AND (one_host IS NULL OR host_id = one_host)
  )
  GROUP BY host_id
),
reached AS (
  SELECT host_id, sum(peers)::BIGINT AS peers
  FROM (
    SELECT host_id, peers
    FROM peer_day
    WHERE day < date_trunc('day', as_of::TIMESTAMP) AND (one_host IS NULL OR host_id = one_host)
    UNION ALL
    SELECT host_id, peers
    FROM peer_hour
    WHERE hour >= date_trunc('day', as_of::TIMESTAMP) AND hour < date_trunc('hour', as_of::TIMESTAMP)
      AND (one_host IS NULL OR host_id = one_host)
    UNION ALL
    SELECT host_id, peers
    FROM peer_minute
    WHERE minute >= date_trunc('hour', as_of::TIMESTAMP) AND minute <= date_trunc('minute', as_of::TIMESTAMP)
      AND (one_host IS NULL OR host_id = one_host)
  )
  GROUP BY host_id
),
facts AS (
  SELECT
    flagged.* EXCLUDE (raw_probability, raw_dwell_hours),
    address,
    host_name.name,
    coalesce(weight, 1) AS weight,
    coalesce(marked_packets, 0) AS marked_packets,
    coalesce(passed, 0) AS passed,
    coalesce(stopped, 0) AS stopped,
    coalesce(peers, 0) AS peers,
    coalesce(raw_dwell_hours, 0) AS dwell_hours,
    coalesce(stopped, 0) > 0 AND coalesce(passed, 0) = 0 AS contained,
    least(greatest(raw_probability, 0.01), 0.97) AS probability
  FROM flagged
  JOIN host USING (host_id)
  LEFT JOIN asset USING (address)
  LEFT JOIN host_name USING (address)
  LEFT JOIN packets USING (host_id)
  LEFT JOIN flows_of_last_hour(as_of) USING (host_id)
  LEFT JOIN reached USING (host_id)
),
terms AS (
  SELECT
    *,
    ln(probability / (1 - probability)) AS detections_term,
    0.5 * log2(1 + passed) AS passed_term,
    0.2 * log2(1 + peers) AS peers_term,
    0.05 * log2(1 + dwell_hours) AS dwell_term,
    CASE WHEN contained THEN -2 ELSE 0 END AS contained_term,
    ln(weight) AS asset_term
  FROM facts
),
sums AS (
  SELECT
    *,
    CASE WHEN quality > 0 THEN
      detections_term + passed_term + peers_term + dwell_term + contained_term + asset_term
    END AS log_odds
  FROM terms
)
SELECT
  *,
  100 / (1 + exp(-log_odds)) AS score,
  CASE
    WHEN score >= 90 THEN 'critical'
    WHEN score >= 70 THEN 'high'
    WHEN score >= 40 THEN 'moderate'
    WHEN score >= 20 THEN 'low'
    WHEN score IS NOT NULL THEN 'minimal'
  END AS band
FROM sums;
