"""Roles and privileges that somebody else has made, changed or needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.util import CommandError
from sqlalchemy import Column, Integer, MetaData, Sequence, Table, TypeDecorator, text
from sqlalchemy.exc import DBAPIError

from pgmigrations.declare import EVERY, PUBLIC, DefaultPrivilege, Grant, Role, declare
from pgmigrations.declare.declaration import Declaration
from tests.migrate.access import MEMBERS, as_user, connected, other_database, values
from tests.support.project import Project
from tests.support.script import run_script

Started = Callable[..., Project]


def models(*declared: Declaration) -> MetaData:
    metadata = MetaData()
    columns = (Column("id", Integer, primary_key=True), Column("name", Integer))
    Table("book", metadata, *columns)
    declare(metadata, *declared)
    return metadata


@pytest.fixture
def started(urls: tuple[str, str], tmp_path: Path) -> Started:
    """Make a project, and bring its database to what models declare."""
    url, scratch = urls

    def make(*declared: Declaration, on: str = url) -> Project:
        project = Project(tmp_path / "project", on, settings={"scratch_url": scratch})
        project.models(models(*declared)).autogenerate("first")
        project.upgrade()
        return project

    return make


def changed(project: Project, *declared: Declaration) -> Path:
    """Let a project declare something else, and upgrade."""
    revision = project.models(models(*declared)).autogenerate("second")
    assert revision is not None
    project.upgrade()
    assert project.check()
    return revision


def test_privileges_on_single_columns_outlive_those_on_the_table(started: Started) -> None:
    one = Role("one")
    project = started(one, Grant(["SELECT", "UPDATE"], to="one", tables=EVERY))
    run_script(project.url, "GRANT UPDATE (name), SELECT (id) ON book TO one WITH GRANT OPTION")
    acl = "SELECT attacl::text FROM pg_attribute WHERE attacl IS NOT NULL ORDER BY attnum"
    before = values(project.url, acl)
    revision = changed(project, one, Grant(["SELECT"], to="one", tables=EVERY))
    assert values(project.url, acl) == before
    project.downgrade()
    run_script(project.url, project.sql("upgrade", f"001_first:{revision.stem}"))
    assert project.check()
    assert values(project.url, acl) == before


def test_an_owner_may_do_all_with_what_is_his(started: Started) -> None:
    project = started(Role("one"), Grant(["SELECT"], to="one", tables=EVERY))
    run_script(project.url, "ALTER TABLE book OWNER TO one")
    assert project.check()
    project.models(models(Role("one"), Grant(["INSERT"], to="one", tables=EVERY)))
    assert project.check()
    offline = project.sql("downgrade", "001_first:base").partition("DROP TABLE")[0]
    run_script(project.url, offline.rpartition("BEGIN;")[2])
    assert values(project.url, "SELECT has_table_privilege('one', 'book', 'SELECT')") == [True]


def test_what_another_role_has_granted_is_its_business(started: Started) -> None:
    grant = Grant(["SELECT"], to="one", tables=EVERY, grantable=True)
    project = started(Role("one"), Role("two"), grant)
    run_script(project.url, "SET ROLE one; GRANT SELECT ON book TO two")
    assert project.check()
    more = Grant(["SELECT"], to="two", tables=EVERY)
    changed(project, Role("one"), Role("two"), grant, more)


def test_what_a_role_has_granted_on_keeps_its_privilege(started: Started) -> None:
    grant = Grant(["SELECT"], to="one", tables=EVERY, grantable=True)
    project = started(Role("one"), Role("two"), grant)
    run_script(project.url, "SET ROLE one; GRANT SELECT ON book TO two; RESET ROLE")
    project.models(models(Role("one"), Role("two"))).autogenerate("second")
    with pytest.raises(CommandError, match=r"A grant to others .*Revoke first"):
        project.upgrade()


@pytest.mark.parametrize("path", ["", "app, public", '"$user", "we,ird", public', "Odd"])
def test_a_list_of_names_is_compared_as_the_server_reads_it(started: Started, path: str) -> None:
    project = started(Role("one", settings={"search_path": path}))
    assert project.check()
    shown = path.lower() or '""'
    (found,) = values(
        project.url, "SELECT setconfig[1] FROM pg_db_role_setting WHERE setdatabase = 0"
    )
    assert str(found) == f"search_path={shown}"
    revision = changed(project, Role("one"))
    project.downgrade()
    revision.unlink()
    project.models(models(Role("one", settings={"search_path": path})))
    assert project.check()


def test_a_role_that_later_revisions_have_changed_is_taken_as_it_is(started: Started) -> None:
    grant = Grant(["SELECT"], to="one", tables=EVERY)
    project = started(Role("one", settings={"work_mem": "8MB"}), grant)
    first, other = project.url, other_database(project.url, "other")
    changed(project, Role("one", connection_limit=7, settings={"work_mem": "9MB"}), grant)
    project.on(other).upgrade()
    assert project.check()
    # The first database needs it as it is, and so does the other.
    project.downgrade()
    assert project.on(first).check()
    run_script(first, project.sql("downgrade", "002_second:001_first"))
    assert values(first, "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'one'") == [7]


def test_whoever_is_not_the_owner_is_told_that_nothing_was_granted(
    started: Started, urls: tuple[str, str]
) -> None:
    project = started(Role("one"))
    run_script(
        project.url,
        "CREATE ROLE mig LOGIN CREATEROLE CREATEDB; GRANT ALL ON book TO mig;"
        "GRANT ALL ON SCHEMA public TO mig; GRANT ALL ON DATABASE own TO mig;"
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO mig;"
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO mig",
    )
    project.on(as_user(project.url, "mig"))
    project.models(models(Role("one"), Grant(["SELECT"], to="one", tables=EVERY)))
    project.autogenerate("second")
    with pytest.raises(CommandError, match="had no effect on privileges of one on table book"):
        project.upgrade()
    assert values(urls[0], "SELECT version_num FROM pgmigrations") == ["001_first"]


def test_a_membership_is_seen_whoever_has_granted_it(started: Started) -> None:
    project = started(Role("one"), Role("two", member_of=["one"]))
    run_script(
        project.url,
        "CREATE ROLE admin SUPERUSER; CREATE ROLE granter CREATEROLE;"
        "GRANT one TO granter WITH ADMIN OPTION; GRANT admin TO two;"
        "SET ROLE granter; GRANT one TO two; RESET ROLE",
    )
    assert not project.check()
    changed(project, Role("one"), Role("two"))
    member = "SELECT pg_has_role('two', 'one', 'MEMBER') OR pg_has_role('two', 'admin', 'MEMBER')"
    assert values(project.url, member) == [False]


@pytest.mark.needs_server(min=16)
def test_a_member_that_may_not_act_as_its_group_is_none(started: Started) -> None:
    project = started(Role("one"), Role("two", member_of=["one"]))
    run_script(project.url, "GRANT one TO two WITH INHERIT FALSE, SET FALSE")
    assert not project.check()
    project.autogenerate("again")
    project.upgrade()
    assert project.check()
    changed(project, Role("one"), Role("two", member_of=["one"], inherit=False))


def test_a_way_back_leaves_roles_that_somebody_else_may_have_made(started: Started) -> None:
    project = started()
    run_script(
        project.url,
        "CREATE ROLE one LOGIN PASSWORD 'x'; CREATE ROLE two; CREATE ROLE human;GRANT two TO human",
    )
    changed(project, Role("one"), Role("two"), Role("three"))
    project.downgrade()
    left = "SELECT rolname FROM pg_roles WHERE rolname IN ('one', 'two', 'three') ORDER BY 1"
    assert values(project.url, left) == ["one", "two"]
    project.upgrade()
    run_script(project.url, project.sql("downgrade", "002_second:001_first"))
    assert values(project.url, left) == ["one", "two"]


def test_a_grant_on_what_no_model_declares_is_refused(started: Started) -> None:
    project = started(Role("one"))
    for grant, near in (
        (Grant(["SELECT"], to="one", tables=["boook"]), "Did you mean book"),
        (Grant(["USAGE"], to="one", sequences=["nothing"]), "Did you mean|Declare it"),
    ):
        with pytest.raises(CommandError, match=near):
            project.models(models(Role("one"), grant)).autogenerate("second")


@pytest.mark.parametrize(
    ("on", "to"), [("tables", "one"), ("functions", PUBLIC), ("types", PUBLIC)]
)
def test_default_privileges_that_are_there_anyway_are_refused(on: str, to: str) -> None:
    privilege = {"tables": "SELECT", "functions": "EXECUTE", "types": "USAGE"}[on]
    with pytest.raises(ValueError, match=r"its own|by default"):
        DefaultPrivilege([privilege], on=on, for_role="one", to=to)


def test_settings_are_text() -> None:
    with pytest.raises(TypeError, match="statement_timeout of role one takes text"):
        Role("one", settings={"statement_timeout": 30})  # type: ignore[dict-item]


def test_a_server_for_trials_is_left_as_it_was(started: Started, urls: tuple[str, str]) -> None:
    names = "SELECT rolname FROM pg_roles ORDER BY 1"
    before = values(urls[1], names)
    with connected(urls[0]) as connection:
        connection.execute(text("CREATE ROLE outsider"))
    project = started(Role("one"), Role("two", member_of=["one"]))
    changed(project, Role("one"), Grant(["SELECT"], to="one", tables=EVERY))
    assert values(urls[1], names) == before


def test_a_schema_without_models_can_be_granted_on(started: Started) -> None:
    project = started(Role("one"), Role("two"))
    run_script(project.url, "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.mine (id int)")
    changed(
        project,
        Role("one"),
        Role("two"),
        Grant(["USAGE"], to="one", schemas=["elsewhere"]),
        DefaultPrivilege(["SELECT"], on="tables", for_role="two", to="one", schema="elsewhere"),
    )


def test_a_membership_is_given_back_with_its_admin_option(started: Started) -> None:
    project = started(Role("one"), Role("two"))
    run_script(project.url, "GRANT one TO two WITH ADMIN OPTION")
    project.models(models(Role("one"), Role("two"))).autogenerate("second")
    project.upgrade()
    project.downgrade()
    assert values(project.url, "SELECT pg_has_role('two', 'one', 'MEMBER WITH ADMIN OPTION')") == [
        True
    ]


def test_a_script_takes_a_role_as_a_run_does(started: Started) -> None:
    project = started()
    project.models(models(Role("one", settings={"work_mem": "9MB"}))).autogenerate("second")
    script = project.sql("upgrade", "001_first:002_second")
    run_script(project.url, "CREATE ROLE one CREATEROLE LOGIN")
    with pytest.raises(DBAPIError, match="role one is there, and may do more"):
        run_script(project.url, script)
    run_script(project.url, "ALTER ROLE one NOCREATEROLE")
    run_script(project.url, script)
    assert project.check()


@pytest.mark.parametrize("is_member", [True, False])
def test_a_migrator_that_inherits_nothing_keeps_its_memberships(
    started: Started, is_member: bool
) -> None:
    project = started(Role("maker"), Role("one"))
    run_script(project.url, "CREATE ROLE mig LOGIN CREATEROLE CREATEDB NOINHERIT")
    granted = "WITH ADMIN OPTION" if is_member else ""
    run_script(project.url, f"GRANT maker, one TO mig {granted}")
    for table in ("pgmigrations", "pgmigrations_history"):
        run_script(project.url, f"ALTER TABLE {table} OWNER TO mig")
    run_script(project.url, "ALTER TABLE book OWNER TO mig; GRANT ALL ON SCHEMA public TO mig")
    before = values(project.url, MEMBERS)
    project.on(as_user(project.url, "mig"))
    privilege = DefaultPrivilege(["SELECT"], on="tables", for_role="maker", to="one")
    changed(project, Role("maker"), Role("one"), privilege)
    assert values(project.url, MEMBERS) == before


def test_every_sequence_is_one_that_the_server_makes(started: Started) -> None:
    class Number(TypeDecorator[int]):
        impl = Integer
        cache_ok = True

    metadata = models(Role("one"), Grant(["USAGE"], to="one", sequences=EVERY))
    Table("decorated", metadata, Column("id", Number, primary_key=True))
    optional = Sequence("opt", optional=True)
    Table("optional", metadata, Column("id", Integer, optional, primary_key=True))
    project = started()
    project.models(metadata).autogenerate("second")
    project.upgrade()
    assert project.check()
    usage = "SELECT has_sequence_privilege('one', oid, 'USAGE') FROM pg_class WHERE relkind = 'S'"
    assert sorted(map(str, values(project.url, usage))) == ["False", "True", "True", "True"]
