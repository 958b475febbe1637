"""The operations on roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from alembic.operations import Operations
from alembic.operations.ops import MigrateOperation
from sqlalchemy import Connection, text

from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.operation import (
    UNRENDERED,
    DifferentObject,
    IrreversibleOperation,
    Operation,
    nothing,
)
from pgmigrations.migrate.core.phase import Phase
from pgmigrations.migrate.core.quoting import do_block, identifier, literal, unless
from pgmigrations.migrate.core.shared_object import USED_ELSEWHERE
from pgmigrations.migrate.objects.role.catalog import (
    POWERS,
    as_compared,
    find,
    properties_of,
)
from pgmigrations.migrate.objects.role.statement import DEFAULTS, alteration, creation


@dataclass(eq=False)
class CreateRole(Operation):
    """`CREATE ROLE`, unless it is there."""

    operation_name: ClassVar[str] = "create_role"
    phase: ClassVar[Phase] = Phase.CREATE_ROLE
    on_server: ClassVar[bool] = True
    name: str
    superuser: bool = field(default=False, kw_only=True)
    createdb: bool = field(default=False, kw_only=True)
    createrole: bool = field(default=False, kw_only=True)
    inherit: bool = field(default=True, kw_only=True)
    replication: bool = field(default=False, kw_only=True)
    bypassrls: bool = field(default=False, kw_only=True)
    connection_limit: int = field(default=-1, kw_only=True)
    settings: Mapping[str, str] | None = field(default=None, kw_only=True)
    comment: str = field(default="", kw_only=True)
    was_there: bool = field(default=False, kw_only=True, metadata=UNRENDERED)
    _missing: list[str] = field(default_factory=list, init=False, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def create_role(
        cls,
        operations: Operations,
        name: str,
        *,
        superuser: bool = False,
        createdb: bool = False,
        createrole: bool = False,
        inherit: bool = True,
        replication: bool = False,
        bypassrls: bool = False,
        connection_limit: int = -1,
        settings: Mapping[str, str] | None = None,
        comment: str = "",
    ) -> None:
        """Create a role that cannot log in, unless the server has it and it is the same.

        Emits `CREATE ROLE … NOLOGIN`, `ALTER ROLE … SET` and `COMMENT ON ROLE`, which lock no
        table; needs CREATEROLE. A role that is there stays as it is, since another database may
        need it: it only gets the settings and the comment that it has not. Its reverse is
        `op.drop_role`. PostgreSQL 14 or newer (PostgreSQL manual, CREATE ROLE).

        Example:
            op.create_role("readwrite")
            op.create_role("app_rw", settings={"role": "readwrite"})

        Args:
            name: The role, unquoted.
            superuser: Whether no privilege is ever asked of it.
            createdb: Whether it may create databases.
            createrole: Whether it may create roles.
            inherit: Whether it has the privileges of the roles that it is a member of.
            replication: Whether it may start replication.
            bypassrls: Whether no row security policy holds for it.
            connection_limit: How many sessions it may have at once; -1 for any number.
            settings: Run-time settings of its sessions in every database; by default none.
            comment: Its comment; by default none.

        Raises:
            DifferentObject: A role of that name is there, and may do what this one shall not.
        """
        operations.invoke(
            cls(
                name,
                superuser=superuser,
                createdb=createdb,
                createrole=createrole,
                inherit=inherit,
                replication=replication,
                bypassrls=bypassrls,
                connection_limit=connection_limit,
                settings=settings,
                comment=comment,
            )
        )

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"role {self.name}"

    @property
    def properties(self) -> dict[str, Any]:
        """What is not as by default."""
        wanted = {key: getattr(self, key) for key in DEFAULTS}
        wanted["settings"] = dict(as_compared((self.settings or {}).items()))
        return {key: value for key, value in wanted.items() if value != DEFAULTS[key]}

    def pending(self, connection: Connection) -> bool:
        """Look for the role; one that lacks only settings or the comment gets those."""
        found = find(connection, self.name)
        self._missing = []
        if found is None:
            return True
        there, wanted = dict(properties_of(found)), {**DEFAULTS, **self.properties}
        has = there["settings"]
        missing = {name: value for name, value in wanted["settings"].items() if name not in has}
        lacking: dict[str, Any] = {"settings": missing} if missing else {}
        there["settings"] = {**has, **missing}
        if wanted["comment"] and not there["comment"]:
            lacking["comment"] = there["comment"] = wanted["comment"]
        if any(there[power] and not wanted[power] for power in POWERS):
            raise DifferentObject(self.subject, _shown(wanted, there), _shown(there, wanted))
        if there != wanted:
            # Later revisions, run for another database of the server, may have made it so.
            log.warning("Left as it is: %s has %s", self.subject, _shown(there, wanted))
        self._missing = [*alteration(self.name, lacking)]
        return bool(self._missing)

    def statements(self) -> list[str]:
        """Return what makes the role, or what it lacks."""
        return self._missing or [*creation(self.name, self.properties)]

    def guarded_statements(self) -> list[str]:
        """Return blocks that leave a role of that name as it is, as far as it may be."""
        blocks = [self.guarded(self.name, [*creation(self.name, self.properties)])]
        powers = [power for power in POWERS if power not in self.properties]
        name = literal(self.name)
        more = " OR ".join(f"r.{_COLUMNS[power]}" for power in powers)
        if more:
            says = literal(f"{self.subject} is there, and may do more than the revision wants")
            block = f"""\
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = {name} AND ({more})) THEN
    RAISE EXCEPTION USING MESSAGE = {says};
  END IF;
