-- Whom the peers of one host reached after it had reached them, by $as_of (microseconds): a leak that is passed on. Only peers
-- that are flagged themselves mark their packets, so only those can be followed. Sorted by $sort, from $offset on.
WITH chosen AS (
  SELECT host_id FROM host WHERE address = $address
),
via AS (
  SELECT peer_id AS via_id, min(first_contact) AS via_contact
  FROM pair
  JOIN chosen USING (host_id)
  WHERE first_contact <= make_timestamp($as_of::BIGINT) AND peer_id <> chosen.host_id
  GROUP BY peer_id
),
-- Detections are few beside what was seen of them, so hosts are narrowed down by those first.
flagged AS (
  SELECT host_id, min(detected_at) AS flagged_since
  FROM detection
  JOIN detection_sum USING (detection_id)
  JOIN trust USING (trust)
  WHERE quality > 0
    AND first_seen <= make_timestamp($as_of::BIGINT)
    AND detection_id IN (SELECT detection_id FROM detection WHERE host_id IN (SELECT via_id FROM via))
  GROUP BY host_id
),
followed AS (
  SELECT via_id, via_contact
  FROM via
  SEMI JOIN flagged ON flagged.host_id = via_id
),
-- First which hosts, then when: a join by both at once would read the rows of all hosts.
followed_flow AS (
  SELECT host_id AS via_id, peer_id, flow_key, passed_at, last_seen, acknowledged_octets
  FROM flow_seen
  WHERE host_id IN (SELECT via_id FROM followed) AND passed_at <= make_timestamp($as_of::BIGINT)
),
followed_pair AS (
  SELECT host_id AS via_id, peer_id, first_contact
  FROM pair
  WHERE host_id IN (SELECT via_id FROM followed) AND first_contact <= make_timestamp($as_of::BIGINT)
),
flow AS (
  SELECT
    via_id,
    peer_id,
    any_value(via_contact) AS via_contact,
    -- A flow that was there before goes on after it.
    greatest(min(passed_at), any_value(via_contact)) AS passed_at,
    max(acknowledged_octets) AS acknowledged
  FROM followed_flow
  JOIN followed USING (via_id)
  WHERE last_seen > via_contact AND peer_id NOT IN (FROM chosen)
  GROUP BY via_id, peer_id, flow_key
),
-- What only agents saw: contacts that were new after it.
reported AS (
  SELECT via_id, peer_id, via_contact, first_contact AS passed_at, 0 AS acknowledged
  FROM followed_pair
  JOIN followed USING (via_id)
  WHERE first_contact >= via_contact AND peer_id NOT IN (FROM chosen)
),
hop AS MATERIALIZED (
  SELECT
    via_id, peer_id,
    epoch_us(any_value(via_contact)) / 1e6 AS via_contact,
    epoch_us(coalesce(min(passed_at) FILTER (WHERE acknowledged > 0), min(passed_at))) / 1e6 AS first_passed,
    count(*) FILTER (WHERE acknowledged > 0) AS flows,
    sum(acknowledged)::UBIGINT AS acknowledged
  FROM (SELECT * FROM flow UNION ALL SELECT * FROM reported)
  GROUP BY via_id, peer_id
),
part AS (
  SELECT
    *,
    (SELECT count(*) FROM hop) AS total,
    CASE $sort
      WHEN 'acknowledged' THEN acknowledged
      WHEN 'flows' THEN flows
      ELSE -first_passed
    END::DOUBLE AS sort_value
  FROM hop
  ORDER BY sort_value DESC, via_id, peer_id
  LIMIT $limit OFFSET $offset
),
named AS (
  SELECT
    part.*,
    via_host.address AS via,
    peer.address
  FROM part
  JOIN host AS via_host ON via_host.host_id = via_id
  JOIN host AS peer ON peer.host_id = peer_id
),
peer_flagged AS (
  SELECT host_id, min(detected_at) AS flagged_since
  FROM detection
  JOIN detection_sum USING (detection_id)
  JOIN trust USING (trust)
  WHERE quality > 0
    AND first_seen <= make_timestamp($as_of::BIGINT)
    AND detection_id IN (SELECT detection_id FROM detection WHERE host_id IN (SELECT peer_id FROM part))
  GROUP BY host_id
)
-- One row without an address where there is no hop: the counts are told all the same.
SELECT
  named.*,
  via_name.name AS via_name,
  peer_name.name,
  epoch_us(flagged_since) / 1e6 AS flagged_since,
  (SELECT count(*) FROM via) AS reached,
  (SELECT count(*) FROM followed) AS followed
FROM (SELECT 1)
LEFT JOIN named ON true
LEFT JOIN host_name AS via_name ON via_name.address = via
LEFT JOIN host_name AS peer_name ON peer_name.address = named.address
LEFT JOIN peer_flagged ON peer_flagged.host_id = peer_id
ORDER BY sort_value DESC, via_id, peer_id;
