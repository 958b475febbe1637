"""pgvector: what Alembic 1.20.1 does not see, writes so that it fails, or leaves out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, Table

from tests.migrate.compared.case import Case, calls, rows, take
from tests.support.project import Project
from tests.support.script import run_script

pytestmark = pytest.mark.needs_extension("vector")


def chunk(type_: str, dimensions: int | None = None, **index: Any) -> MetaData:
    """Declare a table with one column of the type, and an index where one is described."""
    from pgvector.sqlalchemy import BIT, HALFVEC, SPARSEVEC, Vector

    types = {"vector": Vector, "halfvec": HALFVEC, "sparsevec": SPARSEVEC, "bit": BIT}
    metadata = MetaData()
    table = Table(
        "chunk",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("embedding", types[type_](dimensions)),
    )
    if index:
        Index("ix", table.c.embedding, **index)
    return metadata


def hnsw(opclass: str = "vector_l2_ops", **options: Any) -> MetaData:
    return chunk("vector", 3, **_index("hnsw", opclass, options))


def ivfflat(**options: Any) -> MetaData:
    return chunk("vector", 3, **_index("ivfflat", "vector_l2_ops", options))


def _index(method: str, opclass: str, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "postgresql_using": method,
        "postgresql_ops": {"embedding": opclass},
        "postgresql_with": options,
    }


FILL = "INSERT INTO chunk (embedding) VALUES ('[1,2,3]'), ('[1.5,-2,0]'), (NULL)"
ROWS = "SELECT embedding::text FROM chunk ORDER BY id"

CASES = {
    "undimensioned to dimension 3": Case(
        partial(chunk, "vector", 3), ["alter_column"], partial(chunk, "vector"), FILL, ROWS
    ),
    "vector to halfvec": Case(
        partial(chunk, "halfvec", 3), ["alter_column"], partial(chunk, "vector", 3), FILL, ROWS
    ),
    "vector to sparsevec": Case(
        partial(chunk, "sparsevec", 3),
        ["alter_column"],
        partial(chunk, "vector", 3),
        FILL,
        "SELECT embedding::vector::text FROM chunk ORDER BY id",
    ),
    "dimension 3 to 4, no rows": Case(
        partial(chunk, "vector", 4), ["alter_column"], partial(chunk, "vector", 3)
    ),
    "HNSW to IVFFlat": Case(partial(ivfflat, lists=5), ["replace_index"], hnsw, FILL, ROWS),
    "opclass": Case(partial(hnsw, "vector_cosine_ops"), ["replace_index"], hnsw, FILL, ROWS),
    "m": Case(partial(hnsw, m=8), ["replace_index"], hnsw),
    "ef_construction": Case(
        partial(hnsw, ef_construction=40), ["replace_index"], partial(hnsw, ef_construction=48)
    ),
    "lists": Case(partial(ivfflat, lists=9), ["replace_index"], partial(ivfflat, lists=5)),
    "halfvec with its index": Case(
        partial(chunk, "halfvec", 3, **_index("hnsw", "halfvec_l2_ops", {})),
        ["replace_index", "alter_column", "replace_index"],
        hnsw,
        FILL,
        ROWS,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_seen_made_and_gone(name: str, database_url: str, tmp_path: Path) -> None:
    take(CASES[name], database_url, tmp_path / "project")


def test_a_vector_of_other_dimensions_is_refused_not_cut(database_url: str, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", database_url).models(chunk("vector", 3))
    project.autogenerate("before")
    project.upgrade()
    run_script(database_url, FILL)
    revision = project.models(chunk("vector", 4)).autogenerate("after")
    assert revision is not None
    with pytest.raises(Exception, match="expected 4 dimensions, not 3"):
        project.upgrade()
    assert rows(database_url, ROWS) == [("[1,2,3]",), ("[1.5,-2,0]",), (None,)]


def test_the_first_revision_makes_the_extension_and_imports_the_types(
    database_url: str, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project", database_url).models(hnsw(m=8))
    revision = project.autogenerate()
    assert revision is not None
    text = revision.read_text()
    assert calls(revision) == ["create_extension", "create_table", "create_index"]
    assert "import pgvector.sqlalchemy\n" in text
    assert calls(revision, "downgrade") == ["drop_index", "drop_table", "drop_extension"]
    project.upgrade()
    assert project.check()
    assert project.autogenerate("again") is None
