INSERT INTO users VALUES (2, 'two');
INSERT INTO unseen VALUES (1);
