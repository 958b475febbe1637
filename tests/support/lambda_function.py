"""A Lambda function as AWS runs it: its own runtime client, in front of a small Runtime API.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

HANDLER = "pgmigrations.aws.handler.handler"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:migrate"


class FunctionError(Exception):
    """What a function has failed with, as AWS tells who calls it."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__(said.get("errorMessage"))
        self.said = said


@dataclass
class LambdaFunction:
    """A running function.

    Attributes:
        process: The runtime client's process.
        log: What it has written.
    """

    process: subprocess.Popen[bytes]
    log: Path
    events: SimpleQueue[tuple[str, dict[str, Any], float]]
    answers: SimpleQueue[tuple[bool, Any]] = field(default_factory=SimpleQueue)

    def invoke(self, event: Mapping[str, Any], timeout: float = 300.0) -> Any:
        """Call it.

        Args:
            event: The event.
            timeout: The function's limit, seconds.

        Raises:
            FunctionError: It failed.
        """
        self.begin(event, timeout)
        is_answer, said = self._answer(timeout)
        if not is_answer:
            raise FunctionError(said)
        return said

    def begin(self, event: Mapping[str, Any], timeout: float) -> None:
        """Call it, and do not wait for its answer."""
        self.events.put((str(uuid4()), dict(event), time.time() + timeout))

    def _answer(self, timeout: float) -> tuple[bool, Any]:
        end = time.monotonic() + min(timeout, 120)
        while time.monotonic() < end:
            try:
                return self.answers.get(timeout=0.2)
            except Empty:
                if self.process.poll() is not None:
                    raise AssertionError(f"the runtime has ended: {self.log.read_text()}") from None
        raise AssertionError(f"no answer: {self.log.read_text()}")

    @property
    def cpu_seconds(self) -> float:
        """CPU time that the process has used, its children's left out."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def peak_megabytes(self) -> float:
        """The most memory that it has held at once."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(one for one in status.splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) / 1024


@contextmanager
def lambda_function(
    root: Path,
    environ: Mapping[str, str],
    handler: str = HANDLER,
    *,
    python: str = sys.executable,
) -> Iterator[LambdaFunction]:
    """Start a function's runtime; it is cold until the first event.

    Args:
        root: The function's folder.
        environ: Its environment.
        handler: Module and function.
        python: The interpreter.
    """
    events: SimpleQueue[tuple[str, dict[str, Any], float]] = SimpleQueue()
    answers: SimpleQueue[tuple[bool, Any]] = SimpleQueue()

    class RuntimeApi(BaseHTTPRequestHandler):
        """The part of the Runtime API that the client uses."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            request, event, deadline = events.get()
            body = json.dumps(event).encode()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", request)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int(deadline * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", ARN)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
            answers.put((self.path.endswith("/response"), said))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        """Says nothing of a client that was killed."""

        def handle_error(self, *_: object) -> None:
            """Say nothing."""

    server = Quiet(("127.0.0.1", 0), RuntimeApi)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log = root / f"log-{uuid4().hex[:8]}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, "-m", "awslambdaric", handler],
            cwd=root,
            env={
                **{key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ},
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
                "AWS_LAMBDA_FUNCTION_NAME": "migrate",
                "LAMBDA_TASK_ROOT": str(root),
                "TZ": ":UTC",
                **environ,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield LambdaFunction(process, log, events, answers)
    finally:
        process.kill()
        process.wait(timeout=10)
        server.shutdown()
        server.server_close()
