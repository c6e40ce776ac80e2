-- Which peers did flagged hosts reach for the first time, or earlier than was known? Contacts are in the table contact.
CREATE OR REPLACE TEMP TABLE known_contact AS
SELECT contact.*, pair.first_contact AS known_since
FROM contact LEFT JOIN pair USING (host_id, peer_id);

CREATE OR REPLACE TEMP TABLE peer_change AS
SELECT host_id, date_trunc('minute', known_since) AS minute, -count(*) AS peers
FROM known_contact WHERE first_contact < known_since GROUP BY ALL
UNION ALL
SELECT host_id, date_trunc('minute', first_contact), count(*)
FROM known_contact WHERE known_since IS NULL OR first_contact < known_since GROUP BY ALL;

INSERT INTO peer_minute SELECT host_id, minute, peers FROM peer_change;

INSERT INTO peer_hour
SELECT host_id, date_trunc('hour', minute) AS hour, sum(peers) AS peers FROM peer_change GROUP BY ALL HAVING sum(peers) <> 0;

INSERT INTO peer_day
SELECT host_id, date_trunc('day', minute) AS day, sum(peers) AS peers FROM peer_change GROUP BY ALL HAVING sum(peers) <> 0;

UPDATE pair SET first_contact = known_contact.first_contact
FROM known_contact
WHERE pair.host_id = known_contact.host_id AND pair.peer_id = known_contact.peer_id
  AND known_contact.first_contact < known_contact.known_since;

INSERT INTO pair SELECT host_id, peer_id, first_contact FROM known_contact WHERE known_since IS NULL;
