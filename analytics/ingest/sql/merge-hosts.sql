-- Which hosts are new, and which id has each? A capture names each host once, so those that it brought itself are not asked.
CREATE OR REPLACE TEMP TABLE seen_host AS
SELECT local_host, staged_host.address, host_id
FROM staged_host LEFT JOIN (FROM host WHERE host_id <= getvariable('known_hosts')) AS known USING (address)
WHERE local_host >= getvariable('slice_from') AND local_host < getvariable('slice_to');

INSERT INTO host_of SELECT local_host, host_id FROM seen_host WHERE host_id IS NOT NULL;

CREATE OR REPLACE TEMP TABLE new_host AS
SELECT local_host, getvariable('last_host') + row_number() OVER () AS host_id, address
FROM seen_host WHERE host_id IS NULL;

INSERT INTO host_of SELECT local_host, host_id FROM new_host;

INSERT INTO host SELECT host_id, address FROM new_host;

SET VARIABLE last_host = (SELECT coalesce(max(host_id), 0) FROM host);
