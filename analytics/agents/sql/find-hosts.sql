-- Which of these addresses, a JSON list, are known?
SELECT address, host_id FROM host
WHERE address IN (SELECT unnest(from_json($addresses::JSON, '["VARCHAR"]')))
