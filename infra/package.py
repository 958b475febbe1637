"""How the function's code reaches Lambda: as a container image, or as a zip with a layer."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from pgmigrations.errors import PgMigrationsError

ROOT = Path(__file__).parents[1]
ZIPS = ROOT / "build" / "lambda"
HANDLER = "pgmigrations.aws.handler.handler"

GOING_ON = "pgmigrations.aws.handler.is_complete"

_LAYER = "Dependencies"
_INI = "alembic.ini"
_SCRIPTS = "alembic"
_PLATFORMS = {
    "x86_64": (ecr_assets.Platform.LINUX_AMD64, lambda_.Architecture.X86_64),
    "arm64": (ecr_assets.Platform.LINUX_ARM64, lambda_.Architecture.ARM_64),
}


class PackageUnfit(PgMigrationsError):
    """A package that cannot be deployed as it is."""


@dataclass(frozen=True)
class FunctionCode:
    """What Lambda is told of the code.

    Args:
        code: Where it is.
        handler: What is called; `Handler.FROM_IMAGE` where it is the image's command.
        runtime: The Python, or `Runtime.FROM_IMAGE`.
        architecture: The processor.
        layers: What is unpacked below `/opt`; None for an image, which can have none.
    """

    code: lambda_.Code
    handler: str
    runtime: lambda_.Runtime
    architecture: lambda_.Architecture
    layers: Sequence[lambda_.ILayerVersion] | None = None


class Package(Protocol):
    """A way to bring the code to Lambda."""

    def code(self, scope: Construct, handler: str = HANDLER) -> FunctionCode:
        """The code, with what it needs made in `scope`, once for all handlers."""

    def digest(self) -> str:
        """The digest of what decides whether there is something to migrate."""


@dataclass(frozen=True)
class ImagePackage:
    """A container image, built from the Dockerfile by `cdk deploy`; needs Docker there.

    Args:
        project: The folder of Dockerfile and alembic.ini.
        target: The target of the Dockerfile.
        architecture: `x86_64` or `arm64`.
        build_args: Given to `docker build`, such as `RDS_BUNDLE_SHA256`.
    """

    project: Path = ROOT
    target: str = "function"
    architecture: str = "x86_64"
    build_args: dict[str, str] = field(default_factory=dict)

    def code(self, scope: Construct, handler: str = HANDLER) -> FunctionCode:
        """The image, with the handler as its command."""
        platform, architecture = _PLATFORMS[self.architecture]
        code = lambda_.Code.from_asset_image(
            str(self.project),
            cmd=[handler],
            target=self.target,
            platform=platform,
            build_args=self.build_args,
        )
        return FunctionCode(
            code, lambda_.Handler.FROM_IMAGE, lambda_.Runtime.FROM_IMAGE, architecture
        )

    def digest(self) -> str:
        """The digest of alembic.ini, env.py and every revision."""
        return digest_of(_files_below(self.project))


@dataclass(frozen=True)
class ZipPackage:
    """The two zips that `python -m scripts.package_lambda` writes; no Docker is needed.

    Args:
        folder: Where they are.
        architecture: What they were built for, `x86_64` or `arm64`.
        project: The folder of alembic.ini that they were built from.
    """

    folder: Path = ZIPS
    architecture: str = "x86_64"
    project: Path = ROOT

    def code(self, scope: Construct, handler: str = HANDLER) -> FunctionCode:
        """The function's zip, and a layer version of the other one.

        Raises:
            PackageUnfit: A zip is missing.
        """
        code = lambda_.Code.from_asset(str(self._zip("function.zip")))
        layers = [self._layer(scope)]
        architecture = _PLATFORMS[self.architecture][1]
        return FunctionCode(code, handler, lambda_.Runtime.PYTHON_3_13, architecture, layers)

    def digest(self) -> str:
        """The digest of alembic.ini, env.py and every revision in the zip.

        Raises:
            PackageUnfit: There is no zip, or the project has changed since it was built: the
                deployment would call a function that lacks the revision that it is called for.
        """
        with zipfile.ZipFile(self._zip("function.zip")) as archive:
            packed = digest_of((name, archive.read(name)) for name in archive.namelist())
        if packed != digest_of(_files_below(self.project)):
            raise PackageUnfit(
                f"{self.folder / 'function.zip'} has other revisions than {self.project}",
                "Build it again: python -m scripts.package_lambda",
            )
        return packed

    def _layer(self, scope: Construct) -> lambda_.LayerVersion:
        made = scope.node.try_find_child(_LAYER)
        if isinstance(made, lambda_.LayerVersion):
            return made
        return lambda_.LayerVersion(
            scope,
            _LAYER,
            code=lambda_.Code.from_asset(str(self._zip("layer.zip"))),
            description="pgmigrations, what it needs, and the certificates of RDS",
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[_PLATFORMS[self.architecture][1]],
        )

    def _zip(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise PackageUnfit(f"There is no {path}", "Build it: python -m scripts.package_lambda")
        return path


def digest_of(files: Iterable[tuple[str, bytes]]) -> str:
    """The digest of the files that decide whether there is something to migrate.

    Args:
        files: Path below the project, with `/`, and content; others than alembic.ini and the
            Python files below alembic/ are passed over.
    """
    digest = sha256()
    for name, content in sorted(files):
        if name == _INI or (name.startswith(f"{_SCRIPTS}/") and name.endswith(".py")):
            digest.update(b"%s\0%d\0" % (name.encode(), len(content)))
            digest.update(content)
    return digest.hexdigest()


def _files_below(project: Path) -> Iterator[tuple[str, bytes]]:
    for path in [project / _INI, *(project / _SCRIPTS).rglob("*.py")]:
        yield path.relative_to(project).as_posix(), path.read_bytes()
