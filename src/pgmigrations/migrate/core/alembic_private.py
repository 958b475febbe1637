"""The underscore names of Alembic that have no public equivalent, all of them, in one place.

Each is checked by a test at Alembic's lowest supported version and at the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import alembic.context
import alembic.op
from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from alembic.ddl.postgresql import PostgresqlImpl
from alembic.operations import Operations
from alembic.operations.ops import MigrateOperation, MigrationScript
from alembic.runtime.migration import (
    HeadMaintainer,
    MigrationContext,
    RevisionStep,
    StampStep,
)
from alembic.script import ScriptDirectory
from alembic.util import sqla_compat
from mako.template import Template  # type: ignore[import-untyped]
from sqlalchemy import Column, CursorResult, Executable, Table, text
from sqlalchemy.types import TypeEngine

Step = RevisionStep | StampStep
MigrationsFn = Callable[[Any, MigrationContext], Iterable[Step]]


class SendingImpl(PostgresqlImpl):
    """Alembic's implementation, with the one way that every statement goes made overridable.

    Attributes:
        is_sending: Whether what goes to the server now is an operation's change, not its look.
    """

    is_sending: bool = False

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Mark what goes to the server meanwhile as a change."""
        outer, self.is_sending = self.is_sending, True
        try:
            yield
        finally:
            self.is_sending = outer

    def sent(self, construct: Executable, options: Mapping[str, Any] | None) -> bool:
        """Run or write a statement without parameters; False leaves it to Alembic."""
        return False

    def _exec(
        self,
        construct: Executable | str,
        execution_options: Mapping[str, Any] | None = None,
        multiparams: Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> CursorResult[Any] | None:
        if isinstance(construct, str):
            construct = text(construct)
        with self.sending():
            if not multiparams and not params and self.sent(construct, execution_options):
                return None
            return super()._exec(construct, execution_options, multiparams, params or {})


def migrations_fn() -> MigrationsFn:
    """Return the work that Alembic's current command wants done once the environment runs.

    `context.configure(fn=…)` replaces it, but nothing public tells what would be replaced.
    """
    work: MigrationsFn = _command_options()["fn"]
    return work


def _command_options() -> dict[str, Any]:
    """Return what Alembic's current command has been given, and gives to the environment."""
    options: dict[str, Any] = alembic.context._proxy.context_opts  # type: ignore[attr-defined]
    return options


def is_purge() -> bool:
    """Tell whether `alembic stamp --purge` runs, on a database.

    Alembic itself would commit the deletion before anything else, without the runner's lock.
    """
    options = _command_options()
    return bool(options.get("purge")) and not options.get("as_sql")


def is_revision_command() -> bool:
    """Tell `alembic revision` from `alembic check`, which needs a script, empty or not."""
    return migrations_fn().__qualname__.startswith("revision.")


def is_check_command() -> bool:
    """Tell whether Alembic's current command is `alembic check`."""
    return migrations_fn().__qualname__.startswith("check.")


def is_changing(work: MigrationsFn) -> bool:
    """Tell whether the work of Alembic's command may change the database."""
    return work.__qualname__.startswith(("upgrade.", "downgrade.", "stamp."))


def is_upgrade(work: MigrationsFn) -> bool:
    """Tell whether the work is that of `alembic upgrade`."""
    return work.__qualname__.startswith("upgrade.")


def is_merge(work: MigrationsFn) -> bool:
    """Tell whether the work is that of `alembic merge`."""
    return work.__qualname__.startswith("merge.")


def is_stamp(work: MigrationsFn) -> bool:
    """Tell whether the work is that of `alembic stamp`."""
    return work.__qualname__.startswith("stamp.")


def revision_transaction(context: MigrationContext) -> AbstractContextManager[Any]:
    """Begin the transaction of one revision, which `autocommit_block()` can part."""
    return context.begin_transaction(_per_migration=True)


def is_external(context: MigrationContext) -> bool:
    """Tell whether the project's env.py handed over a connection that is in a transaction."""
    return context._in_external_transaction


def is_per_migration(context: MigrationContext) -> bool:
    """Tell whether each revision is to be a transaction of its own."""
    return bool(context._transaction_per_migration)


def is_configured() -> bool:
    """Tell whether env.py has called `context.configure()`."""
    environment = alembic.context._proxy  # type: ignore[attr-defined]
    return environment._migration_context is not None


def upgrade_target() -> str | None:
    """Return what `alembic upgrade` is asked for on the database; None for any other command.

    `context.get_revision_argument()` would load every revision file.
    """
    options = _command_options()
    if not migrations_fn().__qualname__.startswith("upgrade.") or options.get("as_sql"):
        return None
    target: str = options["destination_rev"]
    return target


def render_type(type_: TypeEngine[Any], context: AutogenContext) -> str:
    """Render a type as Alembic would, the project's `render_item` included."""
    return render._repr_type(type_, context)


def render_name(name: Any, context: AutogenContext) -> str:
    """Render a constraint's name as Alembic would: by `op.f()` where no convention applies."""
    return repr(render._render_gen_name(context, name))


def implementation_of(operation: type[MigrateOperation]) -> Callable[[Operations, Any], Any]:
    """Return the implementation that is registered for an operation, to call it from ours."""
    implementation: Callable[[Operations, Any], Any] = Operations._to_impl._registry[
        (operation, "default")
    ]
    return implementation


def renderer_of(operation: type[MigrateOperation]) -> Callable[[AutogenContext, Any], Any]:
    """Return the renderer that is registered for an operation, to call it from ours."""
    renderer: Callable[[AutogenContext, Any], Any] = render.default_renderers._registry[
        (operation, "default")
    ]
    return renderer


def copy_of(column: Column[Any]) -> Column[Any]:
    """Copy a column as Alembic does, so that it can be put into another table."""
    return sqla_compat._copy(column)


def version_locations(script: ScriptDirectory) -> list[Path]:
    """Return the folders that hold revisions, made absolute."""
    return [Path(location) for location in script._version_locations]


def is_recursive(script: ScriptDirectory) -> bool:
    """Tell whether the subfolders of the version locations hold revisions, too."""
    return script.recursive_version_locations


def rendered_file(migration: MigrationContext, script: MigrationScript) -> str:
    """Return a revision's file as the project's template writes it, but for its parents.

    Args:
        migration: The context in which `alembic revision` has made it.
        script: The revision.
    """
    assert migration.script is not None
    revision = migration.opts["revision_context"]
    context = revision._last_autogen_context
    context.imports = set(script.imports)
    arguments = dict(revision.template_args)
    render._render_python_into_templatevars(context, script, arguments)
    template = Template(filename=str(Path(migration.script.dir) / "script.py.mako"))
    return str(
        template.render_unicode(
            up_revision=script.rev_id,
            down_revision=None,
            branch_labels=None,
            depends_on=None,
            create_date="",
            comma=lambda _: "None",
            message=script.message or "",
            **arguments,
        )
    )


def steps_to_heads(migration: MigrationContext) -> list[RevisionStep]:
    """Return the steps from nothing to the heads that the database is at."""
    assert migration.script is not None
    # Its annotations say `str`; the upgrade command gives tuples, too.
    upgrade: Callable[[Any, Any], list[RevisionStep]] = migration.script._upgrade_revs
    return upgrade(migration.get_current_heads(), ())


def steps_from_nothing(script: ScriptDirectory) -> list[RevisionStep]:
    """Return the steps from nothing to the heads of the files."""
    upgrade: Callable[[Any, Any], list[RevisionStep]] = script._upgrade_revs
    return upgrade("heads", ())


def pending_steps(
    context: MigrationContext, heads: Collection[str], revision: str
) -> list[RevisionStep]:
    """Return the steps of an upgrade.

    Args:
        context: The context of a project's environment.
        heads: The version rows to start from.
        revision: What `alembic upgrade` may be asked for.
    """
    assert context.script is not None
    upgrade: Callable[[Any, Any], list[RevisionStep]] = context.script._upgrade_revs
    return list(upgrade(revision, tuple(heads)))


def version_table_of(context: MigrationContext) -> Table:
    """Return the version table that a context reads and writes."""
    return context._version


class HeadChanges(HeadMaintainer):
    """What a step changes of the version rows, found out and not sent.

    Attributes:
        changes: Pairs of the row before and the row after, one of which may be none.
    """

    def __init__(self, context: MigrationContext, heads: Iterable[str]) -> None:
        super().__init__(context, set(heads))
        self.changes: list[tuple[str | None, str | None]] = []

    def _insert_version(self, version: str) -> None:
        self.heads.add(version)
        self.changes.append((None, version))

    def _delete_version(self, version: str) -> None:
        self.heads.remove(version)
        self.changes.append((version, None))

    def _update_version(self, from_: str, to_: str) -> None:
        self.heads.remove(from_)
        self.heads.add(to_)
        self.changes.append((from_, to_))


@contextmanager
def installed(operations: Operations) -> Iterator[None]:
    """Let `op.…` go to other operations for a while, then to those that it went to before."""
    outer = getattr(alembic.op, "_proxy", None)
    operations._install_proxy()
    try:
        yield
    finally:
        operations._remove_proxy()
        if outer is not None:
            outer._install_proxy()


@contextmanager
def operations_in(context: MigrationContext) -> Iterator[Operations]:
    """Let `op.…` work in another context for a while, then in the one that it worked in before.

    So does `alembic.context`, by which a revision may reach its connection, too.
    `Operations.context()` alone leaves nothing installed at its end, which would break the
    revision that runs around it.
    """
    outer = getattr(alembic.op, "_proxy", None)
    environment: Any = getattr(alembic.context, "_proxy", None)
    around = environment._migration_context if environment is not None else None
    try:
        if environment is not None:
            environment._migration_context = context
        with Operations.context(context) as operations:
            yield operations
    finally:
        if environment is not None:
            environment._migration_context = around
        if outer is not None:
            outer._install_proxy()


@contextmanager
def operations_taken_back() -> Iterator[None]:
    """Take back the context of `op` that Alembic leaves there where a run ends by an error.

    With it, all models and what they were compared with would stay.
    """
    before = getattr(alembic.op, "_proxy", None)
    try:
        yield
    except BaseException:
        left = getattr(alembic.op, "_proxy", None)
        if left is not None and left is not before:
            left._remove_proxy()
            if before is not None:
                before._install_proxy()
        raise
