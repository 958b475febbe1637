"""What `op.replace_enum` refuses: by one clear error, with nothing changed."""

from __future__ import annotations

import pytest

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.objects.enum.rebuild_refusal import (
    DependantsInTheWay,
    LabelInDefinition,
    LabelsInUse,
    NotTheOwner,
    RowsHidden,
)
from pgmigrations.migrate.objects.enum.replace import ReplaceEnum
from tests.migrate.objects.enum.rebuilding import (
    NEW,
    OLD,
    TYPE,
    connection,
    execute,
    labels,
    replace,
    replace_on,
    rows,
    state,
)

JOB = "CREATE TABLE job (id int, a status, n int)"
FUNCTION = "CREATE FUNCTION react() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"

IN_THE_WAY: dict[str, tuple[list[str], str]] = {
    "view": (["CREATE VIEW v AS SELECT id, a::text FROM job"], "view v"),
    "view that names the type": (["CREATE VIEW v AS SELECT 'done'::status AS a"], "view v"),
    "materialized view": (
        ["CREATE MATERIALIZED VIEW m AS SELECT a FROM job"],
        "materialized view m",
    ),
    "argument of a function": (
        ["CREATE FUNCTION f(status) RETURNS int LANGUAGE sql AS 'SELECT 1'"],
        "function f(status)",
    ),
    "body of a function": (
        [
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC"
            " SELECT count(*) FROM job WHERE a = 'done'; END"
        ],
        "function f()",
    ),
    "trigger": (
        [FUNCTION, "CREATE TRIGGER t AFTER UPDATE OF a ON job EXECUTE FUNCTION react()"],
        "trigger t on table job",
    ),
    "condition of a trigger": (
        [
            FUNCTION,
            "CREATE TRIGGER t AFTER INSERT ON job FOR EACH ROW WHEN (NEW.a = 'done')"
            " EXECUTE FUNCTION react()",
        ],
        "trigger t on table job",
    ),
    "policy": (["CREATE POLICY p ON job USING (a = 'done')"], "policy p on table job"),
    "domain": (["CREATE DOMAIN d AS status"], "type d"),
    "composite type": (["CREATE TYPE c AS (a status)"], "composite type c"),
    "range type": (["CREATE TYPE r AS RANGE (subtype = status)"], "type r"),
    "column of a table's row type": (
        ["CREATE TABLE log (was job)"],
        "column was of table log, of the row type of job",
    ),
    "partition key": (
        ["CREATE TABLE p (a status) PARTITION BY LIST (a)"],
        "partition key of table p",
    ),
    "expression of a partition key": (
        ["CREATE TABLE p (a status, n int) PARTITION BY LIST ((a = 'done'))"],
        "partition key of table p",
    ),
    "two parents": (
        ["CREATE TABLE o (a status)", "CREATE TABLE c () INHERITS (job, o)"],
        "column a of table c, inherited from several tables",
    ),
    "foreign table": (
        [
            "CREATE FOREIGN DATA WRAPPER w",
            "CREATE SERVER s FOREIGN DATA WRAPPER w",
            "CREATE FOREIGN TABLE f (a status) SERVER s",
        ],
        "foreign table f",
    ),
    "publication": (
        [],
        "publication of table job in publication p",
    ),
    "generated column that a child has by itself": (
        [
            "ALTER TABLE job ADD g boolean GENERATED ALWAYS AS (a = 'done') STORED",
            "CREATE TABLE c (g boolean) INHERITS (job)",
        ],
        "generated column g of table c, which it has not only from its parent",
    ),
    "several": (
        ["CREATE VIEW v AS SELECT a FROM job", "CREATE DOMAIN d AS status[]"],
        "type d, view v",
    ),
}


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_what_is_in_the_way_is_named(database_url: str, case: str, server_version: int) -> None:
    statements, named = IN_THE_WAY[case]
    if case == "publication":
        if server_version < 150000:
            pytest.skip("PostgreSQL 14 has no column lists of publications")
        statements = ["CREATE PUBLICATION p FOR TABLE job (id, a)"]
    execute(database_url, TYPE, JOB, *statements)
    before = state(database_url)
    with pytest.raises(DependantsInTheWay) as refusal:
        replace(database_url)
    assert refusal.value.dependants == named
    assert "enum status" in str(refusal.value)
    assert state(database_url) == before


def test_rows_that_hold_a_label_are_counted_for_each_column(database_url: str) -> None:
    execute(
        database_url,
        TYPE,
        "CREATE SCHEMA other",
        "CREATE TABLE job (a status, tags status[])",
        'CREATE TABLE other."it\'s %s" (a status, "b\'%s" status)',
        "CREATE TABLE p (id int, a status) PARTITION BY LIST (id)",
        "CREATE TABLE p_1 PARTITION OF p DEFAULT",
        "INSERT INTO job VALUES ('broken', '{broken,broken}'), ('broken', '{done}'),"
        " ('done', '{{done,done},{pending,broken}}'), (NULL, NULL)",
        "INSERT INTO other.\"it's %s\" VALUES ('done', 'broken'), ('pending', 'broken')",
        "INSERT INTO p VALUES (1, 'broken')",
    )
    before = state(database_url)
    with pytest.raises(LabelsInUse) as refusal:
        replace(database_url)
    assert refusal.value.counts == (
        "2 row(s) of job.a hold 'broken', 2 row(s) of job.tags hold 'broken',"
        " 2 row(s) of other.\"it's %s\".\"b'%s\" hold 'broken', 1 row(s) of p.a hold 'broken'"
    )
    assert state(database_url) == before
    with pytest.raises(LabelsInUse, match=r"1 row\(s\) of job.a hold 'done'"):
        replace(database_url, new=["pending"], replace={"broken": "pending"})


