from __future__ import annotations

import pytest
from sqlalchemy import MetaData

from pgmigrations.declare import Extension, declarations, declare


def test_declarations_are_found_in_the_order_in_which_they_were_made() -> None:
    metadata = MetaData()
    declare(metadata, Extension("uuid-ossp"), Extension("vector", schema="extensions"))
    assert declarations(metadata, Extension) == [
        Extension("uuid-ossp"),
        Extension("vector", schema="extensions"),
    ]


def test_a_declaration_made_twice_counts_once() -> None:
    metadata = MetaData()
    declare(metadata, Extension("vector"))
    declare(metadata, Extension("vector"))
    assert len(declarations(metadata, Extension)) == 1


def test_a_declaration_knows_where_it_was_made() -> None:
    metadata = MetaData()
    declare(metadata, Extension("vector"))
    assert __file__ in declarations(metadata, Extension)[0].declared_at


def test_anything_else_is_refused() -> None:
    with pytest.raises(TypeError, match="takes declarations"):
        declare(MetaData(), "vector")  # type: ignore[arg-type]


def test_an_extension_needs_a_name() -> None:
    with pytest.raises(ValueError, match="needs a name"):
        Extension("")
