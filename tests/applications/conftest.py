"""The table of results: which step and which edit held for which application."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.table import Table

from tests.applications.application import Application, applications
from tests.applications.outcome import Outcome


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    known = applications()
    results: dict[str, list[tuple[Application, Outcome]]] = {"whole": [], "edits": []}
    for key in ("passed", "failed"):
        for report in terminalreporter.stats.get(key, []):
            for name, value in report.user_properties:
                if name in results:
                    application, *outcome = value
                    results[name].append((known[application], Outcome(*outcome)))
    for what, found in results.items():
        if found:
            Console().print(_table(what, found))


def _table(what: str, results: list[tuple[Application, Outcome]]) -> Table:
    names = list(dict.fromkeys(application.name for application, _ in results))
    releases = {application.name: application.release for application, _ in results}
    table = Table(title=f"{what}: + held, o held on a thing given to the models, FAILED")
    table.add_column("step")
    for name in names:
        table.add_column(releases[name].replace("==", "\n"))
    shown = {(outcome.step, application.name): _sign(outcome) for application, outcome in results}
    for step in dict.fromkeys(outcome.step for _, outcome in results):
        table.add_row(step, *(shown.get((step, name), "") for name in names))
    return table


def _sign(outcome: Outcome) -> str:
    if outcome.reason:
        return "[red]FAILED"
    return "o" if outcome.note else "+"
