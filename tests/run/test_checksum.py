"""A checksum says what code does, on every Python alike."""

from __future__ import annotations

import pytest

from pgmigrations.run.checksum import checksum

CODE = '''
"""About it."""
from __future__ import annotations
import sqlalchemy as sa

revision: str = "001"


def upgrade(*, quick: bool = False) -> None:
    """Do it."""
    for number in range(3):
        op.execute(f"INSERT INTO t VALUES ({number!r:>5}, 'a' 'b')")
    with op.get_context() as context, context.block():
        values = [x for x in (1, 2.5, b"c", None, ...) if x is not None]
    match values:
        case [1, *rest]:
            pass
    try:
        lambda a, /, b=1: a
    except* ValueError as error:
        raise RuntimeError from error


class Model(Base, kw=1):
    pass
'''


def test_what_is_stored_is_what_every_python_finds() -> None:
    assert checksum(CODE) == "b6934f8e17ff97bea06709061aa2e33e"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = 1", "a  =  1  # one"),
        ("a = 'b'", 'a = "b"'),
        ("def f():\n    '''It.'''\n    return 1", "def f():\n  return 1"),
        ("f(\n  1,\n  2,\n)", "f(1, 2)"),
    ],
)
def test_formatting_does_not_count(one: str, other: str) -> None:
    assert checksum(one) == checksum(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a = 1", "a = 2"), ("a = 1", "a = True"), ("a = '1'", "a = 1"), ("f(a)", "f(*a)")],
)
def test_what_is_done_counts(one: str, other: str) -> None:
    assert checksum(one) != checksum(other)


def test_a_sum_of_many_terms_has_one() -> None:
    assert checksum(" + ".join(["'a'"] * 900)) != checksum(" + ".join(["'a'"] * 899))
