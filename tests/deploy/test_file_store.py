"""Logins in files: replaced as a whole, for their owner alone, pending beside current."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from pgmigrations.deploy.application_login import Asked, Reason
from pgmigrations.deploy.file_store import FileStore
from pgmigrations.deploy.rotation import Rotation
from pgmigrations.deploy.secret import Secret, SecretStoreFailure, SecretUnusable
from tests.support.deployment import Stage


@pytest.fixture
def rotation(tmp_path: Path, made: Stage) -> Rotation:
    made.make_roles()
    found = made.rotation(FileStore())
    logins = [
        replace(one, secret=str(tmp_path / f"{number}.env"))
        for number, one in enumerate(found.logins)
    ]
    return replace(found, logins=logins)


def test_a_file_is_made_and_its_other_lines_are_kept(
    tmp_path: Path, made: Stage, rotation: Rotation
) -> None:
    first = tmp_path / "0.env"
    first.write_text("# kept\nDEBUG=1\n")
    first.chmod(0o640)
    assert [one.reason for one in rotation.run(Asked(False), wait=5)] == [Reason.INITIAL] * 2
    for login, path in zip(made.logins, (first, tmp_path / "1.env"), strict=True):
        found = FileStore().current(str(path))
        assert found is not None
        assert found.secret.username == login
        assert made.lets_in(found.secret.fields)
    modes = [stat.S_IMODE((tmp_path / f"{number}.env").stat().st_mode) for number in (0, 1)]
    assert modes == [0o640, 0o600]
    lines = first.read_text().splitlines()
    assert lines[:2] == ["# kept", "DEBUG=1"]
    assert [one.partition("=")[0] for one in lines[2:]] == [
        "PGMIGRATIONS_SECRET_VERSION",
        "DATABASE_URL",
    ]
    assert sorted(path.name for path in tmp_path.glob("*.env*")) == ["0.env", "1.env"]


def test_it_rotates_by_turns_and_rests_in_between(
    tmp_path: Path, made: Stage, rotation: Rotation
) -> None:
    rotation.run(Asked(False), wait=5)
    before = (tmp_path / "0.env").read_text()
    assert [one.reason for one in rotation.run(Asked(False), wait=5)] == [Reason.NONE] * 2
    assert (tmp_path / "0.env").read_text() == before
    kept = rotation.run(Asked(True), wait=5)
    assert [one.username for one in kept] == [f"{login}_clone" for login in made.logins]
    found = FileStore().current(str(tmp_path / "0.env"))
    assert found is not None
    assert found.id == kept[0].version
    assert made.lets_in(found.secret.fields)


def test_what_a_killed_run_has_left_beside_it_is_gone_on_with(
    tmp_path: Path, made: Stage, rotation: Rotation
) -> None:
    rotation.run(Asked(False), wait=5)
    store, name = FileStore(), str(tmp_path / "0.env")
    current = store.current(name)
    assert current is not None
    left = current.secret.with_login(f"{made.logins[0]}_clone", "left0behind")
    store.put_pending(name, left, "token-of-the-killed-run")
    kept = rotation.run(Asked(False), wait=5)
    assert [one.reason for one in kept] == [Reason.RESUMED, Reason.NONE]
    assert kept[0].version == "token-of-the-killed-run"
    found = store.current(name)
    assert found is not None
    assert found.secret.password == "left0behind"


def test_a_run_killed_after_the_promotion_has_ended_it(tmp_path: Path) -> None:
    store, name = FileStore(), str(tmp_path / "a.env")
    store.put_pending(name, Secret({"username": "a", "password": "b", "host": "c"}), "1")
    pending = (tmp_path / "a.env.pending").read_text()
    store.promote(name, "1", "")
    (tmp_path / "a.env.pending").write_text(pending)
    found = store.current(name)
    assert found is not None
    assert found.is_pending


def test_any_password_and_any_parameter_come_through(tmp_path: Path) -> None:
    store, name = FileStore(), str(tmp_path / "a.env")
    secret = Secret(
        {"username": "a@b", "password": "p'\"s/:@#% é", "host": "h", "port": 1, "dbname": "d e"}
        | {"sslmode": "verify-full"}
    )
    store.put_pending(name, secret, "1")
    found = store.pending(name)
    assert found is not None
    assert found.secret == secret


def test_what_cannot_be_understood_or_written_is_told_without_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.env"
    path.write_text("DATABASE_URL=oracle://s3cret\n")
    with pytest.raises(SecretUnusable, match="DATABASE_URL") as caught:
        FileStore().current(str(path))
    assert "s3cret" not in str(caught.value)
    with pytest.raises(SecretStoreFailure, match="cannot be written"):
        FileStore().put_pending(str(tmp_path / "no" / "a.env"), Secret({}), "1")


def test_what_a_killed_run_was_writing_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".a.env.pending.new").write_text("DATABASE_URL=postgresql://a:half")
    store, name = FileStore(), str(tmp_path / "a.env")
    store.put_pending(name, Secret({"username": "a", "password": "b", "host": "c"}), "1")
    store.promote(name, "1", "")
    assert [one.name for one in tmp_path.iterdir()] == ["a.env"]
    assert stat.S_IMODE((tmp_path / "a.env").stat().st_mode) == 0o600


def test_what_cannot_be_read_again_is_not_kept(tmp_path: Path) -> None:
    place = {"host": "a,b", "port": 5432, "dbname": "d"}
    with pytest.raises(SecretStoreFailure, match="cannot be read again"):
        FileStore().put_pending(
            str(tmp_path / "a.env"), Secret({"username": "a", "password": "b", **place}), "1"
        )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_replaced_is_told_before_the_password_is_set(tmp_path: Path) -> None:
    (tmp_path / ".a.env.new").mkdir()
    with pytest.raises(SecretStoreFailure, match=r"a\.env cannot be written"):
        FileStore().put_pending(str(tmp_path / "a.env"), Secret({"username": "a"}), "1")
    assert not (tmp_path / "a.env.pending").exists()


def test_a_file_that_a_killed_run_has_half_written_is_finished(tmp_path: Path) -> None:
    store, name = FileStore(), str(tmp_path / "a.env")
    store.put_pending(name, Secret({"username": "a", "password": "b", "host": "c"}), "1")
    (tmp_path / "a.env").write_text("DATABASE_URL=postgresq")
    assert store.current(name) is None
    store.promote(name, "1", "")
    found = store.current(name)
    assert found is not None
    assert found.secret.username == "a"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "export DATABASE_URL='{old}'\nA=1\u2028\r\n",
            "A=1\u2028\r\nexport {v}='1'\nexport {u}='{new}'\n",
        ),
        ('DATABASE_URL="{old}"\n', '{v}="1"\n{u}="{new}"\n'),
        ("\nDATABASE_URL={old}", "\n{v}=1\n{u}={new}\n"),
    ],
)
def test_a_file_keeps_its_style(tmp_path: Path, before: str, after: str) -> None:
    store, path = FileStore(), tmp_path / "a.env"
    old, new = "postgresql://a:x@h:1/d?connect_timeout=3&sslmode=disable", ""
    path.write_bytes(before.format(old=old).encode())
    found = store.current(str(path))
    assert found is not None
    store.put_pending(str(path), found.secret.with_login("a", "y"), "1")
    store.promote(str(path), "1", found.id)
    new = old.replace(":x@", ":y@")
    wanted = after.format(v="PGMIGRATIONS_SECRET_VERSION", u="DATABASE_URL", new=new)
    assert path.read_bytes().decode() == wanted


def test_a_file_that_everybody_can_read_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, path = FileStore(), tmp_path / "a.env"
    path.write_text("A=1\n")
    path.chmod(0o644)
    store.put_pending(str(path), Secret({"username": "a", "password": "b", "host": "c"}), "1")
    assert caplog.text == ""
    store.promote(str(path), "1", "")
    assert "can be read by everybody" in caplog.text


def test_a_link_stays_one_and_an_exported_variable_is_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "real.env", tmp_path / "link.env"
    real.write_text("export DATABASE_URL=postgresql://old@h/d\nOTHER=1\n")
    link.symlink_to(real)
    store = FileStore()
    found = store.current(str(link))
    assert found is not None
    assert found.secret.username == "old"
    token = store.put_pending(str(link), found.secret.with_login("new", "x"), "token")
    store.promote(str(link), token, found.id)
    assert link.is_symlink()
    changed = store.current(str(real))
    assert changed is not None
    assert changed.secret.username == "new"
    assert real.read_text().count("DATABASE_URL") == 1


def test_it_writes_what_libpq_reads_and_leaves_what_is_no_login(tmp_path: Path) -> None:
    path, store = tmp_path / "a.env", FileStore()
    path.write_text("DATABASE_URL = postgresql://old:x@h/d\n")
    (tmp_path / "a.env.pending").write_text("DATABASE_URL=garbage://\n")
    assert store.pending(str(path)) is None
    found = store.current(str(path))
    assert found is not None
    token = store.put_pending(str(path), found.secret, "token")
    store.promote(str(path), token, found.id)
    (line,) = [one for one in path.read_text().splitlines() if "DATABASE_URL" in one]
    assert line == "DATABASE_URL=postgresql://old:x@h:5432/d"
