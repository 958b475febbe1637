"""Roles that are on the server already, and that no revision makes yet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic.util import CommandError

from pgmigrations.declare import EVERY, Grant, Role
from pgmigrations.migrate.core.report import report_of
from pgmigrations.migrate.core.report_page import page
from pgmigrations.migrate.core.snapshot import Change
from pgmigrations.migrate.objects.membership.catalog import named
from tests.migrate.access import MEMBERS, values
from tests.migrate.test_access_of_others import models
from tests.support.own_server import OwnServers
from tests.support.project import Project
from tests.support.script import run_script

ROLES = "SELECT rolname FROM pg_roles WHERE rolname IN ('one', 'two') ORDER BY 1"
ONE = Role("one", settings={"work_mem": "8MB"})
TWO = Role("two", member_of=["one"])
GRANT = Grant(["SELECT"], to="one", tables=EVERY)
BOTH = "CREATE ROLE one; ALTER ROLE one SET work_mem TO '8MB'; CREATE ROLE two; GRANT one TO two"


@pytest.fixture
def project(urls: tuple[str, str], tmp_path: Path) -> Project:
    """Its roles are on the server, and its revisions make none."""
    url, scratch = urls
    project = Project(tmp_path / "project", url, settings={"scratch_url": scratch})
    project.models(models()).autogenerate("first")
    project.upgrade()
    run_script(url, BOTH)
    return project


def write(project: Project, name: str, parent: str, *lines: str) -> Path:
    path = project.versions / f"{name}.py"
    body = "\n".join(f"    {line}" for line in lines)
    path.write_text(
        f"from pgmigrations import op\nrevision, down_revision = {name!r}, {parent!r}\n"
        f"def upgrade():\n{body}\n\ndef downgrade():\n    pass\n"
    )
    return path


def test_the_revision_makes_what_the_next_server_lacks(
    project: Project, urls: tuple[str, str]
) -> None:
    project.models(models(ONE, TWO, GRANT))
    assert not project.check()
    revision = project.autogenerate("second")
    assert revision is not None
    project.upgrade()
    assert project.check()
    project.downgrade()
    project.upgrade()
    first, other = urls
    project.on(other).upgrade()
    assert values(other, ROLES) == ["one", "two"]
    assert project.check()
    # Where it was made does not matter on the way back: somebody else may have made it.
    project.downgrade("base")
    assert values(other, ROLES) == ["one", "two"]
    assert project.on(first).check()
    project.downgrade("001_first")
    assert "two one" in values(first, MEMBERS)


def test_the_check_says_that_it_is_there() -> None:
    record = named("one", "two", inherits=True)
    report = report_of([Change(None, record)], {record.identity})
    assert [one.change for one in report] == ["unmade"]
    heading = str(next(page(report, lambda schema: schema)))
    assert heading.endswith("(declared and on this server, and no revision makes it)")


def test_what_is_granted_to_it_already_is_no_hindrance(
    project: Project, urls: tuple[str, str]
) -> None:
    run_script(project.url, "GRANT INSERT ON book TO one; GRANT USAGE ON SCHEMA public TO two")
    revision = project.models(models(ONE, TWO, GRANT)).autogenerate("second")
    assert revision is not None
    assert "op.revoke(['INSERT']" in revision.read_text()
    project.upgrade()
    assert project.check()
    project.downgrade()
    privilege = "SELECT has_table_privilege('one', 'book', 'INSERT')"
    assert values(project.url, privilege) == [True]
    project.on(urls[1]).upgrade()
    assert project.check()


def test_what_differs_is_altered_too(project: Project, urls: tuple[str, str]) -> None:
    project.models(models(Role("one", connection_limit=7), TWO))
    assert project.autogenerate("second") is not None
    project.upgrade()
    limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'one'"
    assert values(urls[0], limit) == [7]
    assert project.check()
    project.on(urls[1]).upgrade()
    assert values(urls[1], limit) == [7]
    assert project.check()


def test_one_that_may_do_more_is_refused(project: Project) -> None:
    run_script(project.url, "ALTER ROLE one CREATEDB")
    project.models(models(ONE, TWO))
    with pytest.raises(CommandError, match=r"role one is there, but differs.*createdb"):
        project.autogenerate("second")


PAIR = 'op.grant_role("one", "two")'


@pytest.mark.parametrize(
    "lines",
    [
        ('op.create_role("one")', 'op.create_role("two")', PAIR),
        (
            'op.create_role(name="one")',
            'op.create_role("two")',
            'op.grant_role(to="two", group="one")',
        ),
        ('for name in ("one", "two"):', "    op.create_role(name)", PAIR),
        ('names = ["one", f"{\'two\'}"]', "for name in names: op.create_role(name)", PAIR),
        (
            "from pgmigrations.op import create_role",
            'create_role("one")',
            'create_role("two")',
            PAIR,
        ),
        (
            "def make(name): op.create_role(name)",
            'make("one")',
            'make(name="two")',
            PAIR,
        ),
        (
            'for group, member in (("one", "two"),):',
            "    op.create_role(group)",
            "    op.create_role(member)",
            "    op.grant_role(group, member)",
        ),
    ],
    ids=["written", "named", "in a loop", "by constants", "imported", "by a function", "in pairs"],
)
def test_what_a_revision_by_hand_makes_is_made(project: Project, lines: tuple[str, ...]) -> None:
    write(project, "002_by_hand", "001_first", *lines)
    project.upgrade()
    project.models(models(ONE, TWO))
    assert project.check()
    project.models(models(ONE, TWO, Role("three")))
    assert not project.check()


@pytest.mark.parametrize(
    "lines",
    [
        ('op.create_role("one")', 'op.create_role("two")', PAIR, 'op.drop_role("two")'),
        ('for name in ("one", "three"): op.create_role(name)', "print('two')", PAIR),
        ("pass", "", "def downgrade():", '    op.create_role("one")', '    op.create_role("two")'),
        ("pass", "", "def nobody():", '    op.create_role("one")', '    op.create_role("two")'),
    ],
    ids=["dropped again", "another word", "on the way back", "called by nobody"],
)
def test_what_no_revision_has_left_is_made_by_the_next(
    project: Project, lines: tuple[str, ...]
) -> None:
    path = write(project, "002_by_hand", "001_first", *lines)
    path.write_text(re.sub("^    def", "def", path.read_text(), flags=re.MULTILINE))
    run_script(project.url, "UPDATE pgmigrations SET version_num = '002_by_hand'")
    assert not project.models(models(ONE, TWO)).check()


@pytest.mark.parametrize(
    ("encoding", "head"),
    [("latin-1", "# -*- coding: latin-1 -*-\n# é\n"), ("utf-8-sig", "# é\n"), ("utf-8", "")],
)
def test_a_revision_may_be_written_in_any_encoding(
    project: Project, encoding: str, head: str
) -> None:
    lines = ('op.create_role("one")', 'op.create_role("two")', PAIR)
    path = write(project, "002_by_hand", "001_first", *lines)
    path.write_bytes((head + path.read_text()).encode(encoding))
    project.upgrade()
    assert project.models(models(ONE, TWO)).check()


def test_a_membership_that_two_models_declare_is_granted_once(project: Project) -> None:
    run_script(project.url, "DROP ROLE two")
    two = Role("two", member_of=["one"])
    revision = project.models(models(ONE, two, Role("two", member_of=["one"]))).autogenerate("more")
    assert revision is not None
    assert revision.read_text().count("op.grant_role(") == 1


def test_a_membership_alone_may_be_missing(project: Project) -> None:
    write(project, "002_roles", "001_first", 'op.create_role("one")', 'op.create_role("two")')
    project.upgrade()
    revision = project.models(models(ONE, TWO)).autogenerate("third")
    assert revision is not None
    assert "create_role" not in revision.read_text()
    project.upgrade()
    assert project.check()
    assert "two one" in values(project.url, MEMBERS)


def test_no_other_server_is_needed_for_what_is_there(
    own_servers: OwnServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgmigrations.migrate.copied.own_server", lambda _: "")
    with own_servers() as url:
        project = Project(tmp_path / "project", url).models(models(ONE, TWO, GRANT))
        run_script(url, BOTH)
        revision = project.autogenerate("first")
        assert revision is not None
        assert revision.read_text().count("op.create_role(") == 2
        project.upgrade()
        assert project.check()
