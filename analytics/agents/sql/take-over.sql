-- An agent came by the token $from, which is none any more, and comes by $to now: what it reported is its own.
UPDATE enforcement_event SET agent = $to || '/' || $agent WHERE agent = $from || '/' || $agent;
UPDATE agent_gap SET agent = $to || '/' || $agent WHERE agent = $from || '/' || $agent;
DELETE FROM agent_spool
WHERE token = $from AND agent = $agent AND spool IN (SELECT spool FROM agent_spool WHERE token = $to);
UPDATE agent_spool SET token = $to WHERE token = $from AND agent = $agent;
UPDATE agent SET heartbeat = coalesce(heartbeat, (
  SELECT heartbeat FROM agent AS former WHERE former.token = $from AND former.agent = $agent
))
WHERE token = $to AND agent = $agent;
DELETE FROM agent WHERE token = $from AND agent = $agent;
