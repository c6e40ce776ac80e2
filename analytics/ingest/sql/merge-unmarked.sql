-- Which flagged hosts went on without a mark?
INSERT INTO unmarked_run (host_id, capture_id, first_unmarked, last_unmarked, packets)
SELECT host_id, getvariable('capture_id'), first_unmarked, last_unmarked, packets
FROM staged_unmarked JOIN host_of USING (local_host);
