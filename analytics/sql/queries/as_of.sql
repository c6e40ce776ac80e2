-- What a ranking may hold for at $now (microseconds since 1970): when an agent reported last, if that was within the hour, and
-- the newest packet that can be believed, of captures whose packets are not later than their ingestion by over 300 s. If there are
-- none but others, a sensor's clock is ahead: its time holds, rather than that nothing was seen.
SELECT
  (
    SELECT epoch_us(max(time)) / 1e6
    FROM enforcement_event
    WHERE event_id IS NOT NULL
      AND time >= make_timestamp($now::BIGINT) - INTERVAL 1 HOUR
      AND time <= make_timestamp($now::BIGINT) + INTERVAL 300 SECOND
  ) AS live_report,
  (
    SELECT
      epoch_us(
        coalesce(max(last_packet) FILTER (WHERE last_packet <= ingested_at + INTERVAL 300 SECOND), max(last_packet))
      ) / 1e6
    FROM capture
  ) AS newest_packet;
