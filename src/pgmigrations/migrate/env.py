"""What `alembic/env.py` calls: models, arguments of `context.configure()`, connection, errors."""

from __future__ import annotations

import difflib
import functools
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg2
from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core import alembic_private
from pgmigrations.migrate.core.heap import growing_heap, skip_at_exit
from pgmigrations.migrate.core.options import OPTION, declared_schemas
from pgmigrations.migrate.core.revision_file import RevisionFile, read_revision_files
from pgmigrations.migrate.known import KNOWN, idle_at_head, known_before
from pgmigrations.migrate.manifest import keep_manifest
from pgmigrations.migrate.steps import ADOPTING, PURGE, REBASING, prepared, told
from pgmigrations.plugin import NAME, ensure_callable, ensure_registered
from pgmigrations.run.connection import forget_if_lost, open_engine
from pgmigrations.run.outcome import SETTINGS, URL, URL_USED
from pgmigrations.settings import SECTION, Settings, UnknownSection, switch

if TYPE_CHECKING:
    from pgmigrations.database_url import DatabaseUrl
    from pgmigrations.migrate.core.render import RenderItem
    from pgmigrations.migrate.writing import Directives

IncludeName: TypeAlias = Callable[[str | None, Any, Any], bool]


@contextmanager
def loading_models() -> Iterator[None]:
    """Import the models in less time: the garbage collector waits until they are there.

    They all stay, and it would go through them again and again: at 1,000 tables that is a third of
    the time that importing them takes.

    Example:
        with loading_models():
            from app.models import metadata
    """
    with growing_heap():
        yield


