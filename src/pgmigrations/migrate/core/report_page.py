"""What differs, as a person reads a diff: grouped by table, actual above declared."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeAlias

from rich.text import Text

from pgmigrations.migrate.core.report import ObjectDifference, PropertyDifference

LONG = 76
"""Characters above which what is equal in a definition is left out."""

_AROUND = 3
_COLOURS = {"-": "red", "+": "green"}
_HOW = {
    "added": ("+", "declared, not in the database"),
    "removed": ("-", "in the database, not declared"),
    "changed": (" ", ""),
    "unmade": ("+", "declared and on this server, and no revision makes it"),
}
ShownSchema: TypeAlias = Callable[[str], str | None]


def page(differences: Sequence[ObjectDifference], shown_schema: ShownSchema) -> Iterator[Text]:
    """Yield the lines that show differences; `str()` of each is its plain text.

    Args:
        differences: What differs.
        shown_schema: Returns a schema as it is to be shown; None where it goes without saying.
    """

    def place(one: ObjectDifference) -> tuple[str, str]:
        table = one.name if one.kind == "table" else one.table
        return (one.schema or "", table) if table is not None else ("", "")

    for (schema, table), found in groupby(sorted(differences, key=place), key=place):
        members = list(found)
        if not table:
            for one in members:
                yield from _object(one, "", shown_schema)
            continue
        whole = next((one for one in members if one.kind == "table"), None)
        if whole is not None and whole.change != "changed":
            yield _heading(whole, "", shown_schema, _counted(members))
            continue
        if whole is None:
            yield Text(f"  table {_name(schema, table, shown_schema)}", style="bold")
        for one in sorted(members, key=lambda one: one.kind != "table"):
            yield from _object(one, "" if one.kind == "table" else "  ", shown_schema)


def _object(one: ObjectDifference, indent: str, shown_schema: ShownSchema) -> Iterator[Text]:
    yield _heading(one, indent, shown_schema, "")
    for property_ in one.properties:
        if one.change == "changed":
            yield Text(f"{indent}    {property_.name}")
            yield from _compared(property_, f"{indent}      ")
        else:
            value = property_.declared if one.change != "removed" else property_.actual
            if isinstance(value, bool):
                continue
            yield Text(f"{indent}      {property_.name}  {' '.join(_words(value))}")


def _heading(one: ObjectDifference, indent: str, shown_schema: ShownSchema, more: str) -> Text:
    sign, how = _HOW[one.change]
    schema = one.schema if one.table is None else None
    note = "; ".join(filter(None, (how, more)))
    line = f"{indent}{sign} {one.kind} {_name(schema, one.name, shown_schema)}"
    return Text(line + (f" ({note})" if note else ""), style=f"bold {_COLOURS.get(sign, '')}")


def _name(schema: str | None, name: str, shown_schema: ShownSchema) -> str:
    shown = shown_schema(schema) if schema else None
    return ".".join(_printable(part) for part in (shown, name) if part)


def _counted(members: Sequence[ObjectDifference]) -> str:
    counts = Counter(one.kind for one in members if one.kind != "table")
    plural = {kind: f"{kind}es" if kind.endswith("x") else f"{kind}s" for kind in counts}
    return ", ".join(
        f"{count} {kind if count == 1 else plural[kind]}" for kind, count in counts.items()
    )


def _compared(one: PropertyDifference, indent: str) -> Iterator[Text]:
    if any("\n" in str(value) for value in (one.actual, one.declared)):
        yield from _compared_lines(str(one.actual), str(one.declared), indent)
        return
    actual, declared = _words(one.actual), _words(one.declared)
    shown: dict[str, Text] = {
        "-": Text(f"{indent}- actual    ", style="red"),
        "+": Text(f"{indent}+ declared  ", style="green"),
    }
    is_long = max(len(" ".join(words)) for words in (actual, declared)) > LONG
    matcher = difflib.SequenceMatcher(a=actual, b=declared, autojunk=False)
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        same = tag == "equal"
        for sign, words in (("-", actual[start:end]), ("+", declared[other_start:other_end])):
            if same and is_long:
                words = _shortened(words, is_first=not start, is_last=end == len(actual))
            style = "" if same or not is_long else "bold underline"
            for word in words:
                shown[sign].append(word, style=style).append(" ")
    for line in shown.values():
        line.rstrip()
        yield line


def _shortened(words: list[str], *, is_first: bool, is_last: bool) -> list[str]:
    """Keep what stands beside a difference."""
    head = 0 if is_first else _AROUND
    tail = 0 if is_last else _AROUND
    if len(words) <= head + tail + 1:
        return words
    return [*words[:head], "…", *words[len(words) - tail :]]


def _compared_lines(actual: str, declared: str, indent: str) -> Iterator[Text]:
    for line in difflib.ndiff(actual.splitlines(), declared.splitlines()):
        if not line.startswith("?"):
            yield Text(f"{indent}{_printable(line)}", style=_COLOURS.get(line[0], ""))


def _words(value: Any) -> list[str]:
    if isinstance(value, tuple):
        items = [_item(item) for item in value]
        return [f"{item}," for item in items[:-1]] + items[-1:] or ["(none)"]
    if isinstance(value, bool):
        return [str(value).lower()]
    return _printable(str(value)).split(" ") if value not in (None, "") else ["(none)"]


def _item(value: Any) -> str:
    return ".".join(map(_item, value)) if isinstance(value, tuple) else _printable(str(value))


def _printable(text: str) -> str:
    """Write what a terminal would act upon as an escape."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
