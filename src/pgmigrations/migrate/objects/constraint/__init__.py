"""The kind "constraint": checks, keys, foreign keys and exclusion constraints."""

from __future__ import annotations

from alembic.operations import ops

from pgmigrations.migrate.core.kind import Comparison, Kind
from pgmigrations.migrate.objects.constraint.add import AddConstraint, RemoveConstraint
from pgmigrations.migrate.objects.constraint.catalog import ConstraintRecord, read
from pgmigrations.migrate.objects.constraint.ensure import (
    dropped,
    guarded,
    if_exists,
    if_not_exists,
    rendered,
)
from pgmigrations.migrate.objects.constraint.index_settings import ChangeConstraintIndex
from pgmigrations.migrate.objects.constraint.moving import disturbed
from pgmigrations.migrate.objects.constraint.parts import parts
from pgmigrations.migrate.objects.constraint.phrase import phrase, reprinted
from pgmigrations.migrate.objects.constraint.rename import RenameConstraint
from pgmigrations.migrate.objects.constraint.renaming import RENAMING
from pgmigrations.migrate.objects.constraint.replace import (
    CommentOnConstraint,
    ReplaceConstraint,
    ValidateConstraint,
)

KIND: Kind[ConstraintRecord] = Kind(
    name="constraint",
    read=read,
    operations=(
        AddConstraint,
        RemoveConstraint,
        ReplaceConstraint,
        ValidateConstraint,
        CommentOnConstraint,
        ChangeConstraintIndex,
        RenameConstraint,
    ),
    comparison=Comparison(phrase, reprinted=reprinted, parts=parts, disturbed=disturbed),
    ensured={
        ops.CreateForeignKeyOp: if_not_exists,
        ops.CreateUniqueConstraintOp: if_not_exists,
        ops.CreateCheckConstraintOp: if_not_exists,
        ops.DropConstraintOp: if_exists,
    },
    implementations={ops.AddConstraintOp: guarded, ops.DropConstraintOp: dropped},
    renderers={
        ops.CreateForeignKeyOp: rendered,
        ops.CreateUniqueConstraintOp: rendered,
        ops.CreateCheckConstraintOp: rendered,
    },
    renaming=RENAMING,
)