END"""
            blocks.append(do_block(block))
        for setting, value in self.properties.get("settings", {}).items():
            has = f"""EXISTS (
    SELECT FROM pg_catalog.pg_db_role_setting s, pg_catalog.pg_roles r, unnest(s.setconfig) one
    WHERE s.setrole = r.oid AND s.setdatabase = 0 AND r.rolname = {name}
      AND starts_with(one, {literal(f"{setting}=")}))"""
            (adding,) = alteration(self.name, {"settings": {setting: value}})
            blocks.append(do_block(unless(has, f"{adding};")))
        return blocks

    @staticmethod
    def guarded(name: str, statements: list[str]) -> str:
        """Write a block that makes a role unless it is there."""
        condition = f"""EXISTS (
    SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = {literal(name)})"""
        return do_block(unless(condition, ";\n    ".join([*statements, ""]).rstrip()))

    def reverse(self) -> MigrateOperation:
        """Drop it again, where nothing else uses it."""
        if self.was_there:
            return nothing()
        return DropRole(self.name, unless_used=True, making=self)


_COLUMNS = {
    "superuser": "rolsuper",
    "createdb": "rolcreatedb",
    "createrole": "rolcreaterole",
    "replication": "rolreplication",
    "bypassrls": "rolbypassrls",
}


@dataclass(eq=False)
class DropRole(Operation):
    """`DROP ROLE`, if it is there and nothing needs it."""

    operation_name: ClassVar[str] = "drop_role"
    phase: ClassVar[Phase] = Phase.DROP_ROLE
    on_server: ClassVar[bool] = True
    name: str
    unless_used: bool = field(default=False, kw_only=True)
    making: CreateRole | None = field(default=None, kw_only=True, metadata=UNRENDERED)

    @classmethod
    def drop_role(cls, operations: Operations, name: str, *, unless_used: bool = False) -> None:
        """Drop a role that nothing in any database of the server needs, if it is there.

        Emits `DROP ROLE`, which locks no table; needs CREATEROLE, and ADMIN on the role from
        PostgreSQL 16 on. The role is left where it is, and that is said, where somebody is logged
        in by it; where it, or a role that it is a member of, owns something or has a privilege in
        another database; and where it has any left in this one. Its reverse is `op.create_role`.

        Example:
            op.drop_role("reporting")

        Args:
            name: The role, unquoted.
            unless_used: Whether it also stays where it can log in, or has members: somebody else
                may have made it.
        """
        operations.invoke(cls(name, unless_used=unless_used))

    @property
    def subject(self) -> str:
        """What it changes."""
        return f"role {self.name}"

    def pending(self, connection: Connection) -> bool:
        """Look for the role, and whether it is in use."""
        row = connection.execute(_USE, {"name": self.name}).one_or_none()
        if row is None:
            return False
        used = [f"is used in database {name}" for name in row.databases or ()]
        if row.sessions:
            used.append(f"has {row.sessions} session{'' if row.sessions == 1 else 's'}")
        if row.is_used_here:
            used.append("still owns something or has privileges in this database")
        if self.unless_used and row.can_log_in:
            used.append("can log in")
        if self.unless_used and row.members:
            used.append(f"has the members {', '.join(row.members)}")
        if used:
            log.info("Left alone: %s %s", self.subject, ", ".join(used))
        return not used

    def statements(self) -> list[str]:
        """Return the one statement."""
        return [f"DROP ROLE {identifier(self.name)}"]

    def guarded_statements(self) -> list[str]:
        """Return a block that leaves a role in use alone."""
        name = literal(self.name)
        return [
            do_block(f"""\
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = {name})
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.usename = {name})
     AND NOT EXISTS ({USED_ELSEWHERE.format(role=name)})
     AND {_IS_FREE.format(role=name) if self.unless_used else "true"}
  THEN
    {self.statements()[0]};
  END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
  RAISE NOTICE 'Left alone: %', SQLERRM;
END""")
        ]

    def reverse(self) -> CreateRole:
        """Create it again as it was."""
        if self.making is None:
            raise IrreversibleOperation(
                f"{self.subject} cannot be made again", "Write op.create_role() by hand"
            )
        return self.making


# Whoever made a role has ADMIN on it from PostgreSQL 16 on, and may do nothing as it, unless
# createrole_self_grant gives it more.
_MEMBERS = """
SELECT m.rolname FROM pg_catalog.pg_auth_members a
JOIN pg_catalog.pg_roles m ON m.oid = a.member JOIN pg_catalog.pg_roles o ON o.oid = a.roleid
WHERE o.rolname = {role} AND to_jsonb(a) ->> 'set_option' IS DISTINCT FROM 'false'
  AND m.rolname <> CURRENT_USER"""
_IS_FREE = (
    "NOT (SELECT r.rolcanlogin FROM pg_catalog.pg_roles r WHERE r.rolname = {role}) "
    f"AND NOT EXISTS ({_MEMBERS})"
)
# A role's memberships go with it.
_USE = text(f"""
SELECT (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid) AS sessions,
       (SELECT array_agg(DISTINCT used.datname) FROM ({USED_ELSEWHERE.format(role=":name")}) used)
         AS databases,
       r.rolcanlogin AS can_log_in,
       ARRAY({_MEMBERS.format(role=":name")}) AS members,
       EXISTS (SELECT FROM pg_shdepend s
               WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid
                 AND s.classid <> 'pg_auth_members'::regclass) AS is_used_here
FROM pg_roles r WHERE r.rolname = :name
""")


def _shown(properties: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Say how one state differs from the other."""
    return ", ".join(
        f"{key}={properties[key]!r}" for key in DEFAULTS if properties[key] != other[key]
    )
