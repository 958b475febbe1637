"""What decides, besides the models, how a server understands them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy

from pgmigrations import __version__
from pgmigrations.migrate.core.borrowed import borrowed_digest
from pgmigrations.migrate.core.fingerprint import digest
from pgmigrations.migrate.core.kind import AnyKind
from pgmigrations.migrate.core.snapshot import Scope

# Whatever the role, the database or the server sets may change what SQL means or how it prints.
# The rest of a database's row changes with time or is no property of what lies in it.
_FACTS = {
    "server": "SELECT version() || ' ' || current_user",
    "database": """
SELECT (to_jsonb(d) - ARRAY['oid', 'datname', 'datdba', 'datfrozenxid', 'datminmxid', 'datacl',
                            'datconnlimit', 'datallowconn', 'datistemplate', 'dathasloginevt']
       )::text FROM pg_database d WHERE d.datname = current_database()""",
    "settings": """
SELECT string_agg(s.name || '=' || s.setting, chr(10) ORDER BY s.name) FROM pg_settings s
WHERE s.context IN ('user', 'superuser') AND s.setting IS DISTINCT FROM s.boot_val
  AND s.name <> 'application_name'""",
    "available_extensions": """
SELECT string_agg(e.name || ' ' || coalesce(e.default_version, ''), chr(10) ORDER BY e.name)
FROM pg_available_extensions e""",
    "borrowed": borrowed_digest(),
}


def facts() -> dict[str, str]:
    """Return the expressions that tell of a target what `environment_key` takes, by name."""
    return dict(_FACTS)


def fact_parameters(names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the parameters of `facts`.

    Args:
        names: (schema, name) of what the models create themselves.
    """
    return {"declared_names": [json.dumps(one, ensure_ascii=False) for one in sorted(names)]}


def environment_key(
    found: Mapping[str, str], kinds: Sequence[AnyKind], scope: Scope, scratch_url: str
) -> str:
    """Return a digest of all that decides how models are understood, but the models.

    Args:
        found: The values of `facts`, with the settings that the connection had.
        kinds: The list of `pgmigrations.migrate.kinds`.
        scope: What is looked at.
        scratch_url: As in the settings.
    """
    return digest(
        [
            __version__,
            sqlalchemy.__version__,
            sorted(found.items()),
            [(kind.name, kind.read.statement) for kind in kinds],
            (scope.default_schema, sorted(scope.schemas)),
            (sorted(scope.ignore_extensions), sorted(scope.ignore_relations)),
            (sorted(scope.roles), sorted(scope.grantees), sorted(scope.granted_schemas)),
            scratch_url,
        ]
    )
