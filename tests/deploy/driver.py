"""Deploys again and again, each time in a process of its own; what is imported is imported once.

Each line on stdin is a project's alembic.ini and an order as JSON; the answers on stdout are the
run's process id, then its exit code. What it says is in the file `output` beside alembic.ini.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

import psycopg2.extras  # noqa: F401

import pgmigrations.api
import pgmigrations.migrate.env
import pgmigrations.op  # noqa: F401
from pgmigrations.aws.secrets_manager import SecretsManager
from pgmigrations.deploy.order import Order
from pgmigrations.deploy.run import deploy
from pgmigrations.deploy.wiring import Wiring
from pgmigrations.errors import PgMigrationsError

_STORE = SecretsManager()


def main() -> None:
    """Serve until stdin ends."""
    assert _STORE.client is not None
    for line in sys.stdin:
        ini, order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            run(Path(ini), order)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(ini: Path, order: dict[str, object]) -> None:
    """Deploy, and end the process."""
    os.chdir(ini.parent)
    output = os.open(ini.with_name("output"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    logging.basicConfig(level=logging.DEBUG)
    code = 1
    try:
        done = deploy(Wiring.of(ini, os.environ, _STORE), Order.of(order))
        print(json.dumps(done.as_json()))
        code = 0
    except PgMigrationsError as error:
        print(f"FAILED: {error}")
    except BaseException:
        logging.exception("unexpected")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
