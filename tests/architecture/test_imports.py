"""The tree keeps the rules of the house, and every module can be the first one imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.source import Source

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
PACKAGE_FILES = sorted((SRC / "pgmigrations").rglob("*.py"))
SOURCES = [
    *(Source.read(path, SRC) for path in PACKAGE_FILES),
    *(Source.read(path, ROOT) for path in sorted((ROOT / "app").rglob("*.py"))),
]
MODULES = [source.module for source in SOURCES if not source.module.endswith("__main__")]
HAND_WRITTEN = [
    path
    for folder in ("src", "app", "alembic", "scripts", "tests", "infra", "examples", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


@pytest.mark.parametrize(
    "rule",
    [
        rules.core_knows_no_room,
        rules.rooms_know_no_other_room,
        rules.run_knows_no_room,
        rules.models_import_only_declarations,
        rules.embedded_needs_no_database_library,
        rules.plugin_imports_alembic_in_functions,
        rules.deployment_knows_no_cloud,
        rules.deployment_loads_little,
        rules.alembic_private_names_have_one_home,
    ],
    ids=lambda rule: rule.__name__,
)
def test_the_source_keeps_the_rule(rule: rules.Rule) -> None:
    assert list(rule(SOURCES)) == []


def test_the_rules_are_put_to_every_file_of_the_package() -> None:
    assert {"pgmigrations", "pgmigrations.errors", "app"} <= set(MODULES)


def test_no_file_is_a_drawer_for_everything() -> None:
    assert list(rules.files_say_what_they_are(HAND_WRITTEN)) == []


def test_no_file_is_too_long() -> None:
    assert list(rules.files_are_short(HAND_WRITTEN)) == []


def test_the_folder_of_revisions_does_not_shadow_the_alembic_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("pgmigrations", {"alembic", "sqlalchemy"}),
        ("pgmigrations.embedded", {"alembic", "sqlalchemy"}),
        ("pgmigrations.declare", {"alembic"}),
        ("pgmigrations.plugin", {"alembic"}),
        ("pgmigrations.deploy.cli", {"alembic", "sqlalchemy", "boto3"}),
        ("pgmigrations.aws.handler", {"alembic", "sqlalchemy", "boto3"}),
        ("app.models", {"alembic"}),
    ],
)
def test_importing_a_module_leaves_the_libraries_it_does_not_need_alone(
    module: str, absent: set[str]
) -> None:
    if module not in MODULES:
        pytest.skip(f"there is no {module}")
    code = f"import sys, json, {module}; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", code]
    path = {"PYTHONPATH": f"{SRC}:{ROOT}"}
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=path, cwd=ROOT)
    assert absent.isdisjoint(json.loads(run.stdout))


def test_every_module_can_be_imported() -> None:
    code = f"import importlib\nfor name in {MODULES}: importlib.import_module(name)"
    command = [sys.executable, "-W", "error", "-c", code]
    path = {"PYTHONPATH": f"{SRC}:{ROOT}"}
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, env=path, cwd=ROOT, timeout=120
    )
    assert run.returncode == 0, run.stderr


def test_every_module_can_be_the_first_one_imported() -> None:
    """So it is where none needs itself, and none takes a name from a package that it lies in."""
    assert list(rules.names_from_own_package(SOURCES)) == []
    assert list(rules.imports_that_go_round(SOURCES)) == []
