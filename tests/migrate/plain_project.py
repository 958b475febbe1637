"""A plain Alembic project, run once. As a program it is run where no plugin is loaded.

Arguments: a folder, a database URL, and the file for what it wrote.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ENV = """
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

metadata = context.config.attributes["metadata"]
if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql", target_metadata=metadata, literal_binds=True
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata)
        with context.begin_transaction():
            context.run_migrations()
"""


def run(folder: Path, url: str) -> str:
    """Generate a revision from models, and write its SQL; ids and dates are left out."""
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.dialects import postgresql

    metadata = sa.MetaData()
    mood = sa.Enum("low", "hi%gh", name="mood")
    table = sa.Table(
        "one",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("mood", mood, server_default="low", comment="it's 100% \\ fine"),
        sa.Column("moods", postgresql.ARRAY(mood)),
        sa.Column("pause", sa.Interval),
        sa.Column("kind", sa.Enum("a", "b", name="kind", native_enum=False)),
        sa.CheckConstraint("id > 0", name="positive"),
        comment="tab\there",
    )
    sa.Table("two", metadata, sa.Column("one", sa.ForeignKey("one.id")))
    sa.Index("ix", table.c.mood, postgresql_where=table.c.id > 3)
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV)
    (folder / "script.py.mako").write_text(
        "import alembic.op as op\nimport sqlalchemy as sa\n${imports}\n"
        "revision = ${repr(up_revision)}\ndown_revision = ${repr(down_revision)}\n"
        "def upgrade():\n    ${upgrades}\ndef downgrade():\n    ${downgrades}\n"
    )
    output = io.StringIO()
    config = Config(output_buffer=output, stdout=output)
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(metadata=metadata, url=url)
    script = command.revision(config, "plain", autogenerate=True, rev_id="1")
    assert script is not None
    assert not isinstance(script, list)
    command.upgrade(config, "head", sql=True)
    command.downgrade(config, "head:base", sql=True)
    command.upgrade(config, "head")
    command.check(config)
    text = Path(script.path).read_text() + output.getvalue()
    return re.sub(re.escape(str(folder)), "", text)


if __name__ == "__main__":
    from importlib import metadata as distributions

    # What Alembic finds in an environment where this package is not installed.
    all_entry_points = distributions.entry_points

    def entry_points(**parameters: Any) -> list[distributions.EntryPoint]:
        found: Iterable[Any] = all_entry_points(**parameters)
        return [one for one in found if one.name != "pgmigrations"]

    distributions.entry_points = entry_points  # type: ignore[assignment]
    Path(sys.argv[3]).write_text(run(Path(sys.argv[1]), sys.argv[2]))
    assert not any(name.startswith("pgmigrations") for name in sys.modules)
