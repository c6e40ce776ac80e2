-- How many packets agents told of with a verdict: one by one, and in gap events.
SELECT
  (SELECT count(*) FROM enforcement_event WHERE verdict = $verdict AND event_id IS NOT NULL) AS events,
  (SELECT coalesce(sum(packets), 0)::BIGINT FROM agent_gap WHERE verdict = $verdict) AS gaps;
