-- The ranking (docs/explanation/ranking.md) as table macros: SELECT * FROM ranking(TIMESTAMP '2026-03-17 18:00:00').
-- They read sums per minute only, never all sightings; "as of" takes in the whole minute that it names.

-- Each detection at a time: its best trust, when it was seen, and p = s * q * 2^(-(as_of - last seen) / H). The largest
-- p of its trusts counts, each with its own last sight: lone packets cannot keep an established detection alive.
CREATE OR REPLACE MACRO ranked_detection(as_of) AS TABLE
WITH seen AS (
  SELECT
    detection_id,
    trust,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_in_minute,
    sum(packets) AS packets
  FROM detection_minute
  WHERE minute <= date_trunc('minute', as_of::TIMESTAMP)
  GROUP BY detection_id, trust
),
weighed AS (
  SELECT
    seen.*,
    least(last_in_minute, as_of::TIMESTAMP) AS last_seen,
    trust.quality,
    trust.name AS trust_name,
    detection.host_id,
    detection.detected_at,
    detection.category,
    detection.activity,
    coalesce(activity_code.severity, 'medium') AS severity,
    severity.rank AS severity_rank,
    severity.weight * trust.quality
      * pow(2, -(epoch_us(as_of::TIMESTAMP) - epoch_us(least(last_in_minute, as_of::TIMESTAMP))) / 3.6e9 / coalesce(half_life_hours, 6)) AS probability
  FROM seen
  JOIN trust USING (trust)
  JOIN detection USING (detection_id)
  LEFT JOIN activity_code USING (category, activity)
  LEFT JOIN category_code USING (category)
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
  arg_max(trust_name, (quality, trust)) AS trust,
  max(quality) AS quality,
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen,
  sum(packets)::UBIGINT AS packets,
  max(probability) AS probability
FROM weighed
GROUP BY detection_id;

-- Flows of the last hour by host: passed (octets acknowledged, not stopped since) and stopped (dropped or rejected).
CREATE OR REPLACE MACRO flows_of_last_hour(as_of) AS TABLE
WITH stops AS (
  SELECT tuple_key, any_value(host_id) AS host_id, date_trunc('minute', max(time)) AS minute, max(time) AS time
  FROM enforcement_event
  WHERE verdict IN ('drop', 'reject') AND time < date_trunc('minute', as_of::TIMESTAMP) + INTERVAL 1 MINUTE
  GROUP BY tuple_key
),
passes AS (
  SELECT host_id, flow_key, tuple_key, max(minute) AS minute
  FROM flow_passed
  WHERE minute <= date_trunc('minute', as_of::TIMESTAMP)
    AND minute > date_trunc('minute', as_of::TIMESTAMP) - INTERVAL 1 HOUR
  GROUP BY host_id, flow_key, tuple_key
),
passed AS (
  SELECT passes.host_id, count(DISTINCT flow_key) AS flows
  FROM passes
  LEFT JOIN stops USING (tuple_key)
  WHERE stops.minute IS NULL OR stops.minute < passes.minute
  GROUP BY passes.host_id
),
stopped AS (
  SELECT host_id, count(*) AS flows
  FROM stops
  WHERE minute > date_trunc('minute', as_of::TIMESTAMP) - INTERVAL 1 HOUR
  GROUP BY host_id
)
SELECT host_id, coalesce(passed.flows, 0) AS passed, coalesce(stopped.flows, 0) AS stopped
FROM passed
FULL JOIN stopped USING (host_id);

-- One row a host that has any detection; score is null where none of them counts (implausible, or a tag does not verify).
CREATE OR REPLACE MACRO ranking(as_of) AS TABLE
WITH found AS (
  SELECT * FROM ranked_detection(as_of)
),
flagged AS (
  SELECT
    host_id,
    max(quality) AS quality,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    min(detected_at) FILTER (WHERE quality > 0) AS first_detected,
    max(detected_at) FILTER (WHERE quality > 0) AS last_detected,
    max(severity_rank) FILTER (WHERE quality > 0) AS severity_rank,
    -- Lone packets can be forged by the thousand: only the strongest of those detections counts.
    1 - exp(coalesce(sum(ln(1 - probability)) FILTER (WHERE trust IN ('established', 'verified')), 0))
      * (1 - coalesce(max(probability) FILTER (WHERE trust = 'lone'), 0)) AS raw_probability
  FROM found
  GROUP BY host_id
),
packets AS (
  SELECT host_id, sum(marked_packets)::UBIGINT AS marked_packets
  FROM host_minute
  WHERE minute <= date_trunc('minute', as_of::TIMESTAMP)
  GROUP BY host_id
),
reached AS (
  SELECT host_id, sum(peers)::BIGINT AS peers
  FROM peer_minute
  WHERE minute <= date_trunc('minute', as_of::TIMESTAMP)
  GROUP BY host_id
),
facts AS (
  SELECT
    flagged.*,
    address,
    asset.name,
    coalesce(weight, 1) AS weight,
    coalesce(marked_packets, 0) AS marked_packets,
    coalesce(passed, 0) AS passed,
    coalesce(stopped, 0) AS stopped,
    coalesce(peers, 0) AS peers,
    greatest(0, epoch_us(last_seen) - epoch_us(first_detected)) / 3.6e9 AS dwell_hours,
    coalesce(stopped, 0) > 0 AND coalesce(passed, 0) = 0 AS contained,
    least(greatest(raw_probability, 0.01), 0.97) AS probability
  FROM flagged
  JOIN host USING (host_id)
  LEFT JOIN asset USING (address)
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
)
SELECT
  *,
  CASE WHEN quality > 0 THEN
    100 / (1 + exp(-(detections_term + passed_term + peers_term + dwell_term + contained_term + asset_term)))
  END AS score
FROM terms;
