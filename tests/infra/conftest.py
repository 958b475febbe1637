"""What the tests of the deployment share; CDK is imported by those alone that need it."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts import package_lambda
from scripts.package_lambda import Archive
from scripts.test_all import NotProvidedError, find_python
from tests.infra.unpacked import Unpacked

if TYPE_CHECKING:
    from types import ModuleType

    from tests.infra.resources import Resources

ROOT = Path(__file__).parents[2]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cdk") is None:
        return
    if find_spec("aws_cdk") is None:
        pytest.skip("CDK is not installed here; make cdk brings its own environment")
    if shutil.which("node") is None:
        pytest.skip("CDK needs Node, which is not installed")


@pytest.fixture(scope="session")
def synthesized() -> ModuleType:
    """`tests.infra.synthesized`, whose import starts the one Node process of the session."""
    # It does what is asked of it here; distributions still bring it.
    os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"
    from tests.infra import synthesized

    return synthesized


@pytest.fixture(scope="session")
def example(synthesized: ModuleType) -> Resources:
    """The example's template, with the function as an image."""
    resources: Resources = synthesized.example()
    return resources


@pytest.fixture(scope="session")
def small(synthesized: ModuleType) -> Resources:
    """A stack with little but the migration, made without any option."""
    resources: Resources = synthesized.small()
    return resources


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the image and the zip are made of."""
    copy = tmp_path / "project"
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in tracked:
        if name.startswith(("alembic", "app/", "src/", "requirements/")) or name in {
            "Dockerfile",
            ".dockerignore",
            "pyproject.toml",
            "README.md",
        }:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def function(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The function's zip of this repository."""
    return package_lambda.build_function(tmp_path_factory.mktemp("function"))


@pytest.fixture(scope="session")
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
