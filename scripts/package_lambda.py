"""Build the zip of the Lambda function and the zip of its layer.

    python -m scripts.package_lambda --bundle global-bundle.pem

writes `build/lambda/function.zip` (the project: models, revisions, settings, manifest) and
`build/lambda/layer.zip` (this package and its dependencies as `requirements/aws.txt` pins them, and
the certificates of RDS). The same files give the same bytes, so that a deployment without a change
uploads nothing. `docs/how-to/deploy-lambda-cdk.md` says what to do with them.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from pgmigrations.errors import PgMigrationsError
from pgmigrations.run import manifest
from scripts.test_all import NotProvidedError, find_python

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "build" / "lambda"
LOCK = ROOT / "requirements" / "aws.txt"
PROJECT_FILES = ("alembic.ini", "alembic", "app")
BUNDLE = "rds-global-bundle.pem"
"""What the certificates are called in the layer; the handler looks for `/opt/<this>`."""

PYTHON = "3.13"
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
# Amazon Linux 2023, which Lambda's Python 3.13 runs on, has glibc 2.34.
PLATFORMS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
MOST_BYTES = 250 * 1024**2
"""What a function and its layers may come to, unpacked: Lambda's limit."""

SERVICES = frozenset({"secretsmanager", "sts"})
"""The services whose descriptions botocore needs here; those of all are 30 MB."""

_UNUSED_FOLDERS = frozenset({"__pycache__", "tests", "bin", "examples"})
_UNUSED_SUFFIXES = frozenset({".pyc", ".pyi", ".pyx", ".pxd", ".c"})
# They tell where and how it was installed, which differs from one machine to the next.
_UNUSED_RECORDS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FOREIGN = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PYTHONPATH")


class PackageFailure(PgMigrationsError):
    """A package that cannot be built, or that Lambda would refuse."""


@dataclass(frozen=True)
class Archive:
    """A zip that was written.

    Args:
        path: Where it is.
        files: How many files are in it.
        unpacked: Their size, bytes.
    """

    path: Path
    files: int
    unpacked: int

    @property
    def packed(self) -> int:
        """The size of the zip, bytes."""
        return self.path.stat().st_size

    def __str__(self) -> str:
        return (
            f"{self.path.name}: {self.packed / 1e6:.2f} MB, "
            f"unpacked {self.unpacked / 1e6:.2f} MB in {self.files} files"
        )


def write_archive(folder: Path, path: Path) -> Archive:
    """Write every file of a folder into a zip, in the order of their names and without times.

    Args:
        folder: Its files become the entries; their permissions are 0644, which every user can read.
        path: The zip; its folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
            entry.create_system = 3  # Unix on every machine, or the permissions do not count.
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes(), compresslevel=9)
    return Archive(path, len(files), sum(file.stat().st_size for file in files))


def build_function(output: Path, *, project: Path = ROOT) -> Archive:
    """Build the function's zip: the project's files and the manifest that tells of them.

    Args:
        output: The folder to write `function.zip` into.
        project: The folder of alembic.ini.

    Raises:
        PackageFailure: The project has no manifest; the reason is `pgmigrations manifest`'s.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in PROJECT_FILES:
            source = project / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=_unused_in_project)
            else:
                shutil.copy(source, folder / part)
        code = "import sys; from pgmigrations.cli import main; sys.exit(main(['manifest']))"
        _run([sys.executable, "-c", code], cwd=folder)
        if not (folder / manifest.FILE).exists():
            raise PackageFailure(f"{project} gave no manifest")
        for cache in list(folder.rglob("__pycache__")):
            shutil.rmtree(cache)
        return write_archive(folder, output / "function.zip")


