"""Passwords change while the application goes on, and every half rotation is finished."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg2
import pytest

from pgmigrations.aws.secrets_manager import SecretsManager
from pgmigrations.deploy.application_login import Asked, Reason
from pgmigrations.deploy.login import LoginExpired, LoginRefused, RoleMissing
from pgmigrations.deploy.rotation import PasswordRefused, Rotation
from pgmigrations.deploy.secret import SecretStoreFailure, SecretUnusable, Version
from pgmigrations.run.failure import PrivilegeMissing
from pgmigrations.run.lock import LockHeld, LockKeys
from tests.support.deployment import PROXY, Stage

WAIT = 10.0
VERIFIERS = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY(%s) ORDER BY 1"


@pytest.fixture
def store(made: Stage) -> SecretsManager:
    return SecretsManager(made.secrets.client())


@pytest.fixture
def rotation(staged: Stage, store: SecretsManager) -> Rotation:
    return staged.rotation(store)


def reasons(rotation: Rotation, *, is_asked: bool = False) -> list[Reason]:
    return [one.reason for one in rotation.run(Asked(is_asked), wait=WAIT)]


def test_placeholders_become_logins_that_work(staged: Stage, rotation: Rotation) -> None:
    kept = rotation.run(Asked(False), wait=WAIT)
    assert [one.reason for one in kept] == [Reason.INITIAL] * 2
    for one, login in zip(kept, staged.logins, strict=True):
        held = staged.secrets.read(one.secret)
        assert staged.lets_in(held)
        assert one.version == held["version"]
        assert (one.username, held["username"]) == (login, login)
        assert (held["host"], held["port"], held["dbname"]) == (
            PROXY,
            staged.migrator.port,
            staged.migrator.database,
        )
        # What Secrets Manager's own functions need is kept.
        assert (held["engine"], held["masterarn"]) == ("postgres", "arn:x")


def test_a_secret_without_a_value_gets_a_login(made: Stage, store: SecretsManager) -> None:
    made.make_roles()
    for name in made.names:
        made.secrets.create(name, None)
    assert reasons(made.rotation(store)) == [Reason.INITIAL] * 2
    assert all(made.lets_in(made.secrets.read(name)) for name in made.names)


def test_nothing_changes_unless_asked(staged: Stage, rotation: Rotation) -> None:
    rotation.run(Asked(False), wait=WAIT)
    before = [staged.secrets.read(name) for name in staged.names]
    verifiers = staged.ask(VERIFIERS, staged.roles)
    assert reasons(rotation) == [Reason.NONE] * 2
    assert [staged.secrets.read(name) for name in staged.names] == before
    assert staged.ask(VERIFIERS, staged.roles) == verifiers


def test_two_logins_take_turns_and_the_old_one_stays_valid(
    staged: Stage, rotation: Rotation
) -> None:
    name, login = staged.names[0], staged.logins[0]
    held = []
    for _ in range(4):
        rotation.run(Asked(True), wait=WAIT)
        held.append(staged.secrets.read(name))
        assert all(map(staged.lets_in, held[-2:]))
        assert not any(map(staged.lets_in, held[:-2]))
    clone = f"{login}_clone"
    assert [one["username"] for one in held] == [login, clone, login, clone]
    assert staged.secrets.stages(name)[held[-1]["version"]] == ["AWSCURRENT", "AWSPENDING"]
    assert staged.secrets.stages(name)[held[-2]["version"]] == ["AWSPREVIOUS"]


def test_one_login_can_be_rotated_alone(staged: Stage, store: SecretsManager) -> None:
    rotation = staged.rotation(store, mode="single")
    held = []
    for _ in range(2):
        rotation.run(Asked(True), wait=WAIT)
        held.append(staged.secrets.read(staged.names[0]))
    assert [one["username"] for one in held] == [staged.logins[0]] * 2
    assert [staged.lets_in(one) for one in held] == [False, True]


def test_from_alternating_to_single_the_login_in_use_stays(
    staged: Stage, rotation: Rotation, store: SecretsManager
) -> None:
    for _ in range(2):
        rotation.run(Asked(True), wait=WAIT)
    staged.rotation(store, mode="single").run(Asked(True), wait=WAIT)
    held = staged.secrets.read(staged.names[0])
    assert held["username"] == f"{staged.logins[0]}_clone"
    assert staged.lets_in(held)


def test_nothing_of_a_role_but_login_and_password_is_touched(
    staged: Stage, rotation: Rotation
) -> None:
    role = staged.logins[0]
    staged.ask(f"ALTER ROLE {role} CONNECTION LIMIT 7 VALID UNTIL '2099-01-01'")
    staged.ask(f"ALTER ROLE {role} SET work_mem TO '8MB'")
    query = (
        "SELECT rolconnlimit, rolvaliduntil, rolcreatedb, rolinherit, rolconfig FROM pg_roles "
        "WHERE rolname = %s"
    )
    before = staged.ask(query, role)
    rotation.run(Asked(True), wait=WAIT)
    assert staged.ask(query, role) == before
    ((can_login, kept),) = staged.ask(
        "SELECT rolcanlogin, left(rolpassword, 14) FROM pg_authid WHERE rolname = %s", role
    )
    assert (can_login, kept) == (True, "SCRAM-SHA-256$")


def test_a_login_that_fails_is_mended(staged: Stage, rotation: Rotation) -> None:
    rotation.run(Asked(False), wait=WAIT)
    before = staged.secrets.read(staged.names[1])
    rotation.run(Asked(True), wait=WAIT)
    clone = f"{staged.logins[1]}_clone"
    staged.ask(f"ALTER ROLE {clone} PASSWORD 'of an older backup'")
    assert reasons(rotation) == [Reason.NONE, Reason.BROKEN]
    held = staged.secrets.read(staged.names[1])
    assert held["username"] == clone
    # So does the one before, which an application may have kept.
    assert staged.lets_in(held)
    assert staged.lets_in(before)
    assert reasons(rotation) == [Reason.NONE] * 2


def test_another_place_keeps_the_password(staged: Stage, rotation: Rotation) -> None:
    rotation.run(Asked(False), wait=WAIT)
    before = staged.secrets.read(staged.names[0])
    kept = staged.ask(VERIFIERS, staged.roles)
    moved = replace(rotation, endpoint=replace(rotation.endpoint, host="new.example.org"))
    assert reasons(moved) == [Reason.MOVED] * 2
    after = staged.secrets.read(staged.names[0])
    assert after["host"] == "new.example.org"
    assert after["password"] == before["password"]
    assert staged.ask(VERIFIERS, staged.roles) == kept


def test_another_place_makes_no_old_password_young(staged: Stage, store: SecretsManager) -> None:
    staged.rotation(store).run(Asked(False), wait=WAIT)
    rotation = staged.rotation(store, days=30)
    moved = replace(rotation, endpoint=replace(rotation.endpoint, host="new.example.org"))
    assert reasons(moved) == [Reason.DUE] * 2
    assert [staged.secrets.read(name)["host"] for name in staged.names] == ["new.example.org"] * 2
    assert reasons(moved) == [Reason.NONE] * 2


def test_a_password_is_due_after_its_days(staged: Stage, store: SecretsManager) -> None:
    staged.rotation(store).run(Asked(False), wait=WAIT)
    assert reasons(staged.rotation(store, days=1)) == [Reason.NONE] * 2

    class Aged(SecretsManager):
        """The same secrets, two days later."""

        def current(self, name: str) -> Version | None:
            found = super().current(name)
            assert found is not None
            assert found.created is not None
            return replace(found, created=found.created - timedelta(days=2))

    aged = Aged(staged.secrets.client())
    assert reasons(staged.rotation(aged, days=3)) == [Reason.NONE] * 2
    assert reasons(staged.rotation(aged, days=1)) == [Reason.DUE] * 2


def test_a_missing_role_is_an_error_that_names_revisions(staged: Stage, rotation: Rotation) -> None:
    staged.ask(f"DROP ROLE {staged.logins[0]}_clone")
    with pytest.raises(RoleMissing, match=r"access\.py") as caught:
        rotation.run(Asked(False), wait=WAIT)
    assert caught.value.roles == (f"{staged.logins[0]}_clone",)
    assert staged.secrets.read(staged.names[0])["password"] == "applicationPassword"


def test_a_secret_of_somebody_else_is_not_overwritten(staged: Stage, rotation: Rotation) -> None:
    staged.secrets.client().put_secret_value(
        SecretId=staged.names[0],
        SecretString=json.dumps(
            {"username": staged.migrator.user, "password": staged.migrator.password}
        ),
    )
    with pytest.raises(SecretUnusable, match="somebody else's"):
        rotation.run(Asked(True), wait=WAIT)


def test_a_superuser_gets_no_password(staged: Stage, rotation: Rotation) -> None:
    staged.ask(f"ALTER ROLE {staged.logins[0]} SUPERUSER")
    with pytest.raises(LoginRefused, match=staged.logins[0]):
        rotation.run(Asked(True), wait=WAIT)
    staged.ask(f"ALTER ROLE {staged.logins[0]} NOSUPERUSER")


def test_a_new_login_that_fails_leaves_the_old_one_current(
    staged: Stage, rotation: Rotation
) -> None:
    rotation.run(Asked(False), wait=WAIT)
    before = staged.secrets.read(staged.names[0])
    clone = f"{staged.logins[0]}_clone"
    staged.ask(f"ALTER ROLE {clone} CONNECTION LIMIT 0")
    with pytest.raises(PasswordRefused, match=clone):
        rotation.run(Asked(True), wait=WAIT)
    assert staged.secrets.read(staged.names[0]) == before
    assert staged.lets_in(before)
    staged.ask(f"ALTER ROLE {clone} CONNECTION LIMIT -1")
    assert reasons(rotation) == [Reason.RESUMED, Reason.NONE]
    assert staged.secrets.read(staged.names[0])["username"] == clone


@pytest.mark.parametrize("left", ["no JSON", "another password of the login in use"])
def test_what_is_pending_and_none_of_ours_is_left_alone(
    staged: Stage, rotation: Rotation, left: str
) -> None:
    rotation.run(Asked(False), wait=WAIT)
    name = staged.names[0]
    held = staged.secrets.read(name)
    if left != "no JSON":
        left = json.dumps(held | {"password": "0ther"})
    staged.secrets.client().put_secret_value(
        SecretId=name, SecretString=left, VersionStages=["AWSPENDING"]
    )
    assert reasons(rotation) == [Reason.NONE] * 2
    assert staged.secrets.read(name) == held
    assert reasons(rotation, is_asked=True) == [Reason.ASKED] * 2
    assert staged.lets_in(held)
    assert staged.lets_in(staged.secrets.read(name))


def test_a_rotation_waits_for_a_migration(staged: Stage, rotation: Rotation) -> None:
    with closing(psycopg2.connect(**staged.admin.libpq)) as migrating:
        keys = LockKeys.of(staged.migrator.database or "", "public", "pgmigrations")
        migrating.cursor().execute("SELECT pg_advisory_lock(%s)", (keys.runner,))
        with pytest.raises(LockHeld):
            rotation.run(Asked(True), wait=0)
    assert reasons(rotation) == [Reason.INITIAL] * 2


def test_a_right_that_is_missing_is_told_as_a_grant(staged: Stage, rotation: Rotation) -> None:
    user, login = staged.migrator.user, staged.logins[0]
    staged.ask(f"ALTER ROLE {user} NOCREATEROLE")
    with pytest.raises(PrivilegeMissing) as caught:
        rotation.run(Asked(False), wait=WAIT)
    assert caught.value.grant == f'ALTER ROLE "{user}" CREATEROLE'
    assert login in caught.value.what
    staged.ask(caught.value.grant)
    assert reasons(rotation) == [Reason.INITIAL] * 2


def test_a_secret_that_does_not_exist_is_named(staged: Stage, rotation: Rotation) -> None:
    staged.secrets.client().delete_secret(SecretId=staged.names[1], ForceDeleteWithoutRecovery=True)
    with pytest.raises(SecretStoreFailure, match=f"{staged.names[1]}.*Create it") as caught:
        rotation.run(Asked(False), wait=WAIT)
    assert caught.value.reason == "ResourceNotFoundException"


def test_a_login_that_no_password_lets_in_is_left_as_it_is(
    staged: Stage, rotation: Rotation
) -> None:
    rotation.run(Asked(False), wait=WAIT)
    before = staged.ask(VERIFIERS, staged.roles)
    staged.ask(f"ALTER ROLE {staged.logins[0]} VALID UNTIL '2020-01-01'")
    for is_asked in (False, True):
        with pytest.raises(LoginExpired, match="VALID UNTIL 'infinity'"):
            rotation.run(Asked(is_asked), wait=WAIT)
    assert staged.ask(VERIFIERS, staged.roles) == before
    staged.ask(f"ALTER ROLE {staged.logins[0]} VALID UNTIL 'infinity'")
    assert reasons(rotation) == [Reason.NONE] * 2


def test_what_was_rotated_for_a_request_is_not_rotated_again(
    staged: Stage, rotation: Rotation
) -> None:
    rotation.run(Asked(), wait=WAIT)
    kept = [rotation.run(Asked(True, "one"), wait=WAIT) for _ in range(2)]
    assert [one.reason for one in kept[0]] == [Reason.ASKED] * 2
    assert [one.reason for one in kept[1]] == [Reason.NONE] * 2
    assert [one.reason for one in rotation.run(Asked(True, "two"), wait=WAIT)] == [Reason.ASKED] * 2


def test_nothing_is_rotated_where_the_password_of_one_may_not_be_set(
    staged: Stage, rotation: Rotation
) -> None:
    rotation.run(Asked(), wait=WAIT)
    staged.ask(f"ALTER ROLE {staged.migrator.user} NOCREATEROLE")
    before = [staged.secrets.read(name)["version"] for name in staged.names]
    with pytest.raises(PrivilegeMissing, match="CREATEROLE"):
        rotation.run(Asked(True), wait=WAIT)
    assert [staged.secrets.read(name)["version"] for name in staged.names] == before


def test_an_operator_may_go_back_to_the_version_before(staged: Stage, rotation: Rotation) -> None:
    rotation.run(Asked(), wait=WAIT)
    name = staged.names[0]
    before = staged.secrets.read(name)
    rotation.run(Asked(True), wait=WAIT)
    now = staged.secrets.read(name)
    staged.secrets.client().update_secret_version_stage(
        SecretId=name,
        VersionStage="AWSCURRENT",
        MoveToVersionId=before["version"],
        RemoveFromVersionId=now["version"],
    )
    assert reasons(rotation) == [Reason.NONE] * 2
    assert staged.secrets.read(name) == before


def test_a_single_login_may_be_the_second_of_two(staged: Stage, store: SecretsManager) -> None:
    rotation = staged.rotation(store)
    rotation.run(Asked(), wait=WAIT)
    rotation.run(Asked(True), wait=WAIT)
    single = staged.rotation(store, mode="single")
    (one, _), token = single.logins, "0" * 32
    single.create(one, token, wait=WAIT)
    for _ in range(2):
        single.set(one, token, wait=WAIT)
        single.test(one, token)
    single.finish(one, token, wait=WAIT)
    held = staged.secrets.read(staged.names[0])
    assert (held["version"], staged.lets_in(held)) == (token, True)


def test_of_two_that_ask_at_once_one_is_enough(
    staged: Stage, rotation: Rotation, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotation.run(Asked(), wait=WAIT)
    locked = Rotation._locked

    def first_another(self: Rotation, wait: float) -> Any:
        monkeypatch.setattr(Rotation, "_locked", locked)
        self.run(Asked(True), wait=wait)
        return locked(self, wait)

    monkeypatch.setattr(Rotation, "_locked", first_another)
    assert reasons(rotation, is_asked=True) == [Reason.NONE] * 2
    assert staged.secrets.read(staged.names[0])["username"].endswith("_clone")
