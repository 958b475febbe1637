<%
    # The message becomes part of Python's text: nothing in it may end or change that text.
    summary = (message or "Revision").replace("\\", "\\\\").replace('"', "'")
%>\
"""${summary}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}
"""

from __future__ import annotations

import sqlalchemy as sa
${imports + "\n" if imports else ""}
from pgmigrations import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
