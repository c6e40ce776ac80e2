-- Each detection at a time: its best trust, when it was seen, and how much it counts. "As of" takes in the whole minute
-- that it names.
-- p = s * q * 2^(-(as_of - last seen) / H), the largest over its trusts, each with its own last sight.
-- Of one host (its host_id) alone, if it is named: one_host = NULL costs nothing, as it is known before the plan is made.
-- Nothing was seen after that minute, the caller says by all_before: then the sums over all times do, a row for each trust.
CREATE OR REPLACE MACRO ranked_detection(as_of, one_host := NULL, all_before := false) AS TABLE
WITH stretch AS (
  SELECT detection_id, trust, first_seen, last_seen, packets
  FROM detection_sum
  WHERE all_before
    AND (one_host IS NULL OR detection_id IN (SELECT detection_id FROM detection WHERE host_id = one_host))
  UNION ALL
  SELECT detection_id, trust, first_seen, last_seen, packets
  FROM detection_day
  WHERE NOT all_before AND day < date_trunc('day', as_of::TIMESTAMP)
    AND (one_host IS NULL OR detection_id IN (SELECT detection_id FROM detection WHERE host_id = one_host))
  UNION ALL
  SELECT detection_id, trust, first_seen, last_seen, packets
  FROM detection_hour
  WHERE NOT all_before AND hour >= date_trunc('day', as_of::TIMESTAMP) AND hour < date_trunc('hour', as_of::TIMESTAMP)
    AND (one_host IS NULL OR detection_id IN (SELECT detection_id FROM detection WHERE host_id = one_host))
  UNION ALL
  SELECT detection_id, trust, first_seen, last_seen, packets
  FROM detection_minute
  WHERE NOT all_before AND minute >= date_trunc('hour', as_of::TIMESTAMP) AND minute <= date_trunc('minute', as_of::TIMESTAMP)
    AND (one_host IS NULL OR detection_id IN (SELECT detection_id FROM detection WHERE host_id = one_host))
),
seen AS (
  SELECT
    detection_id,
    trust,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    -- Not as integers: their sums are 128 bits wide, and take half as long again as everything else here.
    sum(packets::DOUBLE)::UBIGINT AS packets
  FROM stretch
  GROUP BY detection_id, trust
),
clamped AS (
  SELECT
    seen.* REPLACE (
      least(first_seen, as_of::TIMESTAMP) AS first_seen,
      least(last_seen, as_of::TIMESTAMP) AS last_seen
    )
  FROM seen
),
weighed AS (
  SELECT
    clamped.*,
    host_id, detected_at, category, activity,
    quality,
    trust.name AS trust_name,
    trust.name IN ('established', 'verified') AS is_borne_out,
    severity.severity,
    severity.rank AS severity_rank,
    severity.weight * quality
      * pow(2, (epoch_us(clamped.last_seen) - epoch_us(as_of::TIMESTAMP)) / 3.6e9 / coalesce(half_life_hours, 6)) AS probability
  FROM clamped
  JOIN trust USING (trust)
  JOIN detection USING (detection_id)
  LEFT JOIN activity_code USING (category, activity)
  LEFT JOIN category_code USING (category)
  -- An activity that the code book does not know.
  JOIN severity ON severity.severity = coalesce(activity_code.severity, 'medium')
)
SELECT
  detection_id,
  any_value(host_id) AS host_id,
  any_value(detected_at) AS detected_at,
  any_value(category) AS category,
  any_value(activity) AS activity,
  any_value(severity) AS severity,
  any_value(severity_rank) AS severity_rank,
  -- The best quality, and among those the highest trust, as one number: comparing pairs takes a sixth of the question.
  arg_max(trust_name, quality * 1000 + trust) AS trust,
  max(quality) AS quality,                          -- 0: it does not count
  min(first_seen) AS first_seen,
  -- A mark that does not verify cannot make one that counts look fresh.
  coalesce(max(last_seen) FILTER (WHERE quality > 0), max(last_seen)) AS last_seen,
  sum(packets::DOUBLE)::UBIGINT AS packets,
  max(probability) AS probability,
  -- The same without lone packets: what the other side's answers or a tag bear out.
  coalesce(max(probability) FILTER (WHERE is_borne_out), 0) AS borne_out_probability,
  max(last_seen) FILTER (WHERE is_borne_out) AS borne_out_last_seen
FROM weighed
GROUP BY detection_id;
