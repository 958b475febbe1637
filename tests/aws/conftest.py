"""A database with its roles and secrets, and a function that deploys to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deployment import Stage, stage
from tests.support.lambda_function import LambdaFunction, lambda_function
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
def function(tmp_path: Path, made: Stage) -> Iterator[LambdaFunction]:
    """The function, in front of an empty database and secrets with placeholders."""
    made.make_secrets()
    project = made.project(tmp_path / "project")
    with lambda_function(project.path, made.environ()) as running:
        yield running
