-- What is stored of a spool? Where this token has brought nothing of it, what the one had stored by which the agent came before.
SELECT last_number, coalesce(holes, '')
FROM agent_spool LEFT JOIN agent USING (token, agent)
WHERE spool = $spool AND (agent_spool.token = $token OR agent_spool.agent = $agent)
ORDER BY agent_spool.token <> $token, claimed_at NULLS FIRST
LIMIT 1
