-- The code book that was loaded last: names and severities behind the codes of detections, so that the ranking can be
-- asked for at the duckdb shell too. A code that is not here ranks with severity medium and a half-life of 6 hours.
CREATE TABLE category_code (
  category UTINYINT PRIMARY KEY,
  title VARCHAR NOT NULL,
  half_life_hours DOUBLE NOT NULL     -- a detection counts half after this time unseen
);

CREATE TABLE activity_code (
  category UTINYINT NOT NULL,
  activity UTINYINT NOT NULL,
  title VARCHAR NOT NULL,
  severity VARCHAR NOT NULL,          -- info | low | medium | high | critical
  attack VARCHAR,                     -- MITRE ATT&CK technique
  PRIMARY KEY (category, activity)
);

-- s of the ranking, and the order of severities.
CREATE TABLE severity (severity VARCHAR PRIMARY KEY, rank UTINYINT NOT NULL, weight DOUBLE NOT NULL);
INSERT INTO severity VALUES ('info', 0, 0.05), ('low', 1, 0.2), ('medium', 2, 0.5), ('high', 3, 0.8), ('critical', 4, 0.95);
