-- Once more by way of the WAL, which Debezium decodes along another path.
INSERT INTO mode
SELECT id + 10, price, whole, free, cost, day, clock, clock_3, clock_0, local, local_3, local_0,
       zoned, zoned_3, raw
FROM mode WHERE id = 3;
