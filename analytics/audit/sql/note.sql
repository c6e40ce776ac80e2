INSERT INTO audit_entry
SELECT coalesce(max(entry_id), 0) + 1, make_timestamp($now::BIGINT), $who, $role, $action, $subject FROM audit_entry;
