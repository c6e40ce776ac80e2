-- The ranking (docs/explanation/ranking.md) at a time: SELECT * FROM ranking(TIMESTAMP '2026-03-17 18:00:00'). One row a host that
-- has any detection; score is null where none of them counts. ranked_detection has the detections of the same time.
CREATE OR REPLACE MACRO ranking(as_of, one_host := NULL) AS TABLE
WITH judged_detection AS (
  FROM ranked_detection(as_of, one_host := one_host)
)
FROM ranked_host(as_of, 'judged_detection', one_host := one_host);
