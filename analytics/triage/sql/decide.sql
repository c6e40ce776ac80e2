-- $addresses: a list; each address once.
INSERT INTO triage_entry
SELECT
  $last::UBIGINT + row_number() OVER (),
  $last::UBIGINT + 1,
  host_id,
  $state,
  make_timestamp($now::BIGINT),
  $who,
  $note,
  NULL,
  (SELECT coalesce(max(detection_id), 0) FROM detection)
FROM host
WHERE list_contains($addresses, address);
