INSERT INTO saved_view (name, address, who, saved_at) VALUES ($name, $address, $who, make_timestamp($now::BIGINT));
