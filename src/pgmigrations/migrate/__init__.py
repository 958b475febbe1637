"""The generator side: what `alembic revision` and the operations in revisions are made of."""

from __future__ import annotations

# Alembic's plugins load in the middle of its own import. Importing it whole first lets every
# module below be the first one that a process imports.
import alembic  # noqa: F401
