"""The cold start of the function with nothing to do, beside a bare one; `make bench-deploy`."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pgmigrations.embedded import EmbeddedServer
from tests.support.deployment import stage
from tests.support.lambda_function import HANDLER, lambda_function
from tests.support.secrets_manager import secrets_server
from tests.support.server import data_base

BARE = """\
import json
import os

import boto3
import psycopg2


def handler(event, context):
    client = boto3.client("secretsmanager")
    said = client.get_secret_value(SecretId=os.environ["DB_SECRET_NAME"])["SecretString"]
    held = json.loads(said)
    connection = psycopg2.connect(
        host=held["host"], port=held["port"], user=held["username"],
        password=held["password"], dbname=held["dbname"],
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        found = cursor.fetchone()
    connection.close()
    return {"found": found}
"""
"""What any function does that looks into a database whose login is in a secret."""


@dataclass(frozen=True)
class ColdStart:
    """What one first call has cost.

    Attributes:
        cpu: Seconds of user and system time, the interpreter's start included.
        megabytes: The most memory that was held at once.
    """

    cpu: float
    megabytes: float


def cold_starts(
    root: Path, environ: Mapping[str, str], repeat: int
) -> tuple[list[ColdStart], list[ColdStart]]:
    """Start both again and again, by turns; there is nothing to do.

    Args:
        root: A project's folder; `bare.py` is written into it.
        environ: The function's environment.
        repeat: How often.

    Returns:
        Those of the bare handler, and ours.
    """
    (root / "bare.py").write_text(BARE)
    costs: dict[str, list[ColdStart]] = {"bare.handler": [], HANDLER: []}
    for _ in range(repeat):
        for handler, found in costs.items():
            with lambda_function(root, environ, handler) as running:
                said = running.invoke({})
                assert handler != HANDLER or said["status"] == "unchanged"
                found.append(ColdStart(running.cpu_seconds, running.peak_megabytes))
    return costs["bare.handler"], costs[HANDLER]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure on a server of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=11)
    options = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="pgmb-deploy-", dir=data_base()))
    folder.chmod(0o755)
    settings = {"listen_addresses": "127.0.0.1"}
    try:
        with (
            secrets_server() as secrets,
            EmbeddedServer(folder / "data", settings=settings, throwaway=True) as server,
        ):
            port = server.status().port
            assert port
            with stage(server.url("postgres"), ("127.0.0.1", port), secrets) as made:
                made.make_secrets()
                project = made.project(folder / "project")
                with lambda_function(project.path, made.environ()) as running:
                    running.invoke({})
                bare, ours = cold_starts(project.path, made.environ(), options.repeat)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("cold start, nothing to do      CPU s (median, least to most)   MB")
    for name, found in (("bare handler", bare), ("pgmigrations", ours)):
        cpu = sorted(one.cpu for one in found)
        most = max(one.megabytes for one in found)
        print(f"{name:<30} {median(cpu):.2f} ({cpu[0]:.2f} to {cpu[-1]:.2f}) {most:20.0f}")
    ratio = median(one.cpu for one in ours) / median(one.cpu for one in bare)
    print(f"{'ratio':<30} {ratio:.2f}")


if __name__ == "__main__":
    main()
