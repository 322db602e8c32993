SELECT to_regclass('users') IS NOT NULL;
