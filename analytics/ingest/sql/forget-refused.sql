-- A capture that comes again has its last outcome only.
DELETE FROM refused_capture WHERE name = $name
