-- The ranking as of the newest packet that can be believed, for people at the duckdb shell:
-- SELECT address, score, band FROM ranking_now ORDER BY score DESC NULLS LAST;
CREATE OR REPLACE VIEW ranking_now AS
SELECT *
FROM ranking((SELECT max(last_packet) FROM capture WHERE last_packet <= ingested_at + INTERVAL 300 SECOND));
