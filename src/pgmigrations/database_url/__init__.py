"""Where the database is: URLs as people have them, read into one exact form.

Only the standard library is imported here, so that a setting can be read without loading a driver.

Example:
    >>> parse_database_url("postgres://app:p@ss@db.example.org/shop?sslmode=require")
    DatabaseUrl('postgresql://app:***@db.example.org/shop?sslmode=require')
"""

from __future__ import annotations

from pgmigrations.database_url.environment import from_environment
from pgmigrations.database_url.parse import parse_database_url
from pgmigrations.database_url.value import DatabaseUrl, DatabaseUrlError

__all__ = ["DatabaseUrl", "DatabaseUrlError", "from_environment", "parse_database_url"]
