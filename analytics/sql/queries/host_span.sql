-- First and last minute in which one host marked packets; gather_host_minutes.sql comes first.
SELECT epoch_us(min(minute)) / 1e6 AS first_minute, epoch_us(max(minute)) / 1e6 AS last_minute
FROM gathered_minute;
