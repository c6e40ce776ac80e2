-- Was this content ingested before?
SELECT capture_id, name FROM capture WHERE content_id = $content_id
