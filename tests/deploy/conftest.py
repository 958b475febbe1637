"""A database with its roles and secrets, for each test its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.deployment import Stage, stage
from tests.support.secrets_manager import SecretsServer, secrets_server


@pytest.fixture(scope="session")
def secrets() -> Iterator[SecretsServer]:
    """Secrets Manager."""
    with secrets_server() as server:
        yield server


@pytest.fixture
def made(database_url: str, tcp_server: tuple[str, int], secrets: SecretsServer) -> Iterator[Stage]:
    """A database whose roles are not made yet, and no secret."""
    with stage(database_url, tcp_server, secrets) as found:
        yield found


@pytest.fixture
def staged(made: Stage) -> Stage:
    """The roles without passwords, and placeholders in the secrets."""
    made.make_roles()
    made.make_secrets()
    return made
