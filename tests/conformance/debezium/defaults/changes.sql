UPDATE optional SET small = 8 WHERE id = 43;
DELETE FROM required WHERE id = 42;
DELETE FROM optional WHERE id = 42;
DELETE FROM without_default WHERE id = 1;
