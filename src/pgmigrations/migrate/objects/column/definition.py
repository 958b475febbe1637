"""The parts of a column's definition, as SQL."""

from __future__ import annotations


def split_generated(generated: str) -> tuple[str, str]:
    """Take `STORED (a * 2)` apart.

    Returns:
        `STORED` or `VIRTUAL`, and the expression; both empty for other columns.
    """
    sort, _, expression = generated.partition(" ")
    return sort, expression


def column_definition(type_: str, collation: str, generated: str) -> str:
    """Write what comes after a column's name, without default and NOT NULL."""
    parts = [type_]
    if collation:
        parts.append(f"COLLATE {collation}")
    if generated:
        sort, expression = split_generated(generated)
        parts.append(f"GENERATED ALWAYS AS ({expression}) {sort}")
    return " ".join(parts)


def identity_clause(identity: str) -> str:
    """Write `ALWAYS START 1 …` as `GENERATED ALWAYS AS IDENTITY (START 1 …)`."""
    sort = "ALWAYS" if identity.startswith("ALWAYS") else "BY DEFAULT"
    return f"GENERATED {sort} AS IDENTITY ({identity.removeprefix(sort).strip()})"


def identity_settings(identity: str) -> str:
    """Write `ALWAYS START 1 …` as `SET GENERATED ALWAYS SET START 1 …`."""
    sort = "ALWAYS" if identity.startswith("ALWAYS") else "BY DEFAULT"
    words = identity.removeprefix(sort).split()
    settings = [f"SET GENERATED {sort}"]
    while words:
        size = 1 if words[0] == "CYCLE" else 2
        settings.append("SET " + " ".join(words[:size]))
        words = words[size:]
    return " ".join(settings)
