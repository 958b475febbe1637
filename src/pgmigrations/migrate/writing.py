"""What writes a new revision: how it is rendered, its name, its order and its proof."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext

from pgmigrations.migrate.checked import checked, show
from pgmigrations.migrate.core import alembic_private
from pgmigrations.migrate.core.compare import SHOW, findings_of
from pgmigrations.migrate.core.likely import likely_renames
from pgmigrations.migrate.core.order import finish
from pgmigrations.migrate.core.remark import Remark
from pgmigrations.migrate.core.render import RenderItem, item_renderer
from pgmigrations.migrate.core.revision_file import RevisionFile, refuse_unusable_id
from pgmigrations.migrate.core.revision_name import next_revision_id
from pgmigrations.migrate.core.way_back import way_back
from pgmigrations.migrate.kinds import KINDS
from pgmigrations.migrate.proved import unproved
from pgmigrations.settings import Settings

Directives: TypeAlias = Callable[[MigrationContext, Any, list[MigrationScript]], None]


def writing_arguments(
    settings: Settings,
    files: Callable[[], list[RevisionFile]],
    render_item: RenderItem | None,
    directives: Directives | None,
) -> dict[str, Any]:
    """Build the arguments of `context.configure()` by which revisions are written.

    Args:
        settings: The project's.
        files: Reads the revision files.
        render_item: The project's own.
        directives: The project's own.
    """
    built: dict[str, Any] = {
        "render_item": item_renderer(settings, render_item),
        "process_revision_directives": _directives(settings, files, directives),
    }
    if alembic_private.is_check_command():
        built[SHOW] = show
    return built


def _directives(
    settings: Settings, files: Callable[[], list[RevisionFile]], users: Directives | None
) -> Directives:
    """Name a new revision, let the project change it, put it in order, and prove it."""
    is_revision = alembic_private.is_revision_command()
    is_check = alembic_private.is_check_command()

    def process(migration: MigrationContext, revision: Any, scripts: list[MigrationScript]) -> None:
        arguments = migration.opts["revision_context"].command_args
        taken: list[str] = []
        for script in scripts:
            if arguments["rev_id"]:
                refuse_unusable_id(arguments["rev_id"], files())
            else:
                script.rev_id = next_revision_id(settings, script.message, files(), taken)
                taken.append(script.rev_id)
        if is_revision and arguments["autogenerate"]:
            _lead_back(migration, scripts)
        for script in scripts:
            for container in _containers(script):
                finish(container, KINDS)
        is_proved = is_revision and arguments["autogenerate"] and settings.prove
        if is_proved and not _is_empty(scripts[-1]):
            scripts.extend(unproved(migration, scripts[-1]))
        if users is not None:
            _changed_by(users, migration, revision, scripts, is_proved=is_proved)
        if is_check:
            checked(migration, scripts)
        if is_revision and arguments["autogenerate"]:
            _remark(migration, scripts, settings)
        if is_revision and arguments["autogenerate"] and all(map(_is_empty, scripts)):
            scripts.clear()
            assert migration.config is not None
            migration.config.print_stdout(
                "No revision is written: the database is as the models say."
            )

    return process


def _changed_by(
    users: Directives,
    migration: MigrationContext,
    revision: Any,
    scripts: list[MigrationScript],
    *,
    is_proved: bool,
) -> None:
    """Let the project's own hook have its way, and prove what it has made of the revision."""
    before = [list(container.ops) for script in scripts for container in _containers(script)]
    users(migration, revision, scripts)
    for script in scripts:
        for container in _containers(script):
            finish(container, KINDS)
    after = [list(container.ops) for script in scripts for container in _containers(script)]
    if is_proved and scripts and after != before and not _is_empty(scripts[-1]):
        scripts.extend(unproved(migration, scripts[-1], mending=False))


def _lead_back(migration: MigrationContext, scripts: Sequence[MigrationScript]) -> None:
    """Write the downgrade anew where there are renames, in the names before."""
    findings = findings_of(migration)
    if findings is not None and findings.renamed is not None:
        operations = way_back(KINDS, migration, findings, findings.renamed)
        scripts[0].downgrade_ops_list[-1].ops[:] = operations


def _remark(
    migration: MigrationContext, scripts: Sequence[MigrationScript], settings: Settings
) -> None:
    """Say above all else in a revision what in it may be a rename."""
    findings = findings_of(migration)
    operations = scripts[0].upgrade_ops_list[-1].ops if scripts else []
    if findings is not None and operations:
        likely = likely_renames(KINDS, findings, with_copy=settings.prove)
        operations[:0] = [Remark(one) for one in likely]


def _containers(script: MigrationScript) -> Iterable[Any]:
    return [*script.upgrade_ops_list, *script.downgrade_ops_list]


def _is_empty(script: MigrationScript) -> bool:
    return all(operations.is_empty() for operations in script.upgrade_ops_list)
