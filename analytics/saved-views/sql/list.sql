SELECT name, address, who, epoch_us(saved_at) / 1e6 AS saved_at FROM saved_view ORDER BY lower(name), name;
