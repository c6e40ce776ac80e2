SELECT unnest($addresses) AS address EXCEPT SELECT address FROM host ORDER BY ALL LIMIT 1;
