INSERT INTO infinite SELECT id + 10, free, other FROM infinite ORDER BY id;
INSERT INTO negative_scale VALUES (2, 1200);
