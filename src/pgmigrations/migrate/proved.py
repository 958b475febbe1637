"""What `alembic revision --autogenerate` does with a revision before it is written."""

from __future__ import annotations

from typing import Any

from alembic.operations.ops import DowngradeOps, MigrationScript, UpgradeOps
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError

from pgmigrations.migrate.copied import WITHOUT_PROOF, CopiedDatabase, NoCopy
from pgmigrations.migrate.core.compare import findings_of
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.guarded_session import SharedObject
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.proof import Proof, ProofFailed
from pgmigrations.migrate.kinds import KINDS


class Unproved(MigrationScript):
    """Stands behind a revision that failed its proof, and fails the command once that is written.

    Alembic writes the revisions of a run one after another, and asks each for its operations.
    """

    def __init__(self, script: MigrationScript, failure: ProofFailed) -> None:
        super().__init__(
            rev_id=script.rev_id,
            message=script.message,
            upgrade_ops=UpgradeOps([]),
            downgrade_ops=DowngradeOps([]),
        )
        self._failure = failure

    @property
    def upgrade_ops_list(self) -> list[UpgradeOps]:
        """Fail.

        Raises:
            CommandError: Always, with what the proof has found.
        """
        raise CommandError(
            f"Revision {self.rev_id} is written, but failed its proof: {self._failure}. Correct it "
            "by hand, or the models, before it is applied"
        )


def unproved(
    migration: MigrationContext, script: MigrationScript, *, mending: bool = True
) -> list[Any]:
    """Prove a revision, and say in its docstring what is wrong with it.

    Args:
        migration: The context of `alembic revision --autogenerate`.
        script: The revision; what it has left over is added.
        mending: Whether that is done.

    Returns:
        What Alembic is to write after it: nothing, or what fails the command.

    Raises:
        NoCopy: There is nothing to prove it on.
    """
    findings = findings_of(migration)
    if findings is None:
        return []
    if _changes_server(script):
        assert isinstance(findings.copy, CopiedDatabase)
        findings.copy.prefer_own_server()
    proof = Proof(KINDS, migration, script, findings)
    try:
        proof.run(mending=mending)
    except SharedObject as error:
        hint = f"{error.hint}; or switch the proof off: {WITHOUT_PROOF}"
        raise NoCopy(error.what, hint) from error
    except ProofFailed as failure:
        left = "".join(f"\n- {one}" for one in failure.left) or f"\n{failure}"
        script.message = f"{script.message or 'Revision'}\n\nThis revision failed its proof:{left}"
        return [Unproved(script, failure)]
    log.info("Proved: the upgrade lands on the models, the downgrade on the database as it is")
    return []


def _changes_server(script: MigrationScript) -> bool:
    """Tell whether it changes what all databases of the server have in common."""
    return any(
        isinstance(operation, Operation) and operation.on_server
        for container in (*script.upgrade_ops_list, *script.downgrade_ops_list)
        for operation in container.ops
    )
