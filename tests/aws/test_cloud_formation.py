"""The custom resource: behind the CDK's provider framework, and by itself."""

from __future__ import annotations

import json
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificate import authority, certificate
from tests.support.deployment import Stage
from tests.support.lambda_function import ARN, FunctionError, LambdaFunction, lambda_function

IDS = {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "Migration"}


def event(kind: str, url: str = "...", **properties: Any) -> dict[str, Any]:
    known = {} if kind == "Create" else {"PhysicalResourceId": "pgmigrations"}
    return {
        "RequestType": kind,
        "ResponseURL": url,
        "ResourceType": "Custom::DatabaseMigration",
        "ResourceProperties": {"ServiceToken": ARN, **properties},
        **IDS,
        **known,
    }


PROVIDER = "arn:aws:lambda:eu-central-1:123456789012:function:provider"


def test_the_providers_framework_answers_where_it_was_called(
    function: LambdaFunction, made: Stage
) -> None:
    # It passes the URL on as it is, which leads out of the function's network.
    answer = function.invoke(event("Create", "https://127.0.0.1:1/", ServiceToken=PROVIDER))
    assert answer["PhysicalResourceId"] == "pgmigrations"
    with pytest.raises(FunctionError, match="invalid_order"):
        function.invoke(
            event("Update", "https://127.0.0.1:1/", ServiceToken=PROVIDER, Rotate="perhaps")
        )


def test_create_and_update_deploy_and_delete_changes_nothing(
    function: LambdaFunction, made: Stage
) -> None:
    created = function.invoke(event("Create", Revisions="hash of the first"))
    assert created["PhysicalResourceId"] == "pgmigrations"
    assert created["Data"] == {
        "Status": "deployed",
        "Revisions": "002_access",
        "Applied": "2",
        "Rotated": ",".join(made.logins),
    }
    held = [made.secrets.read(name) for name in made.names]
    updated = function.invoke(event("Update", Revisions="hash of the second"))
    assert updated["PhysicalResourceId"] == "pgmigrations"
    assert updated["Data"]["Status"] == "unchanged"
    assert function.invoke(event("Delete")) == {"PhysicalResourceId": "pgmigrations", "Data": {}}
    assert [made.secrets.read(name) for name in made.names] == held
    assert all(map(made.lets_in, held))
    assert function.invoke(event("Update", Rotate="true"))["Data"]["Rotated"] == ",".join(
        made.logins
    )


def test_a_failure_fails_the_resource(function: LambdaFunction) -> None:
    with pytest.raises(FunctionError, match=r"^migration_failed: .*'005_no_such'"):
        function.invoke(event("Create", Target="005_no_such"))


def test_delete_succeeds_without_a_database(tmp_path: Path, made: Stage) -> None:
    project = made.project(tmp_path / "project")
    with lambda_function(project.path, made.environ()) as running:
        failed = {**event("Delete"), "PhysicalResourceId": "made/by/CloudFormation"}
        assert running.invoke(failed) == {
            "PhysicalResourceId": "made/by/CloudFormation",
            "Data": {},
        }


def test_an_update_that_rolls_back_succeeds_on_a_database_ahead_of_it(
    tmp_path: Path, made: Stage
) -> None:
    made.make_secrets()
    older = made.project(tmp_path / "older")
    newer = tmp_path / "newer"
    shutil.copytree(older.path, newer)
    (newer / "alembic" / "versions" / "003_more.py").write_text(SECOND)
    with lambda_function(newer, made.environ()) as running:
        assert running.invoke(event("Update"))["Data"]["Revisions"] == "003_more"
    held = [made.secrets.read(name) for name in made.names]
    with lambda_function(older.path, made.environ()) as running:
        # What there is to compare with, and the passwords, are not these files' business.
        rolled_back = running.invoke(event("Update", Verify="true", Rotate="true"))
    assert rolled_back["PhysicalResourceId"] == "pgmigrations"
    assert rolled_back["Data"] == {
        "Status": "unchanged",
        "Revisions": "003_more",
        "Applied": "0",
        "Rotated": "",
    }
    assert [made.secrets.read(name) for name in made.names] == held


def test_an_update_rotates_only_where_it_brings_that(function: LambdaFunction, made: Stage) -> None:
    function.invoke(event("Create", Rotate="true"))
    for before, now, rotated in (("true", "true", ""), ("", "true", "both"), ("true", "", "")):
        old = {"OldResourceProperties": {"Rotate": before}}
        answer = function.invoke(event("Update", Rotate=now or "false") | old)
        assert answer["Data"]["Rotated"] == (",".join(made.logins) if rotated else "")


SECOND = """\
from pgmigrations import op
revision, down_revision = "003_more", "002_access"

def upgrade() -> None:
    op.execute("CREATE TABLE more (id int)")

def downgrade() -> None:
    op.execute("DROP TABLE more")
"""


@dataclass
class Listening:
    """What CloudFormation's URL has been told.

    Attributes:
        url: The URL.
        told: Headers and body of each PUT.
    """

    url: str
    told: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    is_told: threading.Event = field(default_factory=threading.Event)


@contextmanager
def listening(folder: Path) -> Iterator[Listening]:
    """Listen for what is put, over TLS."""
    found = Listening("")

    class Bucket(BaseHTTPRequestHandler):
        """Takes what is put."""

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.told.append((dict(self.headers), json.loads(body)))
            found.is_told.set()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    root = authority(folder, "authority")
    own = certificate(root, "localhost")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.file, own.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.url = f"https://localhost:{server.server_port}/answer?X-Amz-Signature=5ignature"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def test_by_itself_it_puts_its_answer_where_it_is_told_to(tmp_path: Path, made: Stage) -> None:
    made.make_secrets()
    project = made.project(tmp_path / "project")
    environ = made.environ() | {"SSL_CERT_FILE": str(tmp_path / "authority.pem")}
    with listening(tmp_path) as bucket, lambda_function(project.path, environ) as running:
        running.invoke(event("Create", bucket.url))
        running.invoke(event("Update", bucket.url, Target="005_no_such"))
        running.invoke(event("Delete", bucket.url))
        log = running.log.read_text()
    said = [body for _, body in bucket.told]
    assert [one["Status"] for one in said] == ["SUCCESS", "FAILED", "SUCCESS"]
    assert said[0]["Data"]["Status"] == "deployed"
    assert said[1]["Reason"].startswith("migration_failed: ")
    for headers, body in bucket.told:
        assert headers["Content-Type"] == ""
        assert body["PhysicalResourceId"] == "pgmigrations"
        assert {key: body[key] for key in IDS} == IDS
    assert "5ignature" not in log


def test_a_function_that_is_about_to_be_killed_says_so(tmp_path: Path, made: Stage) -> None:
    made.make_secrets()
    project = made.project(tmp_path / "project")
    text = SECOND.replace("CREATE TABLE more (id int)", "SELECT pg_sleep(120)")
    (project.versions / "003_more.py").write_text(text)
    environ = made.environ() | {"SSL_CERT_FILE": str(tmp_path / "authority.pem")}
    with listening(tmp_path) as bucket, lambda_function(project.path, environ) as running:
        running.begin(event("Create", bucket.url), timeout=12)
        assert bucket.is_told.wait(timeout=60)
    ((_, said),) = bucket.told
    assert said["Status"] == "FAILED"
    assert said["Reason"].startswith("function_timeout: ")