def test_rows_are_counted_in_one_pass_over_each_table(database_url: str) -> None:
    execute(
        database_url,
        TYPE,
        "CREATE TABLE job (a status, b status, c status[])",
        "INSERT INTO job SELECT 'done', 'pending', '{done}' FROM generate_series(1, 100)",
    )
    scans = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'job'"
    # One to count, one to rewrite.
    with connection(database_url) as connected:
        replace_on(connected, ReplaceEnum("status", OLD, NEW))
        assert connected.exec_driver_sql(scans).scalar_one() <= 2


@pytest.mark.parametrize(
    ("definition", "named"),
    [
        ("ALTER TABLE job ALTER a SET DEFAULT 'broken'", "default value for column a of table"),
        ("ALTER TABLE job ADD b status[] DEFAULT '{broken}'", "column b of table public.job"),
        ("ALTER TABLE job ADD CONSTRAINT c CHECK (a <> 'broken')", "constraint c on table"),
        ("CREATE INDEX i ON job (id) WHERE a = 'broken'", "index public.i"),
        ("ALTER TABLE job ADD g boolean GENERATED ALWAYS AS (a = 'broken') STORED", "column g of"),
    ],
)
def test_a_definition_that_says_the_label_is_named(
    database_url: str, definition: str, named: str
) -> None:
    execute(database_url, TYPE, JOB, "INSERT INTO job VALUES (1, 'done')", definition)
    if "DEFAULT '{broken}'" in definition:
        execute(database_url, "UPDATE job SET b = NULL")
    before = state(database_url)
    with pytest.raises(LabelInDefinition) as refusal:
        replace(database_url)
    assert named.replace("default value for ", "") in refusal.value.definition
    assert '"broken"' in refusal.value.definition
    assert state(database_url) == before


def test_a_temporary_table_of_another_session_is_named(database_url: str) -> None:
    execute(database_url, TYPE)
    with connection(database_url) as other:
        other.exec_driver_sql("CREATE TEMP TABLE t (a status)")
        other.commit()
        with pytest.raises(DependantsInTheWay, match=r"t, temporary in another session"):
            replace(database_url)
    assert labels(database_url) == list(OLD)


@pytest.fixture
def role(database_url: str) -> str:
    """A role that goes with the transaction that makes it."""
    return "pgm_" + database_url.rsplit("/", 1)[1].split("?")[0]


def test_a_role_that_owns_not_everything_is_told_what(database_url: str, role: str) -> None:
    execute(database_url, TYPE, JOB, "CREATE TABLE log (a status)")
    before = state(database_url)
    become = [f'CREATE ROLE "{role}"', f'ALTER TABLE log OWNER TO "{role}"', f'SET ROLE "{role}"']
    with pytest.raises(NotTheOwner) as refusal:
        replace(database_url, before=become)
    assert refusal.value.objects == "enum public.status, table job"
    assert state(database_url) == before


def test_an_owner_who_is_no_superuser_may(database_url: str, role: str) -> None:
    become = [
        f'CREATE ROLE "{role}"',
        f'CREATE SCHEMA mine AUTHORIZATION "{role}"',
        f'SET ROLE "{role}"',
        "SET search_path = mine",
        TYPE,
        "CREATE TABLE job (a status DEFAULT 'done' PRIMARY KEY)",
        "INSERT INTO job DEFAULT VALUES",
    ]
    try:
        replace(database_url, before=become)
        assert labels(database_url, schema="mine") == ["done", "pending"]
        assert rows(database_url, "SELECT a::text FROM mine.job") == [("done",)]
    finally:
        execute(database_url, f'DROP OWNED BY "{role}"', f'DROP ROLE "{role}"')


def test_rows_that_row_level_security_hides_are_no_surprise(database_url: str, role: str) -> None:
    execute(database_url, TYPE, JOB, "INSERT INTO job VALUES (1, 'broken')")
    become = [
        f'CREATE ROLE "{role}"',
        f'GRANT ALL ON SCHEMA public TO "{role}"',
        f'ALTER TABLE job OWNER TO "{role}"',
        f'ALTER TYPE status OWNER TO "{role}"',
        "ALTER TABLE job ENABLE ROW LEVEL SECURITY",
        f'SET ROLE "{role}"',
    ]
    with pytest.raises(LabelsInUse):
        replace(database_url, before=become)
    with pytest.raises(RowsHidden) as refusal:
        replace(database_url, before=[*become, "ALTER TABLE job FORCE ROW LEVEL SECURITY"])
    assert refusal.value.tables == "job"


def test_every_refusal_is_one_line_of_ours(database_url: str) -> None:
    execute(database_url, TYPE, JOB, "INSERT INTO job VALUES (1, 'broken')")
    with pytest.raises(PgMigrationsError) as refusal:
        replace(database_url)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("enum status cannot lose labels that rows hold: 1 row(s)")
