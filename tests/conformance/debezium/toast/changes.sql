INSERT INTO toasted VALUES (1, 0, repeat('p', 2050), repeat('r', 2050), repeat('d', 2050),
    repeat('b', 2050), repeat('w', 2050)::bytea, ('"' || repeat('j', 2050) || '"')::json,
    ('"' || repeat('k', 2050) || '"')::jsonb, repeat('9', 4200)::numeric);
INSERT INTO toasted_whole SELECT id, touched, plain, 'short', NULL, NULL, NULL, NULL, NULL, 1.5
    FROM toasted;
INSERT INTO toasted_array VALUES (1, 0,
    ARRAY[repeat('t', 2050)], array_fill(7, ARRAY[530]), array_fill(8::bigint, ARRAY[265]),
    array_fill('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, ARRAY[130]));
UPDATE toasted SET touched = 1;
UPDATE toasted SET plain = 'now short';
UPDATE toasted SET id = 2;
UPDATE toasted_whole SET touched = 1;
UPDATE toasted_array SET touched = 1;
DELETE FROM toasted;
DELETE FROM toasted_whole;
