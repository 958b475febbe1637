"""What hangs on an enumerated type inside of tables is the same after `op.replace_enum`."""

from __future__ import annotations

import pytest

from tests.migrate.objects.enum.dependants import DEPENDANTS
from tests.migrate.objects.enum.rebuilding import (
    NEW,
    OLD,
    TYPE,
    execute,
    execute_apart,
    labels,
    replace,
    rows,
    state,
)


@pytest.mark.parametrize("case", DEPENDANTS)
def test_everything_in_tables_is_the_same_there_and_back(database_url: str, case: str) -> None:
    execute(database_url, TYPE, *DEPENDANTS[case])
    before = state(database_url)
    replace(database_url)
    assert labels(database_url) == list(NEW)
    assert state(database_url) == before
    replace(database_url, NEW, OLD)
    assert labels(database_url) == list(OLD)
    assert state(database_url) == before


def test_tablespaces_of_indexes_and_keys_are_kept(database_url: str) -> None:
    name = "pgm_" + rows(database_url, "SELECT current_database()")[0][0]
    execute_apart(
        database_url,
        "SET allow_in_place_tablespaces = on",
        f"CREATE TABLESPACE {name} LOCATION ''",
    )
    try:
        execute(
            database_url,
            TYPE,
            "CREATE TABLE job (id int, a status DEFAULT 'done', PRIMARY KEY (id, a)"
            f" USING INDEX TABLESPACE {name}, UNIQUE (a)) TABLESPACE {name}",
            f"CREATE INDEX i ON job (id) TABLESPACE {name} WHERE a = 'done'",
            "CREATE TABLE part (id int, a status) PARTITION BY LIST (id)",
            f"CREATE TABLE part_1 PARTITION OF part DEFAULT TABLESPACE {name}",
            f"CREATE INDEX ON part (a) TABLESPACE {name}",
        )
        before = state(database_url)
        assert f"SET default_tablespace = {name}" in before
        replace(database_url)
        assert state(database_url) == before
    finally:
        execute(database_url, "DROP TABLE IF EXISTS job, part")
        execute_apart(database_url, f"DROP TABLESPACE {name}")
