"""Model-first PostgreSQL migrations on Alembic.

Importing this package imports neither Alembic nor SQLAlchemy.
"""

from __future__ import annotations

__version__ = "0.1.0.dev0"
