"""The function's code as an image and as zips, and the digest by which CloudFormation calls it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

import pytest

from scripts.package_lambda import build_function, write_archive
from tests.infra.resources import Resources

pytestmark = pytest.mark.cdk


def image_digest(project: Path) -> str:
    """The digest that an image of the project brings to CloudFormation."""
    from infra.package import ImagePackage

    return ImagePackage(project=project).digest()


@pytest.fixture
def zips(project: Path, tmp_path: Path) -> Path:
    """The function's zip of the project, and a layer that only stands for one."""
    folder = tmp_path / "zips"
    build_function(folder, project=project)
    (tmp_path / "layer" / "python").mkdir(parents=True)
    (tmp_path / "layer" / "python" / "dependency.py").touch()
    write_archive(tmp_path / "layer", folder / "layer.zip")
    return folder


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("alembic/versions/001_initial_schema.py", "# changed"),
        ("alembic/versions/004_notes.py", "# new"),
        ("alembic/env.py", "# changed"),
        ("alembic.ini", "; changed"),
    ],
)
def test_a_change_of_what_is_migrated_changes_the_digest(
    project: Path, path: str, text: str
) -> None:
    before = image_digest(project)
    with (project / path).open("a") as file:
        file.write(text)
    assert image_digest(project) != before


def test_the_name_of_a_revision_counts_and_its_cache_does_not(project: Path) -> None:
    before = image_digest(project)
    versions = project / "alembic" / "versions"
    (versions / "__pycache__").mkdir()
    (versions / "__pycache__" / "001_initial_schema.cpython-313.pyc").touch()
    assert image_digest(project) == before
    (versions / "003_default_settings.py").rename(versions / "004_default_settings.py")
    assert image_digest(project) != before


def test_a_deployment_without_a_new_revision_does_not_call_the_function(
    synthesized: ModuleType, project: Path, small: Resources
) -> None:
    from infra.package import ImagePackage

    # A change of the application alone: another image, but nothing to migrate.
    (project / "app" / "models" / "note.py").touch()
    changed: Resources = synthesized.example_with(ImagePackage(project=project))
    kind = "Custom::DatabaseMigration"
    assert changed.one(kind)["Properties"] == small.one(kind)["Properties"]
    assert changed.function()["Code"] != small.function()["Code"]


def test_the_zips_bring_the_handler_and_a_layer_and_the_same_digest(
    synthesized: ModuleType, project: Path, zips: Path, small: Resources
) -> None:
    from infra.package import ZipPackage

    resources: Resources = synthesized.example_with(ZipPackage(folder=zips, project=project))
    function = resources.function()
    assert function["Runtime"] == "python3.13"
    assert function["Handler"] == "pgmigrations.aws.handler.handler"
    assert function["Layers"] == [{"Ref": resources.name("AWS::Lambda::LayerVersion")}]
    assert function["Code"]["S3Key"].endswith(".zip")
    kind = "Custom::DatabaseMigration"
    assert resources.one(kind)["Properties"] == small.one(kind)["Properties"]


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_the_processor_is_the_same_for_function_and_layer(
    synthesized: ModuleType, project: Path, zips: Path, architecture: str
) -> None:
    from infra.package import ZipPackage

    package = ZipPackage(folder=zips, project=project, architecture=architecture)
    resources: Resources = synthesized.example_with(package)
    layer = resources.one("AWS::Lambda::LayerVersion")["Properties"]
    assert resources.function()["Architectures"] == [architecture]
    assert layer["CompatibleArchitectures"] == [architecture]


def test_zips_that_lack_a_revision_are_refused(project: Path, zips: Path) -> None:
    from infra.package import PackageUnfit, ZipPackage

    (project / "alembic" / "versions" / "004_notes.py").touch()
    with pytest.raises(PackageUnfit, match=r"function.zip has other revisions than .*package_la"):
        ZipPackage(folder=zips, project=project).digest()


@pytest.mark.parametrize("name", ["function.zip", "layer.zip"])
def test_a_zip_that_is_not_built_is_asked_for(
    synthesized: ModuleType, project: Path, zips: Path, name: str
) -> None:
    from infra.package import PackageUnfit, ZipPackage

    (zips / name).unlink()
    with pytest.raises(PackageUnfit, match=rf"There is no .*{name}. Build it: python -m"):
        synthesized.example_with(ZipPackage(folder=zips, project=project))


def test_the_image_is_made_of_what_the_dockerfile_copies_and_nothing_else(
    synthesized: ModuleType, project: Path
) -> None:
    for name in (".env", "app/.env", "secret.txt", "app/__pycache__/settings.cpython-313.pyc"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("not to be seen")
    staged = synthesized.staged_image(project)
    found = {path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file()}
    shutil.rmtree(staged.parent)
    assert {name.split("/")[0] for name in found} == {
        ".dockerignore",
        "Dockerfile",
        "README.md",
        "alembic",
        "alembic.ini",
        "app",
        "pyproject.toml",
        "requirements",
        "src",
    }
    assert {name for name in found if name.startswith("requirements")} == {
        "requirements/aws.txt",
        "requirements/build.txt",
    }
    assert not [name for name in found if name.endswith((".env", ".pyc"))]
