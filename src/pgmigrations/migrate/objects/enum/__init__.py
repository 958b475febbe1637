"""The kind "enum": enumerated types, in both directions and with labels in any place."""

from __future__ import annotations

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.enum.catalog import EnumRecord, read
from pgmigrations.migrate.objects.enum.declared import declared, phrase
from pgmigrations.migrate.objects.enum.label_ops import AddEnumValue, RenameEnumValue
from pgmigrations.migrate.objects.enum.ops import CreateEnum, DropEnum
from pgmigrations.migrate.objects.enum.renaming import RENAMING
from pgmigrations.migrate.objects.enum.replace import ReplaceEnum, perform_replacement

KIND: Kind[EnumRecord] = Kind(
    name="enum",
    read=read,
    operations=(CreateEnum, DropEnum, AddEnumValue, RenameEnumValue, ReplaceEnum),
    performers={ReplaceEnum: perform_replacement},
    comparison=Comparison(phrase, declared),
    renaming=RENAMING,
)
