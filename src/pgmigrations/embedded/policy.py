"""Where the embedded server may be used without being asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pgmigrations.embedded.error import EmbeddedError, RefusedError

SETTING = "PGMIGRATIONS_EMBEDDED"
CONTAINER_MARKERS = (Path("/.dockerenv"), Path("/run/.containerenv"))
_CONTAINER_VARIABLES = (
    "KUBERNETES_SERVICE_HOST",
    "ECS_CONTAINER_METADATA_URI",
    "ECS_CONTAINER_METADATA_URI_V4",
)
_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}


def wanted(environ: Mapping[str, str]) -> bool | None:
    """Read PGMIGRATIONS_EMBEDDED: True, False, or None when it is not set.

    Raises:
        EmbeddedError: Its value is neither a yes nor a no.
    """
    value = environ.get(SETTING, "").strip().lower()
    if value in _YES:
        return True
    if value in _NO:
        return False
    if value:
        raise EmbeddedError(
            f"{SETTING} is {environ[SETTING]!r}", "Set it to 1 (use) or 0 (never use)"
        )
    return None


def deployment(
    environ: Mapping[str, str], markers: Sequence[Path] = CONTAINER_MARKERS
) -> str | None:
    """Name the sign that this is no developer's machine; None when there is none.

    Args:
        environ: The environment variables.
        markers: Files that exist only in containers.
    """
    if environ.get("CI", "").strip().lower() not in _NO | {""}:
        return "in CI (CI is set)"
    if environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        return "in AWS Lambda (AWS_LAMBDA_FUNCTION_NAME is set)"
    for name in _CONTAINER_VARIABLES:
        if environ.get(name):
            return f"in a container ({name} is set)"
    for marker in markers:
        if marker.exists():
            return f"in a container ({marker} exists)"
    return None


def refused(where: str) -> RefusedError:
    """Build the error for a place where a forgotten DATABASE_URL would be hidden."""
    return RefusedError(
        "DATABASE_URL is not set, and the embedded PostgreSQL server is not used"
        f" {where}, where it would hide that",
        "Set DATABASE_URL; or, to use the embedded server on purpose, set"
        f" {SETTING}=1 or run: pgmigrations embedded start",
    )


def switched_off() -> RefusedError:
    """Build the error for PGMIGRATIONS_EMBEDDED=0."""
    return RefusedError(
        "DATABASE_URL is not set, and the embedded PostgreSQL server is switched off"
        f" ({SETTING}=0)",
        f"Set DATABASE_URL, or remove {SETTING}",
    )
