"""The operations on constraints: connected and by `--sql`, once and again, and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.operation import (
    DifferentObject,
    IrreversibleOperation,
    MissingObject,
    Operation,
)
from pgmigrations.migrate.objects.constraint.add import AddConstraint, RemoveConstraint
from pgmigrations.migrate.objects.constraint.replace import (
    CommentOnConstraint,
    ReplaceConstraint,
    ValidateConstraint,
)
from tests.migrate.objects.constraint.changing import (
    HURTING,
    QUOTED,
    TABLES,
    constraint,
    definition,
    rows,
    run,
    run_sql,
)
from tests.support.dump import schema_dump
from tests.support.script import run_script

Runner = Callable[..., None]

ONE_OF = "CHECK (word IN ('a', 'b'))"
# As the server prints it, first when it is made and then when that is read.
PRINTED = (
    "CHECK (((word)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))"
)
RESTORED = (
    "CHECK (((word)::text = ANY "
    "(ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))"
)
DEFINITIONS = {
    "check": "CHECK (other > 0)",
    "check of a list": ONE_OF,
    "check not inherited": "CHECK (other > 0) NO INHERIT",
    "check not valid": "CHECK (other > 0) NOT VALID",
    "check of the whole row": "CHECK (one.* IS NOT NULL)",
    "foreign key": "FOREIGN KEY (other) REFERENCES public.two(id) ON DELETE CASCADE",
    "foreign key as people write it": "foreign key (other) references two deferrable",
    "foreign key to itself": "FOREIGN KEY (other) REFERENCES one(id) NOT VALID",
    "unique": "UNIQUE (other) INCLUDE (word) DEFERRABLE INITIALLY DEFERRED",
    "exclusion": "EXCLUDE (other WITH =) WHERE (word IN ('a', 'b'))",
}


@pytest.fixture(params=["connected", "sql"])
def performed(request: pytest.FixtureRequest, database_url: str) -> Runner:
    """Carries operations out on a database with tables, in one of the two ways."""
    run_script(database_url, TABLES)

    def connected(*operations: Operation) -> None:
        with create_engine(database_url, poolclass=NullPool).connect() as connection:
            run(connection, *operations)

    def by_sql(*operations: Operation) -> None:
        run_sql(database_url, *operations)

    return connected if request.param == "connected" else by_sql


DIFFERENT = (DifferentObject, DBAPIError)


def test_every_sort_is_added_once_and_removed_once(performed: Runner, database_url: str) -> None:
    empty = schema_dump(database_url)
    for name, text in DEFINITIONS.items():
        added = AddConstraint("k", "one", text, comment="It's %s :x")
        performed(added)
        found = constraint(database_url, "k")
        assert found is not None, name
        assert found.comment == "It's %s :x"
        before = rows(database_url)
        performed(added)
        performed(AddConstraint("k", "one", found.definition))
        assert rows(database_url) == before, name
        performed(added.reverse())
        assert schema_dump(database_url) == empty, name
        performed(added.reverse())
        performed(added.reverse().reverse(), added.reverse())
        assert schema_dump(database_url) == empty, name


def test_names_that_hurt_come_through(performed: Runner, database_url: str) -> None:
    empty = schema_dump(database_url)
    for text in (
        f"CHECK ({QUOTED} > 0 AND word <> '%s :x $pgm$ \\')",
        f"FOREIGN KEY ({QUOTED}) REFERENCES {QUOTED}.two(id)",
        f"UNIQUE ({QUOTED})",
    ):
        added = AddConstraint(HURTING[:20], HURTING, text, comment=HURTING, schema=HURTING)
        performed(added)
        before = rows(database_url)
        performed(added)
        assert rows(database_url) == before
        found = constraint(database_url, HURTING[:20], HURTING, HURTING)
        assert found is not None
        assert found.comment == HURTING
        replaced = ReplaceConstraint(
            HURTING[:20],
            HURTING,
            found.definition,
            f"CHECK ({QUOTED} > 5)",
            schema=HURTING,
        )
        performed(replaced)
        performed(replaced)
        comment = CommentOnConstraint(HURTING[:20], HURTING, HURTING, schema=HURTING)
        performed(comment)
        performed(comment)
        performed(comment.reverse(), replaced.reverse())
        performed(added.reverse())
        assert schema_dump(database_url) == empty


def test_another_constraint_of_the_name_is_not_taken_for_the_same(
    performed: Runner, database_url: str
) -> None:
    run_script(database_url, "ALTER TABLE one ADD CONSTRAINT k CHECK (other > 0)")
    for operation in (
        AddConstraint("k", "one", "CHECK (other > 1)"),
        AddConstraint("k", "one", "UNIQUE (other)"),
        AddConstraint("k", "one", "CHECK (other > 0) NOT VALID"),
        AddConstraint("k", "one", "CHECK (gone > 0)"),
        RemoveConstraint("k", "one", "CHECK (other > 1)"),
        ReplaceConstraint("k", "one", "CHECK (other > 1)", "CHECK (other > 2)"),
    ):
        with pytest.raises(
            DIFFERENT, match=r"constraint k of one is there, but differs.*other > 0"
        ):
            performed(operation)
    assert definition(database_url, "k") == "CHECK ((other > 0))"


def test_what_differs_says_both_definitions(database_url: str) -> None:
    run_script(database_url, f"{TABLES}; ALTER TABLE one ADD CONSTRAINT k CHECK (other > 0)")
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection, pytest.raises(DifferentObject) as failure:
        run(connection, AddConstraint("k", "one", "CHECK (other > 1)"))
    assert "CHECK (other > 1)" in str(failure.value)
    assert "CHECK ((other > 0))" in str(failure.value)


def test_a_constraint_is_the_same_however_it_is_printed(
    performed: Runner, database_url: str
) -> None:
    for there in (ONE_OF, PRINTED, RESTORED):
        run_script(database_url, f"ALTER TABLE one ADD CONSTRAINT k {there}")
        before = rows(database_url)
        for wanted in (ONE_OF, PRINTED, RESTORED):
            performed(AddConstraint("k", "one", wanted))
            performed(ReplaceConstraint("k", "one", "CHECK (other > 0)", wanted))
            performed(RemoveConstraint("k", "one", "CHECK (other > 0)", becomes=wanted))
        assert rows(database_url) == before
        performed(RemoveConstraint("k", "one", PRINTED))
        assert definition(database_url, "k") is None


def test_a_comment_that_is_left_is_set(performed: Runner, database_url: str) -> None:
    performed(AddConstraint("k", "one", "CHECK (other > 0)"))
    performed(AddConstraint("k", "one", "CHECK (other > 0)", comment="so"))
    found = constraint(database_url, "k")
    assert found is not None
    assert found.comment == "so"


def test_replacing_goes_there_and_back(performed: Runner, database_url: str) -> None:
    performed(AddConstraint("k", "one", ONE_OF, comment="old"))
    start = schema_dump(database_url)
    replaced = ReplaceConstraint(
        "k", "one", ONE_OF, "UNIQUE (other)", comment="new", old_comment="old"
    )
    performed(replaced)
    found = constraint(database_url, "k")
    assert found is not None
    assert (found.definition, found.comment) == ("UNIQUE (other)", "new")
    before = rows(database_url)
    performed(replaced)
    assert rows(database_url) == before
    performed(replaced.reverse())
    assert schema_dump(database_url) == start


def test_replacing_adds_what_went_with_its_column(performed: Runner, database_url: str) -> None:
    performed(ReplaceConstraint("k", "one", "CHECK (gone > 0)", "CHECK (other > 0)"))
    assert definition(database_url, "k") == "CHECK ((other > 0))"


def test_what_cannot_be_made_any_more_is_removed(performed: Runner, database_url: str) -> None:
    performed(AddConstraint("k", "one", "CHECK (other > 0)"))
    performed(RemoveConstraint("k", "one", "CHECK (gone > 0)"))
    assert definition(database_url, "k") is None


def test_removing_minds_neither_a_table_nor_a_constraint_that_is_gone(
    performed: Runner, database_url: str
) -> None:
    start = schema_dump(database_url)
    performed(RemoveConstraint("k", "one", "CHECK (other > 0)"))
    performed(RemoveConstraint("k", "none", "CHECK (other > 0)", schema="nowhere"))
    assert schema_dump(database_url) == start


def test_a_reference_is_left_where_its_key_has_changed_before(
    performed: Runner, database_url: str
) -> None:
    text = "FOREIGN KEY (other) REFERENCES public.two(id)"
    performed(AddConstraint("fk", "one", text))
    key = ["constraint", "public", "two", "two_pkey"]
    gone = ["column", "public", "two", "gone", ""]
    type_ = ["column", "public", "two", "id", "integer NOT NULL"]
    index = ["index", "public", "two", "two_other_key", ""]
    done = [[*key, "PRIMARY KEY (id)"], gone, type_, index]
    performed(RemoveConstraint("fk", "one", text, until=done))
    assert definition(database_url, "fk") == text
    performed(RemoveConstraint("fk", "one", text, until=[*done, [*key, "PRIMARY KEY (other)"]]))
    assert definition(database_url, "fk") is None


@pytest.mark.parametrize("text", ["CHECK ((other > 0))", DEFINITIONS["foreign key"]])
def test_what_was_left_not_valid_is_validated(
    text: str, performed: Runner, database_url: str
) -> None:
    performed(AddConstraint("k", "one", f"{text} NOT VALID"))
    validated = ValidateConstraint("k", "one", definition=text)
    performed(validated)
    before = rows(database_url)
    assert definition(database_url, "k") == text
    performed(validated)
    assert rows(database_url) == before
    performed(validated.reverse())
    assert definition(database_url, "k") == f"{text} NOT VALID"


def test_what_is_not_there_is_neither_validated_nor_commented_on(
    performed: Runner, database_url: str
) -> None:
    for operation in (ValidateConstraint("k", "one"), CommentOnConstraint("k", "one", "x")):
        with pytest.raises((MissingObject, DBAPIError), match="does not exist"):
            performed(operation)


def test_validating_by_hand_has_no_way_back() -> None:
    with pytest.raises(IrreversibleOperation, match="constraint k of one"):
        ValidateConstraint("k", "one").reverse()


def test_a_comment_goes_there_and_back(performed: Runner, database_url: str) -> None:
    performed(AddConstraint("k", "one", "CHECK (other > 0)", comment="old"))
    changed = CommentOnConstraint("k", "one", "new", existing="old")
    for operation, comment in ((changed, "new"), (changed.reverse(), "old")):
        performed(operation)
        performed(operation)
        found = constraint(database_url, "k")
        assert found is not None
        assert found.comment == comment
    performed(CommentOnConstraint("k", "one", None, existing="old"))
    run_script(database_url, "COMMENT ON CONSTRAINT k ON one IS 'else'")
    with pytest.raises(DIFFERENT, match="comment on constraint k of one is there, but differs"):
        performed(changed)


@pytest.mark.needs_server(min=15)
def test_unique_constraints_take_nulls_for_equal(performed: Runner, database_url: str) -> None:
    text = "UNIQUE NULLS NOT DISTINCT (other)"
    performed(AddConstraint("k", "one", "UNIQUE (other)"))
    with pytest.raises(DIFFERENT, match="differs"):
        performed(AddConstraint("k", "one", text))
    replaced = ReplaceConstraint("k", "one", "UNIQUE (other)", text)
    performed(replaced)
    performed(AddConstraint("k", "one", text))
    assert definition(database_url, "k") == text
