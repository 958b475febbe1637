"""The entry point `alembic.plugins`.

Alembic loads it in every environment of the interpreter, in the middle of its own import, where
half of Alembic cannot be imported yet. So `setup()` only names a comparator that loads the rest
when it is first called, and a project whose env.py does not ask for it sees no difference; what
revisions need is made known by `ensure_callable()`, and what writes them by `ensure_registered()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import UpgradeOps
    from alembic.runtime.plugins import Plugin
    from alembic.util import PriorityDispatchResult

    from pgmigrations.migrate.core.deferral import Deferred

NAME = "pgmigrations"

_is_set_up = False
_rooms: list[Deferred] | None = None


def setup(plugin: Plugin) -> None:
    """Name our comparator; Alembic calls this once per process.

    The comparator has a compare element and never answers STOP: without the one, the other would
    silence all of Alembic's own.
    """
    global _is_set_up
    from alembic.util import DispatchPriority

    # Last, since what Alembic's own comparators found is kept, dropped or said better.
    plugin.add_autogenerate_comparator(
        _compare, "autogenerate", NAME, priority=DispatchPriority.LAST
    )
    _is_set_up = True


def ensure_callable() -> None:
    """Let every operation be called by its name, once per process; its kind is imported then."""
    global _rooms
    import alembic.context  # noqa: F401 - sets the plugins up

    if not _is_set_up:
        # The package is not installed, only on the path: there is no entry point.
        import sys

        from alembic.runtime.plugins import Plugin

        Plugin.setup_plugin_from_module(sys.modules[__name__], NAME)
    if _rooms is None:
        from pgmigrations.migrate.core.deferral import Deferred
        from pgmigrations.migrate.rooms import ROOMS

        _rooms = [Deferred(room) for room in ROOMS]


def ensure_registered() -> None:
    """Register every kind with Alembic, once per process, as what writes revisions needs it."""
    from pgmigrations.migrate.core.registration import register
    from pgmigrations.migrate.kinds import KINDS

    ensure_callable()
    assert _rooms is not None
    for room in _rooms:
        room.load()
    register(KINDS)


def _compare(context: AutogenContext, upgrade_ops: UpgradeOps) -> PriorityDispatchResult:
    from pgmigrations.migrate.copied import CopiedDatabase
    from pgmigrations.migrate.core.compare import compare_kinds
    from pgmigrations.migrate.core.types import unchanging_models
    from pgmigrations.migrate.kinds import KINDS
    from pgmigrations.migrate.unmade import unmade

    with unchanging_models():
        return compare_kinds(KINDS, context, upgrade_ops, CopiedDatabase, unmade)
