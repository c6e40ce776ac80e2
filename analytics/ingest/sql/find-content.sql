-- Was this content ingested before, and what were its tags worth then?
SELECT capture_id, name, coalesce(verified_tags, 0) AS verified_tags, unchecked_tags
FROM capture WHERE content_id = $content_id
