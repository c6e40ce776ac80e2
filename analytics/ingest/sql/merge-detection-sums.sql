-- What was seen of detections (detected_sum: detection_id, trust, first_seen, last_seen, packets; a row each) goes into the
-- sums over all times: to the row that is there, or as a new one.
MERGE INTO detection_sum
USING detected_sum AS added
ON detection_sum.detection_id = added.detection_id AND detection_sum.trust = added.trust
WHEN MATCHED THEN UPDATE SET
  first_seen = least(detection_sum.first_seen, added.first_seen),
  last_seen = greatest(detection_sum.last_seen, added.last_seen),
  packets = detection_sum.packets + added.packets
WHEN NOT MATCHED THEN INSERT;
