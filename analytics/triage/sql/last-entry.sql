SELECT coalesce(max(entry_id), 0) AS last FROM triage_entry;
