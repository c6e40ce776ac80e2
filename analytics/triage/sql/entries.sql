SELECT
  change_id, address, host_name.name, state,
  epoch_us(decided_at) / 1e6 AS decided_at,
  who, note, undoes
FROM triage_entry
JOIN host USING (host_id)
LEFT JOIN host_name USING (address)
WHERE $address::VARCHAR IS NULL OR address = $address
ORDER BY entry_id DESC
LIMIT $limit;
