"""Hands the models, the database and the settings over to Alembic."""

from __future__ import annotations

from logging.config import fileConfig

from alembic import context

from pgmigrations.migrate.env import (
    command_errors,
    configure_arguments,
    connected,
    loading_models,
)
from simulation.settings import database_url

with loading_models():
    from simulation.models import metadata

# False where a program runs this that has set up its own logging.
if context.config.config_file_name and context.config.attributes.get("configure_logger", True):
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)


def run_offline() -> None:
    """Write SQL (`--sql`); no database is needed."""
    context.configure(**configure_arguments(metadata))
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Work on the database."""
    arguments = configure_arguments(metadata)
    with connected(database_url) as connection:
        context.configure(connection=connection, **arguments)
        with context.begin_transaction():
            context.run_migrations()


with command_errors():
    if context.is_offline_mode():
        run_offline()
    else:
        run_online()
