-- The same values once more, this time by way of the WAL.
INSERT INTO number
    (small, medium, big, single, twice, price, whole, tiny, wide, free, flag)
SELECT small, medium, big, single, twice, price, whole, tiny, wide, free, flag
FROM number ORDER BY id;
INSERT INTO floating SELECT id + 100, single, twice FROM floating ORDER BY id;
INSERT INTO string
SELECT ('10' || substr(id::text, 3))::uuid, plain, bounded, unbounded, padded, one, raw, document,
       binary_document, other
FROM string ORDER BY id;
SELECT moments(100);
DELETE FROM string WHERE id = '00000000-0000-0000-0000-000000000001';
DELETE FROM moment WHERE id = 4;
DELETE FROM number WHERE id = 6;
