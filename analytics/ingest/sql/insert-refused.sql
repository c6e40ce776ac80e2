INSERT INTO refused_capture VALUES ($name, $reason, $reason_offset, make_timestamp($refused_at::BIGINT))
