-- The newest packet that can be believed: of captures whose packets are not later than their ingestion by over 300 s.
SELECT epoch_us(max(last_packet)) / 1e6 AS newest
FROM capture
WHERE last_packet <= ingested_at + INTERVAL 300 SECOND;
