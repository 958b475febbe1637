"""Secrets Manager as a server of its own, and as its other clients see it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAKEYOFTHETESTS000",
    "AWS_SECRET_ACCESS_KEY": "secret+key/of+the+tests/0123456789abcdef",
    "AWS_SESSION_TOKEN": "session+token/of+the+tests/0123456789",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
}


@dataclass(frozen=True)
class SecretsServer:
    """A running server.

    Attributes:
        endpoint: Its URL.
    """

    endpoint: str

    @property
    def environ(self) -> dict[str, str]:
        """What a process needs to use it."""
        return CREDENTIALS | {"AWS_ENDPOINT_URL_SECRETS_MANAGER": self.endpoint}

    def client(self, endpoint: str | None = None, attempts: int = 1) -> Any:
        """A client of its own; it reads nothing of the environment's."""
        return boto3.client(
            "secretsmanager",
            endpoint_url=endpoint or self.endpoint,
            region_name=CREDENTIALS["AWS_REGION"],
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=CREDENTIALS["AWS_SESSION_TOKEN"],
            config=Config(retries={"total_max_attempts": attempts}, read_timeout=10),
        )

    def create(self, name: str, fields: Mapping[str, Any] | None) -> None:
        """Create a secret; without fields it has no value yet."""
        value = {} if fields is None else {"SecretString": json.dumps(fields)}
        self.client().create_secret(Name=name, **value)

    def read(self, name: str, stage: str = "AWSCURRENT") -> dict[str, Any]:
        """What a version holds, with its id as `version`."""
        found = self.client().get_secret_value(SecretId=name, VersionStage=stage)
        held: dict[str, Any] = json.loads(found["SecretString"])
        return held | {"version": found["VersionId"]}

    def stages(self, name: str) -> dict[str, list[str]]:
        """The stages of each version that has any."""
        found = self.client().describe_secret(SecretId=name)["VersionIdsToStages"]
        return {version: sorted(stages) for version, stages in found.items() if stages}


@contextmanager
def secrets_server() -> Iterator[SecretsServer]:
    """Run moto's server, and wait until it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env=os.environ | CREDENTIALS,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "moto's server has ended"
                time.sleep(0.05)
        yield SecretsServer(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=20)
