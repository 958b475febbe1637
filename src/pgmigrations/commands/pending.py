"""What an upgrade would run."""

from __future__ import annotations

from alembic.runtime.migration import RevisionStep

from pgmigrations.commands.project import OpenProject
from pgmigrations.migrate.ahead import is_ahead
from pgmigrations.migrate.changed import refuse_changed
from pgmigrations.migrate.core.alembic_private import pending_steps
from pgmigrations.migrate.core.options import settings_of
from pgmigrations.migrate.recognition import already_applied
from pgmigrations.migrate.steps import heads_told
from pgmigrations.run.half_done import HalfDone, half_done


def pending(project: OpenProject, revision: str) -> list[RevisionStep]:
    """Return the steps of an upgrade; where the version rows are gone, those behind what is there.

    Args:
        project: With its database open; only read.
        revision: Up to which one, as for `alembic upgrade`.

    Raises:
        HalfDone: What is left of a revision cannot be tried where the rest of it is not.
        UnrecognisedDatabase: There are tables of the models, and no version row says of which
            revision.
        AppliedRevisionChanged: As `alembic upgrade` would say, by its setting.
        SeveralHeads: It goes to the head, and there are several.
    """
    context = project.context
    settings = settings_of(context)
    is_over = is_ahead(context, project.heads)
    if settings is not None and settings.refuse_changed:
        refuse_changed(context, project.directory.get_heads() if is_over else project.heads)
    if is_over:
        return []
    for name, direction in half_done(project.latest()).items():
        raise HalfDone(name, direction)
    with heads_told():
        steps = pending_steps(context, project.heads, revision)
    if steps and not project.heads:
        steps = steps[already_applied(context, steps) :]
    return steps
