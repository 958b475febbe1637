"""The entry point `alembic.plugins`: registers our operations and comparators with Alembic.

Alembic loads it in every environment of the interpreter, so it only registers: a project whose
env.py does not ask for it sees no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.runtime.plugins import Plugin

NAME = "pgmigrations"

_registered = False


def setup(plugin: Plugin) -> None:
    """Register everything, once per process; Alembic calls this while it is being imported."""
    global _registered
    # Entry points load in the middle of Alembic's own import: nothing of ours may import Alembic
    # at the top of this module.
    from pgmigrations.migrate.core.registration import register
    from pgmigrations.migrate.kinds import KINDS

    register(plugin, KINDS)
    _registered = True


def ensure_registered() -> None:
    """Register without the entry point, for a source tree that is not installed."""
    if not _registered:
        import sys

        from alembic.runtime.plugins import Plugin

        Plugin.setup_plugin_from_module(sys.modules[__name__], NAME)
