"""Say which GRANT is missing, where the server's message lets one tell."""

from __future__ import annotations

import re

from pgmigrations.run.evidence import Evidence
from pgmigrations.run.failure_kind import PrivilegeMissing

_DENIED = re.compile(r"permission denied for (?P<kind>[a-z -]+?) (?P<name>.+)")
_OWNER = re.compile(r"must be (?:the )?owner of (?P<kind>[a-z -]+?) (?P<name>.+)")
_EXTENSION = re.compile(r'permission denied to create extension "(?P<name>.+)"')
_ATTRIBUTE = re.compile(r"permission denied to create (?P<kind>role|database)")
_PARAMETER = re.compile(r'permission denied to set parameter "(?P<name>.+)"')
_TEMPORARY = re.compile(r'permission denied to create temporary tables in database "(?P<name>.+)"')
_PRIVILEGES = {
    "schema": "CREATE, USAGE",
    "database": "CREATE",
    "sequence": "USAGE, SELECT, UPDATE",
    "type": "USAGE",
    "domain": "USAGE",
    "language": "USAGE",
    "function": "EXECUTE",
    "procedure": "EXECUTE",
    "tablespace": "CREATE",
    "foreign server": "USAGE",
    "foreign-data wrapper": "USAGE",
}
_OF_TABLES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
_KINDS_OF_TABLES = ("table", "view", "materialized view", "foreign table", "relation")
_ATTRIBUTES = {"role": "CREATEROLE", "database": "CREATEDB"}


def privilege_missing(facts: Evidence) -> PrivilegeMissing:
    """The failure for SQLSTATE 42501, with the statement that would mend it.

    The server's message is the only place that names the object, so one in another language
    gives a failure without `grant`.

    Args:
        facts: What is known about the error.
    """
    subject, grant, advice = _remedy(facts)
    statement = f" (statement: {facts.statement})" if facts.statement else ""
    who = "a superuser" if "superuser" in facts.advice else "a privileged role"
    hint = f"Run as {who}: {grant}" if grant else advice
    return PrivilegeMissing(
        f'User "{facts.user}" lacks a privilege: {facts.primary}{statement}',
        hint or facts.advice.rstrip(".") or "Use a role that owns the objects, or is granted to it",
        sqlstate=facts.sqlstate,
        subject=subject,
        grant=grant,
    )


def _remedy(facts: Evidence) -> tuple[str | None, str, str]:
    user, text = _quoted(facts.user), facts.primary
    if found := _EXTENSION.search(text):
        return _extension(found["name"], facts)
    if found := _TEMPORARY.search(text):
        name = found["name"]
        return name, f"GRANT TEMPORARY ON DATABASE {_quoted(name)} TO {user}", ""
    if found := _PARAMETER.search(text):
        name = found["name"]
        return name, "", f'Let a superuser set it, or GRANT SET ON PARAMETER "{name}" TO {user}'
    if found := _ATTRIBUTE.search(text):
        return None, f"ALTER ROLE {user} {_ATTRIBUTES[found['kind']]}", ""
    if found := _OWNER.search(text):
        kind, name = found["kind"], found["name"]
        return (
            name,
            "",
            f"Run as the owner of {kind} {name}, or as a member of the role that owns it",
        )
    if found := _DENIED.search(text):
        return _denied(found["kind"], found["name"], facts)
    return None, "", ""


def _extension(name: str, facts: Evidence) -> tuple[str, str, str]:
    # A trusted extension (PostgreSQL 13) needs no superuser, only CREATE on the database.
    if "CREATE privilege" in facts.advice:
        grant = f"GRANT CREATE ON DATABASE {_quoted(facts.database)} TO {_quoted(facts.user)}"
        return name, grant, ""
    return name, f"CREATE EXTENSION {_quoted(name)}", ""


def _denied(kind: str, name: str, facts: Evidence) -> tuple[str, str, str]:
    user = _quoted(facts.user)
    if kind in _KINDS_OF_TABLES:
        verb = facts.statement.lstrip("( ").partition(" ")[0].upper()
        privilege = verb if verb in _OF_TABLES else "ALL"
        return name, f"GRANT {privilege} ON TABLE {_quoted(name)} TO {user}", ""
    if kind in ("function", "procedure"):
        # Only the name is told, and without its argument types GRANT may be ambiguous.
        return (
            name,
            "",
            f"A superuser can GRANT EXECUTE ON {kind.upper()} {_quoted(name)} TO {user}",
        )
    privilege = _PRIVILEGES.get(kind, "")
    if not privilege:
        return name, "", ""
    return name, f"GRANT {privilege} ON {kind.upper()} {_quoted(name)} TO {user}", ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
