"""The how-to says what is so: its example is a stack, its commands are commands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from scripts import package_lambda
from tests.infra.conftest import ROOT

HOW_TO = (ROOT / "docs" / "how-to" / "deploy-lambda-cdk.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The how-to's blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", HOW_TO, flags=re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[list[str]]:
    """The words of each line that calls a program."""
    lines = "".join(blocks("console")).splitlines()
    return [line.split()[1:] for line in lines if line.startswith(f"$ {program} ")]


@pytest.mark.cdk
def test_the_example_of_the_how_to_is_a_stack_that_migrates(synthesized: ModuleType) -> None:
    (text,) = blocks("python")
    resources = synthesized.of_text(text, "ApplicationStack")
    migration = resources.name("Custom::DatabaseMigration")
    assert migration in resources.one("AWS::SNS::Topic")["DependsOn"]


def test_the_options_of_the_package_are_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (command,) = [words for words in commands("python") if "scripts.package_lambda" in words]
    # Without the certificates it ends before it installs anything.
    given = [*command[3:], "--output", str(tmp_path)]
    given[given.index("global-bundle.pem")] = str(tmp_path / "global-bundle.pem")
    assert package_lambda.main(given) == 1
    assert "There are no certificates" in capsys.readouterr().err


def test_the_extra_and_the_context_that_are_named_exist() -> None:
    assert ["pip", "install", "-e", "'.[cdk]'"] in commands("pip")
    assert 'cdk = ["aws-cdk-lib' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert ["npx", "aws-cdk@2", "deploy", "--context", "package=zip"] in commands("npx")
    assert '"zip": ZipPackage' in (ROOT / "infra" / "app.py").read_text(encoding="utf-8")


def test_the_payload_is_json_and_the_target_is_one_of_the_dockerfile() -> None:
    ((payload,),) = [re.findall(r"--payload '(.*)'", "".join(blocks("console")))]
    assert json.loads(payload) == {"rotate": True}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for target in re.findall(r"docker build --target (\w+)", HOW_TO):
        assert f" AS {target}\n" in dockerfile
