"""What can hang on an enumerated type inside of tables, each as the statements that make it.

The type is `status` of `rebuilding.TYPE`; `broken` is the label that goes.
"""

from __future__ import annotations

DEPENDANTS: dict[str, tuple[str, ...]] = {
    "columns and arrays": (
        "CREATE TABLE job (id int PRIMARY KEY, a status, b status NOT NULL, tags status[])",
        "INSERT INTO job VALUES (1, 'done', 'pending', '{{done,NULL},{pending,done}}'),"
        " (2, NULL, 'done', '{}'), (3, 'pending', 'done', NULL), (4, 'done', 'done', '[5:6]={done,"
        "pending}')",
    ),
    "several tables and schemas": (
        "CREATE SCHEMA other",
        "CREATE TABLE job (id int PRIMARY KEY, a status)",
        "CREATE TABLE other.job (id int PRIMARY KEY, a status)",
        "CREATE UNLOGGED TABLE other.fast (a status[])",
        "INSERT INTO job VALUES (1, 'done')",
        "INSERT INTO other.job VALUES (2, 'pending')",
    ),
    "defaults": (
        "CREATE TABLE job (a status DEFAULT 'done', b status[] DEFAULT '{done,pending}',"
        " c status[] DEFAULT ARRAY['done'::status], d text DEFAULT 'done'::status::text,"
        " e int DEFAULT CASE WHEN 'done'::status < 'pending' THEN 1 ELSE 1 END,"
        " f status DEFAULT CASE WHEN random() < 2 THEN 'done'::status END)",
        "INSERT INTO job DEFAULT VALUES",
    ),
    "checks": (
        "CREATE TABLE job (a status, b status, n int,"
        " CONSTRAINT plain CHECK (a <> 'pending'), CONSTRAINT in_list CHECK (a IN ('done',"
        " 'pending')), CONSTRAINT as_text CHECK (a::text = 'done'),"
        " CONSTRAINT alone CHECK (a <> 'pending') NO INHERIT, CHECK (a >= b OR n > 0),"
        ' CONSTRAINT "o\'dd %s"" name" CHECK (n <> 3 OR a = \'done\'), CHECK (a IS NOT NULL))',
        "INSERT INTO job VALUES ('done', 'done', 1)",
        "ALTER TABLE job ADD CONSTRAINT later CHECK (a = 'pending') NOT VALID",
        "COMMENT ON CONSTRAINT plain ON job IS 'it''s \\ 100 % :x $pgm$'",
        "COMMENT ON CONSTRAINT later ON job IS 'later'",
    ),
    "keys": (
        "CREATE TABLE job (id int, a status, b status, n int,"
        " CONSTRAINT pk PRIMARY KEY (a, id) INCLUDE (n) WITH (fillfactor = 70),"
        " CONSTRAINT uq UNIQUE (b, id) DEFERRABLE INITIALLY DEFERRED, UNIQUE (n))",
        "COMMENT ON CONSTRAINT pk ON job IS 'key'",
        "COMMENT ON INDEX pk IS 'index of the key'",
        "ALTER TABLE job CLUSTER ON pk",
        "INSERT INTO job VALUES (1, 'done', 'pending', 2)",
    ),
    "a key that is nothing but the type": (
        "CREATE TABLE kind (a status PRIMARY KEY)",
        "INSERT INTO kind VALUES ('done'), ('pending')",
    ),
    "foreign keys": (
        "CREATE TABLE kind (a status PRIMARY KEY, b status, n int, UNIQUE (b, n))",
        "INSERT INTO kind VALUES ('done', 'pending', 1), ('pending', 'done', 2)",
        "CREATE TABLE job (id int PRIMARY KEY, a status REFERENCES kind ON DELETE CASCADE,"
        " b status, n int, parent status UNIQUE,"
        " CONSTRAINT pair FOREIGN KEY (b, n) REFERENCES kind (b, n) MATCH FULL ON UPDATE SET NULL"
        " DEFERRABLE INITIALLY DEFERRED,"
        " CONSTRAINT self FOREIGN KEY (a) REFERENCES job (parent))",
        "COMMENT ON CONSTRAINT pair ON job IS 'pair'",
        "ALTER TABLE job ADD CONSTRAINT unproven FOREIGN KEY (parent) REFERENCES kind NOT VALID",
        "INSERT INTO job VALUES (1, 'done', 'pending', 1, 'done')",
    ),
    "exclusion constraints": (
        "CREATE TABLE job (a status, b status, n int,"
        " CONSTRAINT ex EXCLUDE USING btree (a WITH =),"
        " CONSTRAINT partial EXCLUDE USING hash (b WITH =) WHERE (b <> 'done'),"
        " CONSTRAINT later EXCLUDE USING btree (n WITH =) WHERE (a = 'done') DEFERRABLE)",
        "COMMENT ON CONSTRAINT partial ON job IS 'partial'",
        "INSERT INTO job VALUES ('done', 'done', 1), ('pending', 'done', 2)",
    ),
    "indexes": (
        "CREATE TABLE job (id int NOT NULL, a status NOT NULL, tags status[], n int)",
        "CREATE INDEX plain ON job (a DESC NULLS LAST)",
        "CREATE INDEX many ON job (id, a enum_ops, n) INCLUDE (tags) WITH (fillfactor = 60)",
        "CREATE INDEX partial ON job (id) WHERE a = 'done' AND n > 1",
        "CREATE UNIQUE INDEX expression ON job ((a = 'done'), (coalesce(a, 'pending')), id)",
        "CREATE INDEX over_array ON job USING gin (tags)",
        "CREATE INDEX hashed ON job USING hash (a)",
        "CREATE INDEX of_column ON job ((a IS NULL))",
        "CREATE UNIQUE INDEX identity ON job (a, id)",
        "CREATE INDEX untouched ON job (n)",
        "ALTER INDEX expression ALTER COLUMN 1 SET STATISTICS 77",
        "ALTER INDEX of_column ALTER COLUMN 1 SET STATISTICS 66",
        "COMMENT ON INDEX partial IS 'partial'",
        "COMMENT ON INDEX plain IS 'plain'",
        "ALTER TABLE job REPLICA IDENTITY USING INDEX identity",
        "ALTER TABLE job CLUSTER ON plain",
        "INSERT INTO job VALUES (1, 'done', '{done,pending}', 1), (2, 'pending', NULL, 2)",
    ),
    "partitioned tables": (
        "CREATE TABLE job (id int, a status DEFAULT 'done', CHECK (a <> 'pending'))"
        " PARTITION BY RANGE (id)",
        "CREATE TABLE job_1 PARTITION OF job FOR VALUES FROM (1) TO (10) PARTITION BY LIST (id)",
        "CREATE TABLE job_1_1 PARTITION OF job_1 (a DEFAULT 'pending') FOR VALUES IN (1)",
        "CREATE TABLE apart (a status, id int, CONSTRAINT own CHECK (a <> 'pending'),"
        " CONSTRAINT job_a_check CHECK (a <> 'pending'))",
        "CREATE INDEX apart_own ON apart (a) WHERE a = 'done'",
        "ALTER TABLE job ATTACH PARTITION apart FOR VALUES FROM (10) TO (20)",
        "CREATE INDEX partial ON job (a) WHERE a = 'done'",
        "CREATE INDEX plain ON job (a, id)",
        "COMMENT ON INDEX job_1_1_a_id_idx IS 'of a partition'",
        "ALTER TABLE job ADD PRIMARY KEY (id, a)",
        "CREATE TABLE note (job_id int, job_a status, FOREIGN KEY (job_id, job_a) REFERENCES job)",
        "CREATE INDEX only_here ON ONLY job (a) WHERE a <> 'done'",
        "INSERT INTO job VALUES (1, 'done'), (10, 'done')",
        "INSERT INTO note VALUES (1, 'done')",
    ),
    "inherited tables": (
        "CREATE TABLE base (a status DEFAULT 'done', tags status[], CONSTRAINT c CHECK (a <>"
        " 'pending'))",
        "CREATE TABLE derived (n int, a status DEFAULT 'pending', CONSTRAINT c CHECK (a <>"
        " 'pending'), CONSTRAINT d CHECK (a <> 'pending' OR n > 1)) INHERITS (base)",
        "CREATE TABLE leaf () INHERITS (derived)",
        "CREATE INDEX of_leaf ON leaf (a) WHERE a = 'done'",
        "INSERT INTO base VALUES ('done', '{}')",
        "INSERT INTO derived VALUES ('done', '{done}', 1)",
        "INSERT INTO leaf VALUES ('done', NULL, 2)",
    ),
    "a column inherited by two ways from one table": (
        "CREATE TABLE base (a status DEFAULT 'done', CONSTRAINT c CHECK (a <> 'pending'))",
        "CREATE TABLE one () INHERITS (base)",
        "CREATE TABLE two (a status DEFAULT 'done') INHERITS (base)",
        "CREATE TABLE child () INHERITS (one, two)",
        "INSERT INTO child VALUES ('done')",
    ),
    "generated columns": (
        "CREATE TABLE job (id int PRIMARY KEY, a status, n int,"
        " is_done boolean GENERATED ALWAYS AS (a = 'done') STORED NOT NULL,"
        " is_null boolean GENERATED ALWAYS AS (a IS NULL) STORED,"
        " kind status GENERATED ALWAYS AS (CASE WHEN n > 0 THEN 'done'::status END) STORED,"
        ' "na""me" text COLLATE "C" GENERATED ALWAYS AS (CASE WHEN a = \'done\' THEN \'x\' END)'
        " STORED,"
        " doubled int GENERATED ALWAYS AS (n * 2) STORED,"
        " UNIQUE (is_done, id), CHECK (is_null OR is_done OR n > 0))",
        "CREATE TABLE reader (done boolean, id int,"
        " FOREIGN KEY (done, id) REFERENCES job (is_done, id))",
        "CREATE INDEX of_kind ON job (kind, n) WHERE is_null IS FALSE",
        "CREATE STATISTICS about (ndistinct) ON is_done, n FROM job",
        "COMMENT ON COLUMN job.is_done IS 'done?'",
        "ALTER TABLE job ALTER is_done SET STATISTICS 55, ALTER is_done SET (n_distinct = 2)",
        'ALTER TABLE job ALTER "na""me" SET STORAGE EXTERNAL, ALTER "na""me" SET COMPRESSION pglz',
        "GRANT SELECT (is_done), UPDATE (kind) ON job TO PUBLIC",
        "GRANT SELECT (is_done) ON job TO pg_monitor WITH GRANT OPTION",
        "INSERT INTO job VALUES (1, 'done', 1), (2, 'pending', 2)",
        "INSERT INTO reader VALUES (true, 1)",
    ),
    "generated columns of partitioned tables": (
        "CREATE TABLE job (id int, a status, is_done boolean NOT NULL GENERATED ALWAYS AS"
        " (a = 'done') STORED) PARTITION BY RANGE (id)",
        "CREATE TABLE job_1 PARTITION OF job FOR VALUES FROM (1) TO (10)",
        "CREATE TABLE apart (id int, is_done boolean NOT NULL GENERATED ALWAYS AS"
        " (a = 'done') STORED, a status)",
        "ALTER TABLE job ATTACH PARTITION apart FOR VALUES FROM (10) TO (20)",
        "CREATE UNIQUE INDEX on_it ON job (is_done, id)",
        "ALTER TABLE job ADD PRIMARY KEY (id, is_done)",
        "COMMENT ON COLUMN job_1.is_done IS 'of the partition'",
        "INSERT INTO job VALUES (1, 'done'), (10, 'pending')",
    ),
    "extended statistics": (
        "CREATE SCHEMA other",
        "CREATE TABLE job (a status, n int, m int)",
        "CREATE STATISTICS other.plain (ndistinct, mcv) ON a, n FROM job",
        "CREATE STATISTICS expressions ON (a = 'done'), m FROM job",
        "COMMENT ON STATISTICS expressions IS 'expressions'",
        "ALTER STATISTICS expressions SET STATISTICS 44",
        "ALTER STATISTICS other.plain SET STATISTICS 33",
        "ALTER STATISTICS other.plain OWNER TO pg_monitor",
    ),
    "properties of columns": (
        "CREATE TABLE job (id int GENERATED BY DEFAULT AS IDENTITY (START 7), a status NOT NULL,"
        " n serial, tags status[])",
        "COMMENT ON COLUMN job.a IS 'state'",
        "ALTER TABLE job ALTER a SET STATISTICS 99, ALTER a SET (n_distinct = 2)",
        "ALTER TABLE job ALTER tags SET STORAGE EXTERNAL, ALTER tags SET COMPRESSION pglz",
        "GRANT SELECT (a), UPDATE (tags) ON job TO PUBLIC",
        "INSERT INTO job (a, tags) VALUES ('done', '{done}')",
    ),
    "what the type has": (
        "COMMENT ON TYPE status IS 'it''s \\ a type'",
        "ALTER TYPE status OWNER TO pg_monitor",
        "REVOKE ALL ON TYPE status FROM PUBLIC",
        "GRANT USAGE ON TYPE status TO pg_read_all_stats WITH GRANT OPTION",
    ),
    "a type whose owner may not use it": ("REVOKE ALL ON TYPE status FROM CURRENT_USER",),
    "default privileges": (
        "ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO pg_monitor",
        "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM PUBLIC",
    ),
    "tables with names that hurt": tuple(
        statement.replace("NAME", name)
        for name in (
            '"qu""o\'te"',
            '"100 % %s"',
            '"%I $pgm$ $count$"',
            '"Grün ☃ :x"',
            f'"{"ß" * 31}x"',
        )
        for statement in (
            "CREATE TABLE NAME (NAME status DEFAULT 'done' CHECK (NAME <> 'pending'),"
            " \"col ' %s\" status[], g boolean GENERATED ALWAYS AS (NAME = 'done') STORED)",
            "CREATE INDEX ON NAME (NAME) WHERE NAME = 'done'",
            "INSERT INTO NAME DEFAULT VALUES",
        )
    ),
}
