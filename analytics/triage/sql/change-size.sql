SELECT count(*) AS size FROM triage_entry WHERE change_id = $change::UBIGINT;
