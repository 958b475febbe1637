"""What a changed table brings or leaves behind, where the rest of the models is remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, String, Table, event, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.engine import Engine
from sqlalchemy.types import UserDefinedType

from tests.support.project import Project
from tests.support.script import run_script

OTHERS = 8


class ByHand(UserDefinedType[Any]):
    """A type that a statement by hand has made."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "by_hand"


def models(*changes: Callable[[MetaData], None]) -> MetaData:
    metadata = MetaData()
    for name in ("first", "second", *(f"other_{number}" for number in range(OTHERS))):
        Table(
            name,
            metadata,
            Column("id", Integer, primary_key=True),
            Column("name", String(50)),
            Column("n", Integer),
        )
    for change in changes:
        change(metadata)
    return metadata


def excluding(where: str | None) -> Callable[[MetaData], None]:
    def change(metadata: MetaData) -> None:
        name = metadata.tables["first"].c.name
        condition = text(where) if where is not None else None
        name.table.append_constraint(
            ExcludeConstraint((name, "="), name="no_two", using="gist", where=condition)
        )

    return change


def searched(table: str) -> Callable[[MetaData], None]:
    def change(metadata: MetaData) -> None:
        Index(
            f"ix_{table}",
            metadata.tables[table].c.name,
            postgresql_using="gin",
            postgresql_ops={"name": "gin_trgm_ops"},
        )

    return change


def of_a_type_by_hand(table: str) -> Callable[[MetaData], None]:
    return lambda metadata: metadata.tables[table].append_column(Column("made", ByHand()))


def numbered_by_hand(table: str) -> Callable[[MetaData], None]:
    default = text("nextval('by_hand')")
    return lambda metadata: metadata.tables[table].append_column(
        Column("number", Integer, server_default=default)
    )


@contextmanager
def only_a_part_is_made() -> Iterator[None]:
    """Fail where a table is made that has not changed and that no changed one speaks of."""

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        assert f"CREATE TABLE other_{OTHERS - 1} " not in statement

    event.listen(Engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", look)


@pytest.fixture
def project(tmp_path: Path, database_url: str) -> Project:
    cache = str(tmp_path / "cache")
    return Project(tmp_path / "project", database_url, settings={"cache": cache})


def expect_exact(project: Project, path: Path, metadata: MetaData) -> str:
    """Migrate to models by what is remembered, and compare by what is not; give the revision."""
    with only_a_part_is_made():
        assert not project.models(metadata).check()
    revision = project.autogenerate()
    assert revision is not None
    project.upgrade()
    assert project.check()
    forgetful = Project(path, project.url, settings={"cache": "off"})
    for one in project.revisions():
        (forgetful.versions / one.name).write_text(one.read_text())
    assert forgetful.models(metadata).check()
    return revision.read_text().partition("def downgrade")[0]


@pytest.mark.needs_extension("btree_gist")
def test_an_extension_comes_and_goes_with_the_one_table_that_uses_it(
    project: Project, tmp_path: Path
) -> None:
    project.models(models()).autogenerate()
    project.upgrade()
    assert project.check()
    made = expect_exact(project, tmp_path / "made", models(excluding(None)))
    assert "op.create_extension('btree_gist')" in made
    altered = expect_exact(project, tmp_path / "altered", models(excluding("n > 0")))
    assert "_extension(" not in altered
    dropped = expect_exact(project, tmp_path / "dropped", models())
    assert "op.drop_extension('btree_gist')" in dropped


@pytest.mark.needs_extension("btree_gist")
def test_an_extension_that_is_used_again_is_not_dropped(project: Project, tmp_path: Path) -> None:
    """What is remembered of this database is of models that do without it."""
    project.models(models(excluding(None))).autogenerate()
    project.upgrade()
    assert not project.models(models()).check()
    altered = expect_exact(project, tmp_path / "altered", models(excluding("n > 0")))
    assert "_extension(" not in altered


@pytest.mark.needs_extension("pg_trgm")
def test_an_extension_stays_until_its_last_table_has_gone_without(
    project: Project, tmp_path: Path
) -> None:
    project.models(models(searched("first"), searched("second"))).autogenerate()
    project.upgrade()
    assert project.check()
    one = expect_exact(project, tmp_path / "one", models(searched("second")))
    assert "_extension(" not in one
    none = expect_exact(project, tmp_path / "none", models())
    assert "op.drop_extension('pg_trgm')" in none


@pytest.mark.needs_extension("pg_trgm")
def test_an_extension_that_no_revision_has_made_yet_stays_wanted(
    project: Project, tmp_path: Path
) -> None:
    project.models(models()).autogenerate()
    project.upgrade()
    assert not project.models(models(searched("first"))).check()

    def added(metadata: MetaData) -> None:
        metadata.tables["second"].append_column(Column("added", Integer))

    made = expect_exact(project, tmp_path / "made", models(searched("first"), added))
    assert "op.create_extension('pg_trgm')" in made


@pytest.mark.parametrize(
    ("made", "use", "drop"),
    [
        ("CREATE TYPE by_hand AS ENUM ('a')", of_a_type_by_hand, "op.drop_enum('by_hand')"),
        ("CREATE DOMAIN by_hand AS integer", of_a_type_by_hand, "op.drop_domain('by_hand')"),
        ("CREATE SEQUENCE by_hand", numbered_by_hand, "op.drop_sequence('by_hand')"),
    ],
    ids=["enum", "domain", "sequence"],
)
def test_what_is_made_by_hand_is_wanted_while_a_table_uses_it(
    project: Project,
    tmp_path: Path,
    made: str,
    use: Callable[[str], Callable[[MetaData], None]],
    drop: str,
) -> None:
    project.models(models()).autogenerate()
    project.upgrade()
    run_script(project.url, made)
    assert not project.check()
    first = expect_exact(project, tmp_path / "first", models(use("first")))
    both = expect_exact(project, tmp_path / "both", models(use("first"), use("second")))
    one = expect_exact(project, tmp_path / "one", models(use("second")))
    assert not any("by_hand" in line for line in (one + both).splitlines() if "drop" in line)
    assert "op.drop_" not in first
    assert drop in expect_exact(project, tmp_path / "none", models())
