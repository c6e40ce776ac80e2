INSERT INTO capture_file
VALUES ($capture_id, $path, $octets, $modified_ns, $sample, make_timestamp($noted_at::BIGINT))
