"""Roles and privileges on servers that others use, too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from alembic.util import CommandError
from sqlalchemy import make_url, text

from pgmigrations.declare import (
    PUBLIC,
    Grant,
    declare,
)
from tests.migrate.access import (
    EVERY_ROLE,
    as_user,
    connected,
    models,
    other_database,
    roles,
    values,
)
from tests.support.own_server import OwnServers
from tests.support.project import Project
from tests.support.script import run_script


@pytest.mark.parametrize(
    "gives_itself", ["", pytest.param("set", marks=pytest.mark.needs_server(min=16))]
)
def test_a_migrator_that_is_no_superuser_makes_and_drops_everything(
    own_servers: OwnServers, tmp_path: Path, gives_itself: str
) -> None:
    with own_servers() as url, own_servers() as scratch:
        with connected(url) as connection:
            connection.execute(text("CREATE ROLE mig LOGIN CREATEROLE CREATEDB"))
            if gives_itself:
                setting = f"ALTER ROLE mig SET createrole_self_grant TO '{gives_itself}'"
                connection.execute(text(setting))
        shop = as_user(other_database(url, "shop", "mig"), "mig")
        settings = {"scratch_url": scratch}
        project = Project(tmp_path / "project", shop, settings=settings).models(models())
        before = values(
            shop, "SELECT member::regrole::text || ' ' || roleid::regrole FROM pg_auth_members"
        )
        assert project.autogenerate("first") is not None
        project.upgrade()
        assert project.check()
        assert roles(shop) == EVERY_ROLE
        # What it grants itself for a moment is gone again.
        assert not values(
            shop,
            "SELECT 1 FROM pg_roles WHERE pg_has_role('mig', oid, 'USAGE') "
            "AND rolname = 'tablecreator'",
        )
        acted = "SET ROLE tablecreator; CREATE TABLE later (id int); RESET ROLE"
        run_script(make_url(shop).set(username="postgres").render_as_string(False), acted)
        assert values(shop, "SELECT has_table_privilege('readwrite', 'later', 'SELECT')") == [True]
        run_script(
            make_url(shop).set(username="postgres").render_as_string(False), "DROP TABLE later"
        )
        project.downgrade("base")
        assert roles(shop) == []
        after = values(
            shop, "SELECT member::regrole::text || ' ' || roleid::regrole FROM pg_auth_members"
        )
        assert before == after


def test_the_script_does_the_same_as_a_migrator_that_is_no_superuser(
    own_servers: OwnServers, tmp_path: Path
) -> None:
    with own_servers() as url, own_servers() as scratch:
        with connected(url) as connection:
            connection.execute(text("CREATE ROLE mig LOGIN CREATEROLE CREATEDB"))
        shop = as_user(other_database(url, "shop", "mig"), "mig")
        settings = {"scratch_url": scratch}
        project = Project(tmp_path / "project", shop, settings=settings).models(models())
        revision = project.autogenerate("first")
        assert revision is not None
        run_script(shop, project.sql("upgrade"))
        assert project.check()
        run_script(shop, project.sql("downgrade", f"{revision.stem}:base"))
        assert roles(shop) == []


def test_a_way_back_leaves_what_another_database_needs(
    own_servers: OwnServers, tmp_path: Path
) -> None:
    with own_servers() as url, own_servers() as scratch:
        settings = {"scratch_url": scratch}
        project = Project(tmp_path / "project", url, settings=settings).models(models())
        project.autogenerate("first")
        project.upgrade()
        other = other_database(url, "other")
        project.on(other).upgrade()
        project.on(url).downgrade("base")
        assert roles(url) == EVERY_ROLE
        members = "SELECT member::regrole::text FROM pg_auth_members WHERE member >= 16384"
        assert sorted(map(str, values(url, members))) == ["app_rw", "app_rw_clone"]
        assert project.on(other).check()
        project.downgrade("base")
        assert roles(url) == []


def test_a_role_that_somebody_is_logged_in_by_stays(
    own_servers: OwnServers, tmp_path: Path
) -> None:
    with own_servers() as url, own_servers() as scratch:
        project = Project(tmp_path / "project", url, settings={"scratch_url": scratch})
        project.models(models()).autogenerate("first")
        project.upgrade()
        run_script(url, "ALTER ROLE app_rw LOGIN")
        dsn = make_url(as_user(url, "app_rw")).set(drivername="postgresql")
        with psycopg2.connect(dsn.render_as_string(hide_password=False)) as session:
            project.downgrade("base")
            assert roles(url) == ["app_rw"]
        session.close()


def test_only_declared_grantees_are_looked_at(own_servers: OwnServers, tmp_path: Path) -> None:
    with own_servers() as url, own_servers() as scratch:
        settings = {"scratch_url": scratch, "ignore_tables": "others"}
        project = Project(tmp_path / "project", url, settings=settings)
        project.models(models()).autogenerate("first")
        project.upgrade()
        run_script(
            url,
            "CREATE ROLE analyst; GRANT SELECT ON book TO analyst; GRANT INSERT ON book TO PUBLIC;"
            "CREATE TABLE others (id int); GRANT SELECT ON pgmigrations TO readwrite;"
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO readwrite",
        )
        assert project.check()
        run_script(url, "GRANT DELETE ON book TO readwrite")
        assert not project.check()


def test_privileges_of_everybody_can_be_declared(own_servers: OwnServers, tmp_path: Path) -> None:
    metadata = models()
    declare(metadata, Grant(["SELECT"], to=PUBLIC, tables=["book"]))
    with own_servers() as url, own_servers() as scratch:
        project = Project(tmp_path / "project", url, settings={"scratch_url": scratch})
        project.models(metadata).autogenerate("first")
        project.upgrade()
        assert project.check()
        run_script(url, "REVOKE SELECT ON book FROM PUBLIC")
        assert not project.check()


def test_no_role_is_made_on_the_server_of_the_database_by_a_trial(
    own_servers: OwnServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgmigrations.migrate.copied.own_server", lambda _: "")
    with own_servers() as url:
        project = Project(tmp_path / "project", url).models(models())
        with pytest.raises(
            CommandError, match=r"role readwrite, which the server has for all.*prove=false"
        ):
            project.autogenerate("first")
        assert roles(url) == []


@pytest.mark.needs_server(min=18)
def test_a_trial_runs_on_an_embedded_server_by_itself(
    own_servers: OwnServers, tmp_path: Path
) -> None:
    with own_servers() as url:
        project = Project(tmp_path / "project", url).models(models())
        assert project.autogenerate("first") is not None
        assert roles(url) == []


def test_whoever_may_only_read_can_compare(own_servers: OwnServers, tmp_path: Path) -> None:
    with own_servers() as url, own_servers() as scratch:
        project = Project(tmp_path / "project", url, settings={"scratch_url": scratch})
        project.models(models()).autogenerate("first")
        project.upgrade()
        run_script(
            url, "CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"
        )
        assert project.on(as_user(url, "reader")).check()


def test_a_role_that_is_another_one_is_refused(own_servers: OwnServers, tmp_path: Path) -> None:
    with own_servers() as url, own_servers() as scratch:
        project = Project(tmp_path / "project", url, settings={"scratch_url": scratch})
        project.models(models()).autogenerate("first")
        run_script(url, "CREATE ROLE readwrite LOGIN; CREATE ROLE tablecreator CREATEDB")
        with pytest.raises(CommandError, match=r"tablecreator is there, but differs.*createdb"):
            project.upgrade()
        run_script(url, "ALTER ROLE tablecreator NOCREATEDB; CREATE ROLE app_rw LOGIN")
        project.upgrade()
        # A login that is there stays one, and gets what it lacks.
        logins = "SELECT rolname FROM pg_roles WHERE rolcanlogin AND oid >= 16384 ORDER BY 1"
        assert values(url, logins) == ["app_rw", "readwrite"]
        assert project.check()


ROUNDS = 5


def test_two_databases_of_one_server_are_migrated_at_once(
    own_servers: OwnServers, tmp_path: Path
) -> None:
    with own_servers() as url, own_servers() as scratch:
        project = Project(tmp_path / "project", url, settings={"scratch_url": scratch})
        project.models(models()).autogenerate("first")
        for number in range(ROUNDS):
            urls = [other_database(url, f"shop_{number}_{one}") for one in range(3)]
            folders = [copied(project.path, tmp_path / f"{number}_{one}") for one in range(3)]
            for folder, one in zip(folders, urls, strict=True):
                (folder / "database_url").write_text(one)
            running = [started(folder) for folder in folders]
            outputs = [process.communicate(timeout=60)[1] for process in running]
            assert [process.returncode for process in running] == [0, 0, 0], outputs
            for one in urls:
                assert project.on(one).check()
                project.downgrade("base")
            assert roles(url) == []


def copied(folder: Path, to: Path) -> Path:
    subprocess.run(["cp", "-r", folder, to], check=True)
    return to


def started(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pgmigrations.cli", "upgrade", "head"],
        cwd=folder,
        env=os.environ,
        stderr=subprocess.PIPE,
        text=True,
    )
