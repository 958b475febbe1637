"""What a cold start with nothing to do costs, beside a bare handler's."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from tests.support.deployment import Stage
from tests.support.lambda_function import HANDLER, lambda_function

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
MOST_OF_BARE = 1.5
MOST_MEGABYTES = 128


def test_nothing_to_do_costs_little_more_than_a_bare_handler(tmp_path: Path, made: Stage) -> None:
    made.make_secrets()
    project = made.project(tmp_path / "project")
    (project.path / "bare.py").write_text(BARE)
    environ = made.environ()
    with lambda_function(project.path, environ) as running:
        assert running.invoke({})["status"] == "deployed"
    seconds: dict[str, list[float]] = {"bare.handler": [], HANDLER: []}
    for _ in range(5):
        for handler, spent in seconds.items():
            with lambda_function(project.path, environ, handler) as running:
                said = running.invoke({})
                spent.append(running.cpu_seconds)
                assert running.peak_megabytes < MOST_MEGABYTES
                assert handler != HANDLER or said["status"] == "unchanged"
    assert median(seconds[HANDLER]) <= MOST_OF_BARE * median(seconds["bare.handler"])
