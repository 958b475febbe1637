"""What models say about PostgreSQL for which SQLAlchemy has no word.

Models import SQLAlchemy and this package, nothing else of ours; importing it does not import
Alembic, so an application that loads its models at run time pays nothing for its migrations.

Example:
    >>> from sqlalchemy import MetaData
    >>> metadata = MetaData()
    >>> declare(metadata, Extension("uuid-ossp"), Extension("vector"))
    >>> [declared.name for declared in declarations(metadata, Extension)]
    ['uuid-ossp', 'vector']
"""

from __future__ import annotations

from pgmigrations.declare.declaration import Declaration, declarations, declare
from pgmigrations.declare.extension import Extension
from pgmigrations.declare.grant import EVERY, DefaultPrivilege, Grant
from pgmigrations.declare.privilege import PUBLIC
from pgmigrations.declare.renamed import RenamedLabel, rename_hint, renamed_from
from pgmigrations.declare.role import Role, application_login

__all__ = [
    "EVERY",
    "PUBLIC",
    "Declaration",
    "DefaultPrivilege",
    "Extension",
    "Grant",
    "RenamedLabel",
    "Role",
    "application_login",
    "declarations",
    "declare",
    "rename_hint",
    "renamed_from",
]
