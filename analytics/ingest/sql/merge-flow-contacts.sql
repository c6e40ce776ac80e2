-- Which peers did flagged hosts reach, with evidence?
CREATE TEMP TABLE contact AS
SELECT host_id, peer_id, min(established_at) AS first_contact
FROM flow_seen WHERE flow_id > getvariable('last_flow') AND established GROUP BY ALL;
