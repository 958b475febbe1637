"""A room per kind of database object; `pgmigrations.migrate.kinds` lists them."""
