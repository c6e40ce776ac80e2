-- Puts a batch of an agent's events, JSON whose shape was checked, into temporary tables.
INSERT INTO reported
SELECT report.* REPLACE (make_timestamp(report.time) AS time)
FROM (
  SELECT unnest(from_json($reports::JSON, '[{
    "id": "VARCHAR", "agent": "VARCHAR", "time": "BIGINT", "host": "VARCHAR", "peer": "VARCHAR", "verdict": "VARCHAR", "rule": "VARCHAR",
    "trust": "UTINYINT", "tuple_key": "UBIGINT", "protocol": "UTINYINT", "host_port": "USMALLINT",
    "peer_port": "USMALLINT", "length": "UINTEGER"
  }]')) AS report
)
