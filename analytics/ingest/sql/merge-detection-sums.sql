-- What was seen of detections (detected_sum: detection_id, trust, first_seen, last_seen, packets; a row each) goes into the
-- sums over all times: to the row that is there, or as a new one.
CREATE OR REPLACE TEMP TABLE known_sum AS
SELECT detection_id, trust
FROM detection_sum
SEMI JOIN detected_sum USING (detection_id, trust)
-- A capture says which detections were there before it: none of its new ones has to be looked for.
WHERE detection_id <= coalesce(getvariable('known_detections'), 4294967295);

UPDATE detection_sum
SET
  first_seen = least(detection_sum.first_seen, added.first_seen),
  last_seen = greatest(detection_sum.last_seen, added.last_seen),
  packets = detection_sum.packets + added.packets
FROM (FROM detected_sum SEMI JOIN known_sum USING (detection_id, trust)) AS added
WHERE detection_sum.detection_id = added.detection_id AND detection_sum.trust = added.trust;

INSERT INTO detection_sum FROM detected_sum ANTI JOIN known_sum USING (detection_id, trust);
