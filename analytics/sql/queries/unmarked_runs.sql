-- What hosts sent without a mark after their last one in a capture, in the day that ends at $as_of (microseconds). Times are
-- seconds.
SELECT
  host_id, packets,
  epoch_us(first_unmarked) / 1e6 AS first_unmarked,
  epoch_us(least(last_unmarked, make_timestamp($as_of::BIGINT))) / 1e6 AS last_unmarked
FROM unmarked_run
WHERE first_unmarked <= make_timestamp($as_of::BIGINT)
  AND last_unmarked >= make_timestamp($as_of::BIGINT) - INTERVAL 24 HOUR
ORDER BY host_id, first_unmarked;
