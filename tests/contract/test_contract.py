"""Every kind keeps the contract, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgmigrations.migrate.kinds import KINDS
from tests.contract.contract import ContractRun, Sample
from tests.contract.samples import SAMPLES, THOROUGH_SAMPLES
from tests.support.database import Databases
from tests.support.own_server import OwnServers


def test_every_kind_has_a_sample() -> None:
    assert {sample.kind for sample in SAMPLES} == {kind.name for kind in KINDS}


def test_the_properties_of_every_table_kind_have_samples() -> None:
    kinds = {sample.kind for sample in THOROUGH_SAMPLES}
    assert kinds >= {"column", "constraint", "index", "sequence", "table"}


# SQLAlchemy does not recognise an enum whose name has double quotes or parentheses.
@pytest.mark.filterwarnings("ignore:Did not recognize type:sqlalchemy.exc.SAWarning")
@pytest.mark.parametrize(
    "sample",
    [
        *SAMPLES,
        *(pytest.param(one, marks=pytest.mark.thorough) for one in THOROUGH_SAMPLES),
    ],
    ids=str,
)
def test_the_contract_is_kept(
    sample: Sample, databases: Databases, own_servers: OwnServers, tmp_path: Path
) -> None:
    missing = set(sample.extensions) - databases.extensions
    if missing:
        pytest.skip(f"the server has no extension {', '.join(sorted(missing))}")
    empty = own_servers if sample.own_server else databases.fresh
    ContractRun(sample, tmp_path / "project", empty).run()