def configure_arguments(
    target_metadata: MetaData | Sequence[MetaData],
    *,
    include_name: IncludeName | None = None,
    render_item: RenderItem | None = None,
    process_revision_directives: Directives | None = None,
    settings: dict[str, object] | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    """Build the arguments of `context.configure()`, once for online and offline runs.

    Reads `[pgmigrations]` of alembic.ini and checks the revision files, unless they are those that
    were checked last time, before any connection is made.

    Example:
        context.configure(connection=connection, **configure_arguments(metadata))

    Args:
        target_metadata: The models' metadata, one or several.
        include_name: As Alembic's; ours narrows it to the schemas that the models name.
        render_item: As Alembic's; asked before ours, which renders types.
        process_revision_directives: As Alembic's; called after ours has named the revision.
        settings: Settings that win over alembic.ini.
        arguments: Any other argument of `context.configure()`, passed on.

    Raises:
        UnknownSetting, InvalidSetting: alembic.ini has a key or a value that does not fit.
        RevisionFileError: A revision file cannot be used.
    """
    if context.config.cmd_opts is not None:
        # A process of Alembic's own: the models stay until it ends.
        skip_at_exit()
    chosen = _settings(settings or {})
    # The file's stem is the revision's id, so nothing is added to it.
    context.script.file_template = "%(rev)s"
    known = known_before()
    is_joining = alembic_private.is_merge(alembic_private.migrations_fn())
    files = functools.cache(functools.partial(_files, is_joining=is_joining))
    if known.manifest is None:
        files()
    metadatas = [target_metadata] if isinstance(target_metadata, MetaData) else [*target_metadata]
    schemas = declared_schemas(metadatas)
    command = alembic_private.migrations_fn()
    work = prepared(command)
    built: dict[str, Any] = {
        "target_metadata": target_metadata,
        OPTION: chosen,
        KNOWN: known,
        "fn": told(work if chosen.refuse_changed else idle_at_head(work, known)),
        "version_table": chosen.version_table + _adopting(),
        "version_table_schema": chosen.version_table_schema or None,
        "transaction_per_migration": True,
        # The version table is made by the first step, in its transaction.
        "dont_mutate": True,
        # Alembic's own would compare text.
        "autogenerate_plugins": [NAME],
        "include_schemas": bool(schemas),
        "include_name": _included(include_name, schemas),
    }
    if alembic_private.is_changing(command):
        ensure_callable()
    else:
        # What only runs revisions needs none of this, which takes longer to import than Alembic.
        from pgmigrations.migrate.writing import writing_arguments

        ensure_registered()
        built |= writing_arguments(chosen, files, render_item, process_revision_directives)
    if alembic_private.is_purge():
        built |= {PURGE: True, "purge": False}
    if context.is_offline_mode():
        built |= {
            "dialect_name": "postgresql",
            # Else SQLAlchemy doubles every % as for psycopg2, into SQL that psql reads.
            "dialect_opts": {"paramstyle": "named"},
            "literal_binds": True,
        }
    return built | arguments


@contextmanager
def connected(url: DatabaseUrl | Callable[[], DatabaseUrl]) -> Iterator[Connection]:
    """Connect to the database for one run.

    Args:
        url: What `parse_database_url()` makes of a text; or a function that returns it, such as
            `app.settings.database_url`, which is not called where the run is given a database,
            as by `pgmigrations.api`.

    Raises:
        DatabaseFailure: The server cannot be reached, or refuses; one line that says what to do.
        NotTheVersionTable: What is there by the version table's name is something else.
    """
    given: DatabaseUrl | None = context.config.attributes.get(URL)
    if given is not None:
        url = given
        context.config.attributes[URL_USED] = True
    elif callable(url):
        url = url()
    try:
        with alembic_private.operations_taken_back(), open_engine(url).connect() as connection:
            try:
                yield connection
            except DBAPIError as error:
                from pgmigrations.migrate.version_table import other_version_table

                other = other_version_table(connection, error)
                if other is None:
                    raise
                raise other from error
            finally:
                forget_if_lost(connection)
    except (DBAPIError, psycopg2.Error) as error:
        # Much of what it takes is imported with it.
        from pgmigrations.run.failure import explain

        raise explain(error, url=url) from error
    if given is None:
        keep_manifest(url)


@contextmanager
def command_errors() -> Iterator[None]:
    """Give every failure of ours to Alembic's command line, which prints it as one line."""
    try:
        yield
    except PgMigrationsError as error:
        message = " ".join(str(error).split())
        options = context.config.cmd_opts
        if context.is_offline_mode() or getattr(options, "quiet", False):
            # Alembic prints failures on stdout, which is the script here, or not at all.
            print(f"FAILED: {message}", file=sys.stderr)
        raise CommandError(message) from error
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


def _adopting() -> str:
    """While a table is adopted, its name is not that of a version table yet."""
    return "_adopting" if context.config.attributes.get(ADOPTING) else ""


def _settings(overrides: dict[str, object]) -> Settings:
    config = context.config
    for name in config.file_config.sections():
        if name != SECTION and difflib.get_close_matches(name, [SECTION], cutoff=0.8):
            raise UnknownSection(name, config.config_file_name or "alembic.ini")
    section = config.get_section(SECTION, {}) or {}
    overrides = {**overrides, **context.config.attributes.get(SETTINGS, {})}
    asked = context.get_x_argument(as_dictionary=True).get("prove")
    # ConfigParser mixes the keys of [DEFAULT], such as Alembic's own `here`, into every section.
    own = {key: text for key, text in section.items() if key not in config.file_config.defaults()}
    if asked is not None:
        overrides = {**overrides, "prove": switch("-x prove", asked)}
    return Settings.load(own, config.config_file_name or "alembic.ini", **overrides)


def _included(users: IncludeName | None, schemas: set[str]) -> IncludeName:
    """Look only at the schemas of the models, and there at what the project's own filter wants."""

    def include_name(name: str | None, type_: Any, parents: Any) -> bool:
        if type_ == "schema" and name is not None and name not in schemas:
            return False
        return users is None or users(name, type_, parents)

    return include_name


def _files(*, is_joining: bool) -> list[RevisionFile]:
    return read_revision_files(
        alembic_private.version_locations(context.script),
        recursive=alembic_private.is_recursive(context.script),
        # These two are the ways out.
        unique_numbers=not (context.config.attributes.get(REBASING) or is_joining),
    )
