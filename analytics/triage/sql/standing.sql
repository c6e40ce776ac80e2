SELECT address, state, decided_state, epoch_us(decided_at) / 1e6 AS decided_at, who, note, change_id
FROM triage
WHERE $address::VARCHAR IS NULL OR address = $address;
