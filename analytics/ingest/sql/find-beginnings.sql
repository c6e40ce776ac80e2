-- What may be the beginning of the capture that is being read?
SELECT packets, stream_id, capture_id, state
FROM capture WHERE stream_id IS NOT NULL AND packets > 0 ORDER BY packets
