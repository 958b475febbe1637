"""Whole models through the whole way: from nothing, up, equal, copied, and down again."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import MetaData

from tests.applications.application import Application
from tests.applications.database import copy_by_dump, create_all, dump, expect_equal
from tests.applications.outcome import Failed, Outcomes
from tests.support.database import Databases
from tests.support.project import Project

STEPS = (
    "autogenerate from nothing, proved",
    "upgrade",
    "check is clean",
    "the dump equals create_all()'s",
    "a restored dump is clean",
    "downgrade base leaves nothing",
    "upgrade again",
)


def go_through(
    application: Application,
    metadata: MetaData,
    databases: Databases,
    programs: Path,
    folder: Path,
    outcomes: Outcomes,
) -> None:
    """Run every step, and stop at the first that fails.

    Args:
        application: What the models belong to.
        metadata: The models.
        databases: Where databases are made.
        programs: The folder of the server's programs.
        folder: An empty folder.
        outcomes: Takes what each step has shown.
    """
    with databases.fresh() as url, databases.fresh() as plain, databases.fresh() as copy:
        project = Project(folder / "project", url).models(metadata)
        nothing = dump(url, programs)
        with outcomes.step("autogenerate from nothing, proved"):
            if project.autogenerate("first") is None:
                raise Failed("no revision was written")
        with outcomes.step("upgrade"):
            project.upgrade()
        with outcomes.step("check is clean"):
            _expect_clean(project)
        with outcomes.step("the dump equals create_all()'s"):
            create_all(plain, metadata, application.extensions)
            expect_equal(dump(url, programs), dump(plain, programs), "the dumps differ")
        with outcomes.step("a restored dump is clean"):
            copy_by_dump(url, copy, programs)
            _expect_clean(project.on(copy))
        with outcomes.step("downgrade base leaves nothing"):
            project.on(url).downgrade("base")
            expect_equal(dump(url, programs), nothing, "something is left")
        with outcomes.step("upgrade again"):
            project.upgrade()
            expect_equal(dump(url, programs), dump(plain, programs), "the dumps differ")


def _expect_clean(project: Project) -> None:
    found = project.autogenerate("unexpected")
    if found is not None:
        raise Failed(found.read_text(encoding="utf-8"))
    if not project.check():
        raise Failed("alembic check finds a difference where revision finds none")
