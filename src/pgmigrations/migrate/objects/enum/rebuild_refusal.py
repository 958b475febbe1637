"""Why the server would not let a type be rebuilt, as SQLSTATEs of the block and as our errors."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from pgmigrations.errors import PgMigrationsError

LABELS_IN_USE = "PGM01"
DEPENDANTS_IN_THE_WAY = "PGM02"
LABEL_IN_DEFINITION = "PGM03"
NOT_THE_OWNER = "PGM04"
ROWS_HIDDEN = "PGM05"


class LabelsInUse(PgMigrationsError):
    """Rows hold a label that is to be removed."""

    def __init__(self, subject: str, counts: str) -> None:
        super().__init__(
            f"{subject} cannot lose labels that rows hold: {counts}",
            'Update those rows first, or say replace={"old label": "new label"}',
        )
        self.subject = subject
        self.counts = counts


class DependantsInTheWay(PgMigrationsError):
    """Something outside of tables uses the type, or PostgreSQL cannot change a column."""

    def __init__(self, subject: str, dependants: str) -> None:
        super().__init__(
            f"{subject} cannot be rebuilt while this uses it: {dependants}",
            "Drop that earlier in the revision, and create it again after op.replace_enum()",
        )
        self.subject = subject
        self.dependants = dependants


class LabelInDefinition(PgMigrationsError):
    """A default, check, index or generated column says a label that is to be removed."""

    def __init__(self, subject: str, definition: str) -> None:
        super().__init__(
            f"{subject} cannot lose a label that a definition says: {definition}",
            "Drop or change that earlier in the revision",
        )
        self.subject = subject
        self.definition = definition


class NotTheOwner(PgMigrationsError):
    """The role that runs the revision owns not everything that it must change."""

    def __init__(self, subject: str, objects: str) -> None:
        super().__init__(
            f"{subject} can be rebuilt only by a role that owns {objects}",
            "Run as that owner, as a member of it, or as a superuser",
        )
        self.subject = subject
        self.objects = objects


class RowsHidden(PgMigrationsError):
    """Row-level security hides rows from the role that must look at all of them."""

    def __init__(self, subject: str, tables: str) -> None:
        super().__init__(
            f"{subject} cannot lose labels while row-level security hides rows of {tables}",
            "Run as a role with BYPASSRLS, or say NO FORCE ROW LEVEL SECURITY for the time",
        )
        self.subject = subject
        self.tables = tables


def refusal_of(subject: str, error: DBAPIError) -> PgMigrationsError | None:
    """Return what to raise for a refusal of the block's; None for any other failure."""
    refusal = REFUSALS.get(getattr(error.orig, "pgcode", None) or "")
    if refusal is None:
        return None
    return refusal(subject, error.orig.diag.message_detail)  # type: ignore[union-attr]


REFUSALS: dict[str, Callable[[str, str], PgMigrationsError]] = {
    LABELS_IN_USE: LabelsInUse,
    DEPENDANTS_IN_THE_WAY: DependantsInTheWay,
    LABEL_IN_DEFINITION: LabelInDefinition,
    NOT_THE_OWNER: NotTheOwner,
    ROWS_HIDDEN: RowsHidden,
}
"""What to raise for each SQLSTATE, of the type and of the exception's DETAIL."""
