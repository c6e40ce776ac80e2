-- Which peers did flagged hosts reach, with evidence? One of the shares into which the pairs are divided, whole pairs each.
CREATE OR REPLACE TEMP TABLE contact AS
SELECT host_id, peer_id, min(established_at) AS first_contact
FROM flow_seen
WHERE flow_id > getvariable('last_flow') AND established
  AND (host_id + 7 * peer_id::BIGINT) % getvariable('slices') = getvariable('slice')
GROUP BY ALL;
