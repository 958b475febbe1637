"""The entry point `alembic.plugins`.

Alembic loads it in every environment of the interpreter, in the middle of its own import, where
half of Alembic cannot be imported yet. So `setup()` only names a comparator that loads the rest
when it is first called, and a project whose env.py does not ask for it sees no difference; what
revisions and `alembic/env.py` need is registered by `ensure_registered()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import UpgradeOps
    from alembic.runtime.plugins import Plugin
    from alembic.util import PriorityDispatchResult

NAME = "pgmigrations"

_is_set_up = False
_is_registered = False


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


def ensure_registered() -> None:
    """Register the operations of every kind with Alembic, once per process."""
    global _is_registered
    import alembic.context  # noqa: F401 - sets the plugins up

    if not _is_set_up:
        # The package is not installed, only on the path: there is no entry point.
        import sys

        from alembic.runtime.plugins import Plugin

        Plugin.setup_plugin_from_module(sys.modules[__name__], NAME)
    if not _is_registered:
        _is_registered = True
        from pgmigrations.migrate.core.registration import register
        from pgmigrations.migrate.kinds import KINDS

        register(KINDS)


def _compare(context: AutogenContext, upgrade_ops: UpgradeOps) -> PriorityDispatchResult:
    from pgmigrations.migrate.copied import CopiedDatabase
    from pgmigrations.migrate.core.compare import compare_kinds
    from pgmigrations.migrate.core.types import unchanging_models
    from pgmigrations.migrate.kinds import KINDS
    from pgmigrations.migrate.unmade import unmade

    with unchanging_models():
        return compare_kinds(KINDS, context, upgrade_ops, CopiedDatabase, unmade)
