-- A batch of events until it is joined to what the database knows.
CREATE TEMP TABLE reported (
  id VARCHAR, agent VARCHAR, time TIMESTAMP, host VARCHAR, peer VARCHAR, verdict VARCHAR, rule VARCHAR, trust UTINYINT,
  tuple_key UBIGINT, protocol UTINYINT, host_port USMALLINT, peer_port USMALLINT, length UINTEGER
);

CREATE TEMP TABLE reported_detection (
  host VARCHAR, time TIMESTAMP, trust UTINYINT, detected_at TIMESTAMP, category UTINYINT, activity UTINYINT
);
