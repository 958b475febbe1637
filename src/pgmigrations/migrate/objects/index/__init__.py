"""The kind "index": in place where that can be, else made anew."""

from __future__ import annotations

from alembic.operations.ops import CreateIndexOp, DropIndexOp

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.index.catalog import IndexRecord, read
from pgmigrations.migrate.objects.index.declared import disturbed, phrase, reprinted
from pgmigrations.migrate.objects.index.ensure import (
    created,
    dropped,
    if_exists,
    if_not_exists,
)
from pgmigrations.migrate.objects.index.ops import AlterIndex, CommentOnIndex, CreateIndexAs
from pgmigrations.migrate.objects.index.rename import RenameIndex
from pgmigrations.migrate.objects.index.renaming import RENAMING
from pgmigrations.migrate.objects.index.replace import ReplaceIndex

KIND: Kind[IndexRecord] = Kind(
    name="index",
    read=read,
    operations=(CreateIndexAs, ReplaceIndex, AlterIndex, CommentOnIndex, RenameIndex),
    comparison=Comparison(phrase, reprinted=reprinted, disturbed=disturbed),
    ensured={CreateIndexOp: if_not_exists, DropIndexOp: if_exists},
    implementations={CreateIndexOp: created, DropIndexOp: dropped},
    renaming=RENAMING,
)
