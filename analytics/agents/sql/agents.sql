-- Every agent that was ever heard, with its last heartbeat.
SELECT
  agent, token, epoch_us(heard_at) / 1e6 AS heard_at, heartbeat,
  (SELECT count(*) FROM enforcement_event AS event WHERE event.agent = agent.token || '/' || agent.agent) AS events,
  (SELECT coalesce(sum(packets), 0)::UBIGINT FROM agent_gap AS gap WHERE gap.agent = agent.token || '/' || agent.agent) AS gap_packets
FROM agent
ORDER BY token, agent;
