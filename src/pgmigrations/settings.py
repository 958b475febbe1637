"""The settings of a project: defaults, then `[pgmigrations]` of alembic.ini, then env.py's own."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pgmigrations.errors import PgMigrationsError

SECTION = "pgmigrations"


class UnknownSetting(PgMigrationsError):
    """A key that no setting has."""

    def __init__(self, key: str, where: str) -> None:
        known = [field.name for field in dataclasses.fields(Settings)]
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}?" if near else f"Known settings: {', '.join(known)}"
        super().__init__(f"Unknown setting {key!r} in {where}", hint)
        self.key = key


class UnknownSection(PgMigrationsError):
    """A section whose name is nearly ours."""

    def __init__(self, name: str, where: str) -> None:
        super().__init__(f"Section [{name}] of {where} is read by nobody", f"Call it [{SECTION}]")


class InvalidSetting(PgMigrationsError):
    """A setting whose value does not fit."""

    def __init__(self, key: str, value: object, expected: str) -> None:
        super().__init__(f"Setting {key} = {value!r} is not valid", f"Expected {expected}")
        self.key = key
        self.value = value


@dataclass(frozen=True)
class Settings:
    """Everything that a project can set; one object, carried by Alembic's context.

    Attributes:
        version_table: Name of the table that holds the current revision.
        version_table_schema: Its schema; empty for the connection's default schema.
        database_url: What gives the database's URL without env.py, as file and function:
            `app/settings.py:database_url`; empty for nothing.
        revision_names: `sequential` (003_add_favorites.py) or `timestamp` (Unix milliseconds).
        revision_number_floor: Lowest number that a sequential revision may get.
        revision_number_width: Digits of a sequential number; wider ones on disk win.
        scratch_url: Server on which scratch databases are created, where the role may not create
            them beside the database; `embedded` for a server of our own; empty for beside it.
        cache: Folder that keeps what the server has made of the models; `off` for none, empty for
            `pgmigrations` in the user's cache folder.
        prove: Whether a revision is run on a copy of the schema before it is written.
        ignore_extensions: Extensions that are left alone although no model declares them.
        ignore_tables: Tables that are nobody's business here: `schema.table`, or `table` in the
            connection's default schema.
        type_packages: Packages other than SQLAlchemy whose column types revisions may import.
        lock_wait: Seconds to wait for another run on the same database; 0 fails at once.
        lock_timeout: Seconds that a statement may wait for a lock before the revision's
            transaction is taken back and tried again later; others queue behind it for as long.
        blocked_wait: Seconds for which a revision is tried again in all.
        statement_timeout: Seconds that a statement of a revision's transaction may take; 0 leaves
            it to the server. Concurrent builds have no limit.
        refuse_ahead: Whether an upgrade fails where the database is ahead of the revision files,
            as it is after a deployment was rolled back.
        refuse_changed: Whether an upgrade fails where the code of an applied revision is another
            one by now; `pgmigrations repair` accepts it. Only `status` tells it otherwise.
        application_logins: The logins whose passwords `deploy` sets, each with the variable of the
            environment that names its secret: `app_rw=DB_USER_SECRET_NAME`.
        rotation: `alternating`: each has a second login, `app_rw_clone`, and the one that is not in
            use gets the new password; `single`: the one login gets it.
        rotation_days: Days after which `deploy` rotates a password unasked; 0 for never.
        step_rate: Megabytes of a table that the server goes through in a second, by which `deploy`
            tells whether a function has the time for a revision; 0 for not to tell.
    """

    version_table: str = "pgmigrations"
    version_table_schema: str = ""
    database_url: str = ""
    revision_names: str = "sequential"
    revision_number_floor: int = 1
    revision_number_width: int = 3
    scratch_url: str = ""
    cache: str = ""
    prove: bool = True
    ignore_extensions: tuple[str, ...] = ()
    ignore_tables: tuple[str, ...] = ()
    type_packages: tuple[str, ...] = ("pgvector",)
    lock_wait: float = 600.0
    lock_timeout: float = 0.05
    blocked_wait: float = 600.0
    statement_timeout: float = 0.0
    refuse_ahead: bool = False
    refuse_changed: bool = False
    application_logins: tuple[str, ...] = ()
    rotation: str = "alternating"
    rotation_days: int = 0
    step_rate: int = 20

    def __post_init__(self) -> None:
        if self.revision_names not in ("sequential", "timestamp"):
            raise InvalidSetting("revision_names", self.revision_names, "sequential or timestamp")
        if self.database_url and not re.fullmatch(r"[^:]+\.py:\w+", self.database_url):
            raise InvalidSetting(
                "database_url",
                self.database_url,
                "a file and a function in it, such as app/settings.py:database_url",
            )
        if self.revision_number_floor < 0:
            raise InvalidSetting(
                "revision_number_floor", self.revision_number_floor, "0 or a greater number"
            )
        if not 1 <= self.revision_number_width <= 10:
            raise InvalidSetting("revision_number_width", self.revision_number_width, "1 to 10")
        self._check_deployment()
        for key in ("lock_wait", "blocked_wait", "statement_timeout"):
            if getattr(self, key) < 0:
                raise InvalidSetting(key, getattr(self, key), "0 or more seconds")
        if not self.lock_timeout > 0:
            raise InvalidSetting("lock_timeout", self.lock_timeout, "more than 0 seconds")

    def _check_deployment(self) -> None:
        for one in self.application_logins:
            if not re.fullmatch(r"[^=]+=\w+", one):
                raise InvalidSetting(
                    "application_logins",
                    one,
                    "a login and the variable that names its secret: app_rw=DB_USER_SECRET_NAME",
                )
        names = [one.partition("=")[0] for one in self.application_logins]
        if len({*names, *(f"{name}_clone" for name in names)}) < 2 * len(names):
            raise InvalidSetting(
                "application_logins",
                " ".join(self.application_logins),
                "each login once, and none that is another's _clone",
            )
        if self.rotation not in ("alternating", "single"):
            raise InvalidSetting("rotation", self.rotation, "alternating or single")
        for key in ("rotation_days", "step_rate"):
            if getattr(self, key) < 0:
                raise InvalidSetting(key, getattr(self, key), "0 or a greater number")

    @classmethod
    def load(cls, section: Mapping[str, str], where: str, **overrides: object) -> Settings:
        """Read the settings of a project.

        Args:
            section: The keys of `[pgmigrations]` in alembic.ini.
            where: Name of that file, for error messages.
            overrides: Settings given in env.py; they win.

        Raises:
            UnknownSetting: A key that is no setting, with the nearest one named.
            InvalidSetting: A value that does not fit.
        """
        parsers = _parsers()
        values: dict[str, object] = {}
        for key, text in section.items():
            if key not in parsers:
                raise UnknownSetting(key, f"[{SECTION}] of {where}")
            values[key] = parsers[key](key, text)
        for key, value in overrides.items():
            if key not in parsers:
                raise UnknownSetting(key, "configure_arguments()")
            values[key] = value
        return cls(**values)  # type: ignore[arg-type]


def _parsers() -> dict[str, Callable[[str, str], object]]:
    by_type: dict[type, Callable[[str, str], object]] = {
        str: lambda _key, text: text.strip(),
        int: _number,
        bool: switch,
        float: duration,
        tuple: lambda _key, text: tuple(word for word in re.split(r"[\s,]+", text) if word),
    }
    return {
        field.name: by_type[type(field.default)]
        for field in dataclasses.fields(Settings)
        if field.default is not dataclasses.MISSING
    }


def switch(key: str, text: str) -> bool:
    """Read a value that is either on or off.

    Raises:
        InvalidSetting: It is neither.
    """
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    try:
        return words[text.strip().lower()]
    except KeyError:
        raise InvalidSetting(key, text, "true or false") from None


_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|min|h)")


def duration(key: str, text: str) -> float:
    """Read a length of time, as PostgreSQL writes one, into seconds.

    Example:
        >>> duration("lock_timeout", "50ms")
        0.05

    Raises:
        InvalidSetting: It has no unit, and is not 0; or it is no length of time.
    """
    if text.strip() == "0":
        return 0.0
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise InvalidSetting(key, text, "a length of time with its unit: 50ms, 10s, 5min, 1h")
    return float(found["number"]) * _SECONDS[found["unit"]]


def _number(key: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidSetting(key, text, "a whole number") from None
