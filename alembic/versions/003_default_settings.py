"""Default settings

Revision ID: 003_default_settings
Revises: 002_textbook_favorites
Create Date: 2026-11-22 12:31:35.652080
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from pgmigrations import op

revision = "003_default_settings"
down_revision = "002_textbook_favorites"
branch_labels = None
depends_on = None

DEFAULTS = {
    "max_token_limit": "4000",
    "default_model": "meta.llama3-70b-instruct-v1:0",
}

system_settings = sa.table(
    "system_settings", sa.column("key", sa.Text()), sa.column("value", sa.Text())
)


def upgrade() -> None:
    # A setting that somebody has made or changed is left as it is.
    rows = [{"key": key, "value": value} for key, value in DEFAULTS.items()]
    insert = postgresql.insert(system_settings).values(rows)
    op.execute(insert.on_conflict_do_nothing(index_elements=["key"]))


def downgrade() -> None:
    for key, value in DEFAULTS.items():
        is_untouched = sa.and_(system_settings.c.key == key, system_settings.c.value == value)
        op.execute(sa.delete(system_settings).where(is_untouched))
