"""Runs commands of Alembic's again and again, each time in a process of its own.

What is imported is imported once; a fork costs a tenth of a new interpreter. Each line on stdin is
a command and a project's folder; each run's process id and exit code are lines on stdout.
"""

from __future__ import annotations

import os
import sys

import alembic.config
import psycopg2.extras  # noqa: F401

import pgmigrations.migrate.env
import pgmigrations.op  # noqa: F401


def main() -> None:
    """Serve until stdin ends."""
    for line in sys.stdin:
        command, _, folder = line.rstrip("\n").partition("\t")
        pid = os.fork()
        if pid == 0:
            run(command, folder)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(command: str, folder: str) -> None:
    """Run the command, and end the process as its command line would."""
    os.chdir(folder)
    output = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code: object = 1
    try:
        alembic.config.main(command.split(), prog="alembic")
        code = 0
    except SystemExit as error:
        code = error.code
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code % 256 if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()
