"""What each index method can do."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fuzz.column_type import families
from tests.fuzz.expression import COLUMN, INDEXED
from tests.fuzz.spec import ElementSpec, IndexSpec, TableSpec


@dataclass(frozen=True)
class Method:
    """An index method: operator classes by name with what they are for, empty for the default."""

    opclasses: dict[str, tuple[str, ...]]
    options: tuple[tuple[str, str], ...]
    columns: int = 3
    is_ordered: bool = False
    has_include: bool = False
    expressions: tuple[str, ...] = ()


_TEXT = ("lower({0})", "({0} || '%s')")
_NUMBER = ("(({0} + 1))", "abs({0})", "cardinality({0})", "coalesce({0}, 0)")

METHODS: dict[str, Method] = {
    "btree": Method(
        {
            "": ("ordered",),
            "text_pattern_ops": ("=text",),
            "varchar_pattern_ops": ("=varchar(20)",),
        },
        (("fillfactor", "70"), ("fillfactor", "90"), ("deduplicate_items", "off")),
        is_ordered=True,
        has_include=True,
        expressions=tuple(INDEXED),
    ),
    "hash": Method({"": ("hashed",)}, (("fillfactor", "60"),), columns=1, expressions=_TEXT),
    "gin": Method(
        {"": ("array", "jsonb", "document"), "jsonb_path_ops": ("jsonb",)},
        (("fastupdate", "off"), ("gin_pending_list_limit", "128")),
    ),
    "gist": Method(
        {
            "": ("range", "document"),
            "inet_ops": ("inet",),
            "tsvector_ops(siglen=100)": ("document",),
        },
        (("buffering", "on"), ("fillfactor", "80")),
        has_include=True,
    ),
    "spgist": Method({"": ("=text", "range", "inet")}, (("fillfactor", "80"),), columns=1),
    "brin": Method(
        {
            "": ("number", "text", "moment"),
            "int4_minmax_multi_ops(values_per_range=16)": ("int4",),
            "int4_bloom_ops(n_distinct_per_range=100, false_positive_rate=0.05)": ("int4",),
        },
        (("pages_per_range", "32"), ("autosummarize", "on")),
        expressions=_NUMBER,
    ),
}


def takes(element: ElementSpec, method: str, table: TableSpec) -> bool:
    """Tell whether an index method can index a column or an expression."""
    known = METHODS[method]
    if element.expression.template != COLUMN:
        return element.opclass == "" and element.expression.template in known.expressions
    column = table.column(element.expression.columns[0])
    if column is None or element.opclass not in known.opclasses:
        return False
    can = families(column.type) | {f"={column.type}"}
    return bool(can & set(known.opclasses[element.opclass]))


def is_text(element: ElementSpec, table: TableSpec) -> bool:
    """Tell whether what is indexed has a collation."""
    if element.expression.template != COLUMN:
        return element.expression.template in _TEXT
    column = table.column(element.expression.columns[0])
    return column is not None and "text" in families(column.type)


def is_plain(index: IndexSpec) -> bool:
    """Tell whether an index is on columns alone."""
    return all(element.expression.template == COLUMN for element in index.elements)
