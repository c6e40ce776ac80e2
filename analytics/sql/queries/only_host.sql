-- Names the one host that the next ranking is asked for; none if there is no address, or nothing is known of it.
SET VARIABLE only_host = (SELECT host_id FROM host WHERE address = $address);
