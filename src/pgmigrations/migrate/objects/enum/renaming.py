"""What the models say of the names that labels have had, and what looks like a rename."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from sqlalchemy import MetaData

from pgmigrations.declare import RenamedLabel, declarations
from pgmigrations.migrate.core.hint import Place, RenameHint, Renaming
from pgmigrations.migrate.core.snapshot import Change, Scope, Snapshot
from pgmigrations.migrate.objects.enum.catalog import EnumRecord
from pgmigrations.migrate.objects.enum.label_ops import RenameEnumValue
from pgmigrations.migrate.objects.enum.look import shown


def _operation(place: Place, old: str, new: str, scope: Scope) -> RenameEnumValue:
    schema, name = place
    return RenameEnumValue(name, old, new, schema=scope.shown_schema(schema))


def _hints(metadatas: Sequence[MetaData], scope: Scope) -> Iterator[RenameHint]:
    for metadata in metadatas:
        for one in declarations(metadata, RenamedLabel):
            place = (one.schema or scope.default_schema, one.enum)
            yield RenameHint("label", place, one.old, one.new, one.declared_at)


def _is_there(state: Snapshot[EnumRecord], place: Place, name: str) -> bool:
    found = state.get(("enum", *place))
    return found is not None and name in found.labels


def _likely(change: Change[EnumRecord], scope: Scope) -> Iterator[str]:
    """Speak of labels that are taken away and added at the same place."""
    before, after = change.before, change.after
    if before is None or after is None:
        return
    schema = scope.shown_schema(after.schema)
    where = f", schema={schema!r}" if schema else ""
    matcher = SequenceMatcher(None, before.labels, after.labels, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "replace" or end - start != new_end - new_start:
            continue
        pairs = zip(before.labels[start:end], after.labels[new_start:new_end], strict=True)
        for old, new in pairs:
            if old not in after.labels and new not in before.labels:
                yield (
                    f"label {old} of {shown(schema, after.name)} is dropped and {new} added: if "
                    f"that is a rename, add declare(metadata, RenamedLabel({after.name!r}, "
                    f"{old!r}, {new!r}{where})) to the models and generate this revision again"
                )


RENAMING: Renaming[EnumRecord] = Renaming(
    _operation, _hints, part="label", is_there=_is_there, likely=_likely
)
