"""Find out that a database is at head without SQLAlchemy, Alembic and the revision files.

Nine tenths of a run with nothing to do is importing those. Whatever is not exactly as expected is
left to the long way, which knows what to say about it.
"""

from __future__ import annotations

import io
import json
import os
import sys

from pgmigrations.run import manifest as manifests

TYPE_CHECKING = False  # Importing `typing` takes longer than the look.
if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg2 import extensions

    from pgmigrations.database_url import DatabaseUrl
    from pgmigrations.run.manifest import Manifest

# One message, so one round trip, and one transaction, at whose end the settings are gone. Names
# travel as values. A table that is missing, or another tool's, leaves no answer and no error. A
# revision whose last row is "started" is half done, and so may be one whose way back has failed.
_LOOK = """\
SELECT set_config('pgmigrations.schema', %s, true), set_config('pgmigrations.table', %s, true),
  set_config('pgmigrations.rows', '', true);
DO $look$
DECLARE
  place text := coalesce(nullif(current_setting('pgmigrations.schema'), ''), current_schema());
  name text := current_setting('pgmigrations.table');
  versions regclass := to_regclass(format('%%I.%%I', place, name));
  history regclass := to_regclass(format('%%I.%%I', place, name || '_history'));
  rows text;
  is_half_done boolean := false;
BEGIN
  EXECUTE format('SELECT coalesce(json_agg(version_num), ''[]'') FROM %%s', versions) INTO rows;
  IF history IS NOT NULL THEN
    EXECUTE format(
      'SELECT EXISTS (SELECT FROM %%s GROUP BY revision HAVING max(id) FILTER (WHERE'
      ' status = ''started'' OR status = ''failed'' AND direction = ''downgrade'') = max(id))',
      history
    ) INTO is_half_done;
  END IF;
  IF NOT is_half_done THEN
    PERFORM set_config('pgmigrations.rows', rows, true);
  END IF;
EXCEPTION WHEN OTHERS THEN
END
$look$;
SELECT current_setting('pgmigrations.rows')"""
_MODULE = "_pgmigrations_database_url"


def up_to_date(
    target: str, ini: str = "alembic.ini", *, url: DatabaseUrl | None = None
) -> list[str] | None:
    """Return the revisions that the database is at, if an upgrade to `target` has nothing to do.

    None says nothing: the upgrade itself has to find out. Sends one statement.

    Args:
        target: `head` or `heads`; any other target is left to the upgrade.
        ini: The project's alembic.ini.
        url: The database; by default what the project's setting `database_url` gives.

    Raises:
        DatabaseFailure: The server cannot be reached, or refuses.
    """
    root = os.path.dirname(os.path.abspath(ini))
    manifest = _usable(root, ini)
    rows = manifest.rows_at(target) if manifest else None
    if manifest is None or not rows:
        return None
    said = ""
    if url is None:
        # What the project says while it looks, the upgrade would say once more.
        stderr, sys.stderr = sys.stderr, io.StringIO()
        try:
            url = _url(root, manifest)
            said = sys.stderr.getvalue()
        finally:
            sys.stderr = stderr
    if url is None or _rows(url, manifest) != sorted(rows):
        return None
    print(said, end="", file=sys.stderr)
    return rows


def is_at(cursor: extensions.cursor, manifest: Manifest, rows: list[str]) -> bool:
    """Tell whether the database has exactly these version rows, and no revision is half done.

    Args:
        cursor: On the database; in a transaction or in autocommit.
        manifest: Names the version table.
        rows: The version rows.
    """
    return _found(cursor, manifest) == sorted(rows)


def _usable(root: str, ini: str) -> Manifest | None:
    if "ALEMBIC_CONFIG" in os.environ:
        return None
    manifest = manifests.read(root)
    if manifest is None or os.path.basename(ini) not in manifest.files or not manifest.url:
        return None
    if any(name in os.environ for name in manifest.unset):
        return None
    return manifest if manifest.fits(root, "pyproject.toml") else None


def _url(root: str, manifest: Manifest) -> DatabaseUrl | None:
    """Ask the project for its database; None where it fails, which env.py would say better."""
    kept = list(sys.path)
    sys.path[:0] = [os.path.join(root, path) for path in manifest.paths]
    try:
        return project_url(root, manifest.url)
    except Exception:
        return None
    finally:
        sys.path[:] = kept


def project_url(root: str, setting: str) -> DatabaseUrl:
    """Call what the setting `database_url` names, without importing the package around it.

    Args:
        root: The folder of alembic.ini.
        setting: File and function, such as `app/settings.py:database_url`.
    """
    from importlib.util import module_from_spec, spec_from_file_location

    path, _, name = setting.rpartition(":")
    spec = spec_from_file_location(_MODULE, os.path.join(root, path))
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = module_from_spec(spec)
    # A dataclass looks its own module up.
    sys.modules[_MODULE] = module
    try:
        spec.loader.exec_module(module)
        function: Callable[[], DatabaseUrl] = getattr(module, name)
        return function()
    finally:
        del sys.modules[_MODULE]


def _rows(url: DatabaseUrl, manifest: Manifest) -> list[str] | None:
    import psycopg2

    from pgmigrations.run.connection import connect

    try:
        connection = connect(url)
    except psycopg2.Error as error:
        from pgmigrations.run.failure import explain

        raise explain(error, url=url) from error
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            return _found(cursor, manifest)
    except psycopg2.Error:
        return None
    finally:
        connection.close()


def _found(cursor: extensions.cursor, manifest: Manifest) -> list[str] | None:
    cursor.execute(_LOOK, (manifest.version_table_schema, manifest.version_table))
    (text,) = cursor.fetchone() or ("",)
    return sorted(json.loads(text)) if text else None
