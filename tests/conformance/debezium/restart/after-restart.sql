UPDATE users SET name = 'after the restart' WHERE id = 1;
