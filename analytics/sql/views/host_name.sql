-- What each address is called: by the operator if he says so, else by the captures (the first name in the alphabet, so
-- that the order of captures does not matter).
CREATE OR REPLACE VIEW host_name AS
SELECT address, coalesce(asset.name, captured.name) AS name
FROM (SELECT address, min(name) AS name FROM captured_name GROUP BY address) AS captured
FULL JOIN asset USING (address)
WHERE coalesce(asset.name, captured.name) IS NOT NULL;
