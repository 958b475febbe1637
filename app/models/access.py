"""Who may do what: the roles, and the logins of the application.

Revisions make the roles and what they may do; `pgmigrations deploy` lets the logins log in, and
sets their passwords.
"""

from __future__ import annotations

from app.models.base import metadata
from pgmigrations.declare import (
    EVERY,
    DefaultPrivilege,
    Grant,
    Role,
    application_login,
    declare,
)

declare(
    metadata,
    Role("readwrite"),
    Role("tablecreator"),
    *application_login("app_rw", "readwrite"),
    *application_login("app_tc", "tablecreator"),
)

for role in ("readwrite", "tablecreator"):
    declare(
        metadata,
        Grant(["CONNECT"], to=role, database=True),
        Grant(["SELECT", "INSERT", "UPDATE", "DELETE"], to=role, tables=EVERY),
        Grant(["USAGE", "SELECT"], to=role, sequences=EVERY),
    )

declare(
    metadata,
    Grant(["USAGE"], to="readwrite", schemas=["public"]),
    Grant(["USAGE", "CREATE"], to="tablecreator", schemas=["public"]),
    # What the one makes, the other uses.
    DefaultPrivilege(
        ["SELECT", "INSERT", "UPDATE", "DELETE"],
        on="tables",
        for_role="tablecreator",
        to="readwrite",
        schema="public",
    ),
    DefaultPrivilege(
        ["USAGE", "SELECT"],
        on="sequences",
        for_role="tablecreator",
        to="readwrite",
        schema="public",
    ),
)
