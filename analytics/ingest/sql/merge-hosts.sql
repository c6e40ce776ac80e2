-- Which hosts are new, and which id has each?
INSERT INTO host
SELECT getvariable('last_host') + row_number() OVER (ORDER BY local_host), address
FROM staged_host
WHERE NOT EXISTS (FROM host WHERE host.address = staged_host.address);

CREATE TEMP TABLE host_of AS SELECT local_host, host_id FROM staged_host JOIN host USING (address);
