-- Whom one host reached by $as_of (microseconds), with octets both ways and what was stopped; sorted by $sort, from $offset on.
WITH chosen AS (
  SELECT host_id FROM host WHERE address = $address
),
reached AS (
  SELECT peer_id, min(first_contact) AS first_contact
  FROM pair
  JOIN chosen USING (host_id)
  WHERE first_contact <= make_timestamp($as_of::BIGINT)
  GROUP BY peer_id
),
-- A flow that several captures saw is one.
flow AS (
  SELECT
    peer_id, flow_key,
    max(last_seen) AS last_seen,
    max(marked_octets) AS sent,
    max(reply_octets) AS received,
    max(acknowledged_octets) AS acknowledged,
    min(passed_at) AS passed_at
  FROM flow_seen
  JOIN chosen USING (host_id)
  WHERE first_seen <= make_timestamp($as_of::BIGINT)
  GROUP BY peer_id, flow_key
),
flows AS (
  SELECT
    peer_id,
    count(*) AS flows,
    count(*) FILTER (WHERE passed_at <= make_timestamp($as_of::BIGINT)) AS flows_passed,
    max(last_seen) AS last_seen,
    sum(sent)::UBIGINT AS sent,
    sum(received)::UBIGINT AS received,
    sum(acknowledged)::UBIGINT AS acknowledged
  FROM flow
  GROUP BY peer_id
),
-- What agents let through and no capture shows; and what was stopped, whoever reported it.
reported AS (
  SELECT
    peer_id,
    sum(length) FILTER (WHERE verdict NOT IN ('drop', 'reject') AND event_id IS NOT NULL)::UBIGINT AS let_through,
    max(time) FILTER (WHERE verdict NOT IN ('drop', 'reject')) AS last_seen,
    count(*) FILTER (WHERE verdict IN ('drop', 'reject')) AS stopped
  FROM enforcement_event
  JOIN chosen USING (host_id)
  WHERE time <= make_timestamp($as_of::BIGINT)
  GROUP BY peer_id
),
exposed AS MATERIALIZED (
  SELECT
    peer_id,
    epoch_us(first_contact) / 1e6 AS first_contact,
    epoch_us(least(greatest(coalesce(flows.last_seen, first_contact), coalesce(reported.last_seen, first_contact)), make_timestamp($as_of::BIGINT))) / 1e6 AS last_seen,
    coalesce(flows, 0) AS flows,
    coalesce(flows_passed, 0) AS flows_passed,
    coalesce(sent, let_through, 0) AS sent,
    coalesce(received, 0) AS received,
    coalesce(acknowledged, 0) AS acknowledged,
    coalesce(stopped, 0) AS stopped
  FROM reached
  LEFT JOIN flows USING (peer_id)
  LEFT JOIN reported USING (peer_id)
),
-- Sorted by ids, so that names are looked up for the rows that are shown alone.
part AS (
  SELECT
    *,
    (SELECT count(*) FROM exposed) AS total,
    CASE $sort
      WHEN 'received' THEN received
      WHEN 'acknowledged' THEN acknowledged
      WHEN 'first-contact' THEN -first_contact
      WHEN 'last-seen' THEN last_seen
      WHEN 'flows' THEN flows
      WHEN 'stopped' THEN stopped
      ELSE sent
    END::DOUBLE AS sort_value
  FROM exposed
  ORDER BY sort_value DESC, first_contact, peer_id
  LIMIT $limit OFFSET $offset
),
flagged AS (
  SELECT host_id AS peer_id, min(detected_at) AS flagged_since
  FROM detection
  JOIN detection_sum USING (detection_id)
  JOIN trust USING (trust)
  WHERE quality > 0 AND first_seen <= make_timestamp($as_of::BIGINT)
    AND detection_id IN (SELECT detection_id FROM detection WHERE host_id IN (SELECT peer_id FROM part))
  GROUP BY host_id
)
SELECT
  part.*,
  address,
  name,
  epoch_us(flagged_since) / 1e6 AS flagged_since
FROM part
JOIN host ON host.host_id = peer_id
LEFT JOIN host_name USING (address)
LEFT JOIN flagged USING (peer_id)
ORDER BY sort_value DESC, first_contact, peer_id;
