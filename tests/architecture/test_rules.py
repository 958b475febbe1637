"""Each rule of the house, fed a small source that breaks it and one that keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.source import Source

ORDER = f"{rules.CORE}.order"
RENDER = f"{rules.CORE}.render"
ROOM = f"{rules.ROOMS}.enum.ops"


@pytest.mark.parametrize(
    ("rule", "module", "text"),
    [
        (rules.core_knows_no_room, ORDER, f"import {ROOM}"),
        (rules.core_knows_no_room, ORDER, "from ..objects import enum"),
        (
            rules.core_knows_no_room,
            ORDER,
            "from pgmigrations.migrate import objects",
        ),
        (rules.core_knows_no_room, ORDER, f"import_module('{ROOM}')"),
        (rules.core_knows_no_room, ORDER, f"def f():\n    import {ROOM}"),
        (rules.rooms_know_no_other_room, ROOM, "from ..extension.ops import CreateExtensionOp"),
        (rules.rooms_know_no_other_room, ROOM, "from pgmigrations.migrate.objects import index"),
        (rules.run_knows_no_room, "pgmigrations.run.lock", f"from {ROOM} import CreateEnumOp"),
        (rules.models_import_only_declarations, "app.models.chat", "from app import settings"),
        (rules.models_import_only_declarations, "app.models.chat", "import pgmigrations.op"),
        (rules.models_import_only_declarations, "app.models.chat", "from pgmigrations import op"),
        (rules.models_import_only_declarations, "app.models.chat", "from alembic import op"),
        (rules.embedded_needs_no_database_library, rules.EMBEDDED, "import sqlalchemy.engine"),
        (rules.embedded_needs_no_database_library, rules.EMBEDDED, "import alembic"),
        (
            rules.plugin_imports_alembic_in_functions,
            rules.PLUGIN,
            "from alembic import autogenerate",
        ),
        (
            rules.plugin_imports_alembic_in_functions,
            rules.PLUGIN,
            "class Registry:\n    import alembic\n",
        ),
        (rules.deployment_knows_no_cloud, f"{rules.DEPLOY}.run", "def f():\n    import boto3"),
        (rules.deployment_knows_no_cloud, f"{rules.DEPLOY}.run", f"import {rules.AWS}.handler"),
        (rules.deployment_loads_little, f"{rules.DEPLOY}.run", "from alembic import command"),
        (rules.deployment_loads_little, f"{rules.AWS}.handler", "import boto3"),
        (
            rules.alembic_private_names_have_one_home,
            RENDER,
            "from alembic.autogenerate.render import _render_cmd_body",
        ),
        (
            rules.alembic_private_names_have_one_home,
            RENDER,
            "from alembic.autogenerate import render\nrender._render_cmd_body(1, 2)",
        ),
        (
            rules.alembic_private_names_have_one_home,
            f"{rules.RUN}.step",
            "def f(context):\n    context._ensure_version_table()",
        ),
    ],
)
def test_a_source_that_breaks_the_rule_is_found(rule: rules.Rule, module: str, text: str) -> None:
    found = list(rule([Source(module, text)]))
    assert found
    assert all(line.startswith(f"{module}:") for line in found)


@pytest.mark.parametrize(
    ("rule", "module", "text"),
    [
        (rules.core_knows_no_room, "pgmigrations.migrate.kinds", f"import {ROOM}"),
        (rules.core_knows_no_room, ORDER, f"import {rules.CORE}.phases"),
        (
            rules.rooms_know_no_other_room,
            ROOM,
            "from .catalog import read\nfrom ...core import kind",
        ),
        (rules.run_knows_no_room, "pgmigrations.run.lock", f"import {rules.CORE}.snapshot"),
        (
            rules.models_import_only_declarations,
            "app.models.chat",
            "from pgmigrations.declare import Extension\nfrom pgmigrations import declare\n"
            "from app.models.base import Base\nfrom .base import Base\nimport sqlalchemy",
        ),
        (
            rules.plugin_imports_alembic_in_functions,
            rules.PLUGIN,
            "if TYPE_CHECKING:\n    import alembic\ndef setup(plugin):\n    import alembic.context",
        ),
        (
            rules.deployment_knows_no_cloud,
            f"{rules.DEPLOY}.wiring",
            f"def f():\n    from {rules.AWS}.secrets_manager import SecretsManager",
        ),
        (
            rules.deployment_loads_little,
            f"{rules.AWS}.secrets_manager",
            "if TYPE_CHECKING:\n    import boto3\ndef f():\n    import boto3",
        ),
        (
            rules.alembic_private_names_have_one_home,
            rules.ALEMBIC_PRIVATE,
            "from alembic.autogenerate.render import _render_cmd_body",
        ),
        (
            rules.alembic_private_names_have_one_home,
            RENDER,
            "class Own:\n    def _render_cmd_body(self): return self._render_cmd_body()\n"
            "row._mapping\nalembic.__version__",
        ),
    ],
)
def test_a_source_that_keeps_the_rule_is_let_be(rule: rules.Rule, module: str, text: str) -> None:
    assert list(rule([Source(module, text)])) == []


def test_a_relative_import_in_a_package_counts_from_the_package() -> None:
    source = Source("pgmigrations.migrate.objects.enum", "from ..index import ops", is_package=True)
    assert list(rules.rooms_know_no_other_room([source]))


def test_a_file_that_is_too_long_is_found_but_a_revision_is_not(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    long, revision = tmp_path / "long.py", tmp_path / "versions" / "001_initial_schema.py"
    for path in (long, revision):
        path.write_text("\n" * (rules.MOST_LINES + 1))
    assert list(rules.files_are_short([long, revision])) == [f"{long} has 401 lines, more than 400"]


def test_a_file_whose_name_says_nothing_is_found() -> None:
    found = list(rules.files_say_what_they_are([Path("core/utils.py"), Path("core/order.py")]))
    assert found == ["core/utils.py has a name that says nothing"]


PACKAGE = Source("p", "from p.a import one", is_package=True)


@pytest.mark.parametrize(
    ("texts", "broken"),
    [
        ({"p.a": "from q import b", "q": "", "q.b": "import p"}, "p.a needs q.b needs p needs p.a"),
        ({"p.a": "from q import b", "q": "", "q.b": "def f():\n    import p"}, ""),
        ({"p.a": "import q", "q": "", "q.b": "import p"}, ""),
    ],
)
def test_imports_go_round_where_a_module_needs_itself(texts: dict[str, str], broken: str) -> None:
    sources = [PACKAGE, *(Source(*one, is_package=one[0] == "q") for one in texts.items())]
    found = " ".join(rules.imports_that_go_round(sources))
    assert set(found.split()) == set(broken.split())


@pytest.mark.parametrize(
    ("text", "is_broken"),
    [("from p import one", True), ("from p import b", False), ("import p.b", False)],
)
def test_a_module_takes_no_name_from_its_own_package(text: str, is_broken: bool) -> None:
    sources = [PACKAGE, Source("p.a", text), Source("p.b", "")]
    assert [*rules.names_from_own_package(sources)] == ["p.a:1 imports p.one"] * is_broken
