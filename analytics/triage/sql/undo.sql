-- Each host of the change that nobody decided about since stands again as it did before.
INSERT INTO triage_entry
SELECT
  $last::UBIGINT + row_number() OVER (),
  $last::UBIGINT + 1,
  host_id,
  coalesce(before.entry.state, 'new'),
  make_timestamp($now::BIGINT),
  $who,
  before.entry.note,
  $change::UBIGINT,
  coalesce(before.entry.known_detection, 0)
FROM triage_entry AS undone
LEFT JOIN (
  SELECT host_id, max_by(triage_entry, entry_id) AS entry
  FROM triage_entry
  WHERE entry_id < $change::UBIGINT
  GROUP BY host_id
) AS before USING (host_id)
WHERE undone.change_id = $change::UBIGINT
  AND NOT EXISTS (
    FROM triage_entry AS later
    WHERE later.host_id = undone.host_id AND later.entry_id > undone.entry_id
  );
