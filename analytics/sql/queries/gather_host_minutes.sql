-- Minutes in which one host marked packets, up to $as_of (microseconds): read from all hosts' once, for questions that follow.
CREATE OR REPLACE TEMP TABLE gathered_minute AS
SELECT minute, marked_packets
FROM host_minute
WHERE host_id = (SELECT host_id FROM host WHERE address = $address)
  AND minute <= date_trunc('minute', make_timestamp($as_of::BIGINT));
