INSERT INTO empty VALUES (1, 'no longer');
INSERT INTO one VALUES (2, 'two');
