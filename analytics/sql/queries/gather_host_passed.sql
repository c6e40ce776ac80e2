-- Minutes in which flows of one host passed, up to $as_of (microseconds): read from all hosts' once, for questions that follow.
CREATE OR REPLACE TEMP TABLE gathered_passed AS
SELECT flow_key, minute
FROM flow_passed
WHERE host_id = (SELECT host_id FROM host WHERE address = $address)
  AND minute <= date_trunc('minute', make_timestamp($as_of::BIGINT));
