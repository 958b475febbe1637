"""What hangs on an enumerated type inside of tables is the same after `op.replace_enum`."""

from __future__ import annotations

import pytest

from tests.migrate.objects.enum.dependants import DEPENDANTS
from tests.migrate.objects.enum.rebuilding import NEW, OLD, TYPE, execute, labels, replace, state


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
