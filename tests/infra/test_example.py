"""The example: encrypted on every way, without a password in it, and for any account."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pgmigrations.errors import PgMigrationsError
from tests.infra.conftest import ROOT
from tests.infra.resources import Resources

pytestmark = pytest.mark.cdk


def test_the_server_and_the_proxy_refuse_connections_without_tls(example: Resources) -> None:
    parameters = example.one("AWS::RDS::DBParameterGroup")["Properties"]["Parameters"]
    assert parameters == {"rds.force_ssl": "1"}
    assert example.one("AWS::RDS::DBProxy")["Properties"]["RequireTLS"] is True


def test_the_database_is_encrypted_private_and_kept(example: Resources) -> None:
    instance = example.one("AWS::RDS::DBInstance")
    assert instance["Properties"]["StorageEncrypted"] is True
    assert instance["Properties"]["DeletionProtection"] is True
    assert instance["DeletionPolicy"] == "Snapshot"
    assert instance["Properties"]["PubliclyAccessible"] is False
    assert not example.of("AWS::EC2::InternetGateway")
    assert not example.of("AWS::EC2::NatGateway")


def test_the_proxy_knows_the_logins_of_the_application_and_not_the_migrator(
    example: Resources,
) -> None:
    proxy = example.one("AWS::RDS::DBProxy")["Properties"]
    secrets = [one["SecretArn"]["Ref"] for one in proxy["Auth"]]
    assert [name.rstrip("0123456789ABCDEF") for name in secrets] == [
        "UserSecret",
        "TableCreatorSecret",
    ]
    assert {one["ClientPasswordAuthType"] for one in proxy["Auth"]} == {"POSTGRES_SCRAM_SHA_256"}


def test_every_secret_begins_with_a_random_password(example: Resources) -> None:
    secrets = example.of("AWS::SecretsManager::Secret")
    assert len(secrets) == 3
    for secret in secrets.values():
        assert "SecretString" not in secret["Properties"]
        generated = secret["Properties"]["GenerateSecretString"]
        assert generated["GenerateStringKey"] == "password"
        assert set(json.loads(generated["SecretStringTemplate"])) == {"username"}


def test_the_example_names_no_account_and_no_region(example: Resources) -> None:
    text = json.dumps(example.template["Resources"])
    assert not re.search(r"(?<![0-9a-f])\d{12}(?![0-9a-f])", text)
    assert not re.search(r"\b[a-z]{2}-[a-z]+-\d\b", text)


def test_the_example_is_the_same_each_time(synthesized: ModuleType, example: Resources) -> None:
    assert synthesized.example() == example


def test_another_package_than_image_or_zip_is_refused(synthesized: ModuleType) -> None:
    with pytest.raises(PgMigrationsError, match=r"package=tar is not known. Known: image, zip"):
        synthesized.example({"package": "tar"})


def test_cloudformation_finds_nothing_wrong_with_it(example: Resources, tmp_path: Path) -> None:
    template = tmp_path / "example.json"
    template.write_text(json.dumps(example.template))
    # W3005: CDK says a dependency where a reference implies it.
    linter = Path(sys.executable).parent / "cfn-lint"
    command = [str(linter), "--ignore-checks", "W3005", "--", str(template)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


def run_app(folder: Path, **context: str) -> subprocess.CompletedProcess[str]:
    """Run the command of cdk.json as the CLI runs it, with the assembly to be written there."""
    told = json.loads((ROOT / "infra" / "cdk.json").read_text(encoding="utf-8"))
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps({**told["context"], **context}),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    return subprocess.run(
        told["app"],
        shell=True,
        cwd=ROOT / "infra",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_of_cdk_json_writes_the_assembly_where_the_cli_looks(tmp_path: Path) -> None:
    done = run_app(tmp_path)
    assert (done.stderr, done.returncode) == ("", 0)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert "missing" not in manifest  # Nothing has to be looked up in an account.
    assert manifest["artifacts"]["PgmigrationsExample"]["environment"] == (
        "aws://unknown-account/unknown-region"
    )


def test_a_failure_of_the_command_is_one_line(tmp_path: Path) -> None:
    done = run_app(tmp_path, package="tar")
    assert done.returncode == 1
    assert done.stderr == "package=tar is not known. Known: image, zip\n"
