"""Domains: everything that one can have, and every property that can change."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, Column, Integer, MetaData, String, Table, Text, text
from sqlalchemy.dialects.postgresql import DOMAIN

from tests.contract.contract import Sample
from tests.contract.hurting_names import NAMES, SCHEMA, SETUP


def domain(schema: str | None = None, *, data_type: Any = Text, **options: Any) -> MetaData:
    """A domain in columns of two tables, with a default, and in an array where that is allowed."""
    metadata = MetaData()
    email = DOMAIN("email", data_type, schema=schema, **options)
    Table(
        "person",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("email", email, server_default="nobody@example.com"),
        CheckConstraint("email <> ''", name="said"),
        schema=schema,
    )
    Table("other", metadata, Column("email", email), schema=schema)
    return metadata


def arrays(schema: str | None = None) -> MetaData:
    metadata = MetaData()
    email = DOMAIN("email", String(80), check="VALUE LIKE '%@%'", schema=schema)
    Table("person", metadata, Column("emails", ARRAY(email)), schema=schema)
    # One over another, and one that no column uses.
    DOMAIN("work_email", email, not_null=True, metadata=metadata, schema=schema)
    return metadata


def hurting(schema: str | None) -> MetaData:
    metadata = MetaData()
    names = list(enumerate(NAMES))
    for number, name in names[::3] if schema else names:
        type_ = DOMAIN(
            name,
            Text,
            default=text("'" + name.replace("'", "''").replace(":", "\\:") + "'")
            if "\\" not in name
            else None,
            constraint_name=name,
            check=f"VALUE <> 'x{number}'",
            schema=schema,
        )
        Table(
            f"table_{number}",
            metadata,
            Column("value", type_),
            Column("values", ARRAY(type_)),
            schema=schema,
        )
    return metadata


FULL: dict[str, Any] = {
    "data_type": String(80),
    "collation": "C",
    "default": text("'a@b'"),
    "not_null": True,
    "check": "VALUE IN ('a@b', 'nobody@example.com')",
}
_NAMED = {"constraint_name": "email_at", "check": "VALUE LIKE '%@%'"}

DOMAIN_SAMPLES = (
    Sample("domain", "with everything that it can have", partial(domain, **FULL)),
    Sample("domain", "in arrays, over another, unused", arrays),
    Sample(
        "domain",
        "in another schema",
        partial(domain, SCHEMA, **FULL),
        setup=SETUP,
    ),
    *(
        Sample("domain", f"names that hurt, {where}", partial(hurting, schema), setup=SETUP)
        for where, schema in (("public", None), ("another schema", SCHEMA))
    ),
)

THOROUGH_DOMAIN_SAMPLES = (
    # The models' words are gone with the models; only on a text does IN print as it was printed.
    Sample("domain", "dropped", MetaData, partial(domain, **{**FULL, "data_type": Text})),
    Sample("domain", "dropped, one over another", MetaData, arrays),
    Sample("domain", "a default set", partial(domain, default=text("'x@y'")), domain),
    Sample(
        "domain",
        "a default changed",
        partial(domain, default=text("'x@y'")),
        partial(domain, default=text("'it''s 100%'")),
    ),
    Sample("domain", "a default dropped", domain, partial(domain, default=text("'x@y'"))),
    Sample("domain", "not null", partial(domain, not_null=True), domain),
    Sample("domain", "null", domain, partial(domain, not_null=True)),
    Sample("domain", "a check added", partial(domain, **_NAMED), domain),
    Sample("domain", "a check dropped", domain, partial(domain, **_NAMED)),
    Sample(
        "domain",
        "a check reworded",
        partial(domain, check="VALUE IN ('a', 'b')", constraint_name="email_at"),
        partial(domain, **_NAMED),
    ),
    Sample(
        "domain",
        "a check renamed",
        partial(domain, check="VALUE LIKE '%@%'", constraint_name="other"),
        partial(domain, **_NAMED),
    ),
    Sample(
        "domain",
        "everything at once",
        partial(domain, default=text("'q'"), **_NAMED),
        partial(
            domain,
            not_null=True,
            default=text("'a'"),
            check="VALUE IN ('a', 'b')",
        ),
    ),
)