def build_layer(
    output: Path,
    *,
    lock: Path = LOCK,
    architecture: str = "x86_64",
    bundle: Path | None = None,
    compiler: str | None = None,
) -> Archive:
    """Build the layer's zip: the dependencies for Lambda's Python, this package, the certificates.

    Args:
        output: The folder to write `layer.zip` into.
        lock: What is installed, with hashes.
        architecture: Lambda's name of the processor, `x86_64` or `arm64`.
        bundle: The certificates of RDS; none by default.
        compiler: An interpreter of Lambda's version, which makes the bytecode that the function
            cannot keep; without it every cold start compiles anew.

    Raises:
        PackageFailure: pip fails, or there is no such file of certificates.
    """
    if bundle is not None and not bundle.is_file():
        raise PackageFailure(f"There are no certificates at {bundle}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "layer"
        packages = folder / "python"
        _install(packages, ["--require-hashes", "--requirement", str(lock)], architecture)
        wheels = Path(name) / "wheels"
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
        _run([*pip, "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT)])
        _install(packages, ["--no-index", *map(str, wheels.glob("*.whl"))], architecture)
        for path in sorted(packages.rglob("*"), reverse=True):
            if path.is_file() and is_unused(path.relative_to(packages)):
                path.unlink()
        if compiler is not None:
            compile_for_good(packages, compiler)
        if bundle is not None:
            shutil.copy(bundle, folder / BUNDLE)
        return write_archive(folder, output / "layer.zip")


def compile_for_good(folder: Path, compiler: str) -> None:
    """Compile every module so that its bytecode is taken whatever the times of the files are.

    Args:
        folder: What the layer has in its folder `python`.
        compiler: An interpreter of Lambda's version.
    """
    command = [compiler, "-m", "compileall", "-qq", "-s", str(folder), "-p", "/opt/python"]
    _run([*command, "--invalidation-mode", "unchecked-hash", str(folder)])


def is_unused(path: PurePath) -> bool:
    """Whether an installed file is not needed to run.

    Args:
        path: Relative to the folder that the packages are installed in.
    """
    folders = path.parts[:-1]
    if _UNUSED_FOLDERS.intersection(folders) or path.suffix in _UNUSED_SUFFIXES:
        return True
    if folders and folders[0].endswith(".dist-info"):
        return path.name in _UNUSED_RECORDS
    return folders[:2] == ("botocore", "data") and not SERVICES.issuperset(folders[2:3])


def check_size(archives: Sequence[Archive]) -> None:
    """Refuse what Lambda would refuse.

    Raises:
        PackageFailure: Function and layer come to more than Lambda takes.
    """
    total = sum(archive.unpacked for archive in archives)
    if total > MOST_BYTES:
        raise PackageFailure(
            f"Function and layer come to {total / 1e6:.0f} MB unpacked, Lambda takes "
            f"{MOST_BYTES / 1e6:.0f} MB",
            "Deploy the container image instead",
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Build both zips and print their sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder; build/lambda")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="x86_64")
    parser.add_argument("--bundle", type=Path, help="certificates of RDS, global-bundle.pem")
    given = parser.parse_args(arguments)
    try:
        compiler = find_python(PYTHON)
    except NotProvidedError as reason:
        compiler = None
        print(f"Without bytecode, so cold starts take three times as long: {reason}")
    if given.bundle is None:
        print("Without certificates of RDS: the function needs them from elsewhere (--bundle)")
    try:
        layer = build_layer(
            given.output,
            architecture=given.architecture,
            bundle=given.bundle,
            compiler=compiler,
        )
        archives = [build_function(given.output), layer]
        check_size(archives)
    except PackageFailure as failure:
        print(failure, file=sys.stderr)
        return 1
    for archive in archives:
        print(archive)
    return 0


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


def _install(folder: Path, what: list[str], architecture: str) -> None:
    processor = ARCHITECTURES[architecture]
    platforms = [f"--platform={name}_{processor}" for name in PLATFORMS]
    _run(
        [
            *[sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"],
            *["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"],
            *platforms,
            *["--target", str(folder), *what],
        ]
    )


def _run(command: Sequence[str], cwd: Path | None = None) -> None:
    environment = {key: text for key, text in os.environ.items() if key not in _FOREIGN}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise PackageFailure(f"{' '.join(command[1:4])} failed: {said[-1] if said else ''}")


def _unused_in_project(_folder: str, names: list[str]) -> Iterator[str]:
    return (name for name in names if re.search(r"^__pycache__$|\.pyc$|^\.", name))


if __name__ == "__main__":
    sys.exit(main())
