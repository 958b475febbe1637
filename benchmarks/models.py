"""Generated models: as many tables as one likes, each with what real tables have."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

Style: TypeAlias = Literal["core", "declarative"]

ENUMS = 50
TABLES_PER_MODULE = 100

_NAMES = """\
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
"""
_BASE = {
    "core": f"from sqlalchemy import Enum, MetaData\n\n{_NAMES}\n"
    "metadata = MetaData(naming_convention=NAMES)\n\n",
    "declarative": "from sqlalchemy import Enum, MetaData\n"
    "from sqlalchemy.orm import DeclarativeBase\n\n"
    f"{_NAMES}\n\nclass Base(DeclarativeBase):\n"
    "    metadata = MetaData(naming_convention=NAMES)\n\n\nmetadata = Base.metadata\n\n",
}
_IMPORTS = """\
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from generated import base
"""
_HEAD = {"core": _IMPORTS, "declarative": _IMPORTS + "from generated.base import Base\n"}

_TABLE = {
    "core": """
Table(
    "item_{n:04}",
    base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("code", String(40), nullable=False),
    Column("name", String(100), nullable=False, server_default="unnamed"),
    Column("status", base.ENUM_{enum:02}, nullable=False, server_default="open"),
    Column("parent_id", ForeignKey("item_{parent:04}.id", ondelete="CASCADE")),
    Column("owner_id", ForeignKey("item_{owner:04}.id")),
    Column("price", Numeric(10, 2), nullable=False, server_default=text("0")),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("quantity", Integer, nullable=False, server_default=text("1 + 1")),
    Column("data", JSONB, nullable=False, server_default=text("'{{}}'")),
    Column("note", Text, comment="Whatever else there is to say"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
{more}    CheckConstraint("quantity >= 0", name="quantity"),
    CheckConstraint("name IN ('a', 'b', 'c') OR price > 1.5", name="price"),
    UniqueConstraint("code"),
    Index(None, "parent_id"),
    Index("ix_item_{n:04}_active", "name", "price", postgresql_where=text("is_active")),
    comment="Items of the sort {n}",
)
""",
    "declarative": """

class Item{n:04}(Base):
    __tablename__ = "item_{n:04}"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint("name IN ('a', 'b', 'c') OR price > 1.5", name="price"),
        UniqueConstraint("code"),
        Index(None, "parent_id"),
        Index("ix_item_{n:04}_active", "name", "price", postgresql_where=text("is_active")),
        {{"comment": "Items of the sort {n}"}},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(100), server_default="unnamed")
    status: Mapped[str] = mapped_column(base.ENUM_{enum:02}, server_default="open")
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("item_{parent:04}.id", ondelete="CASCADE")
    )
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("item_{owner:04}.id"))
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2), server_default=text("0"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    quantity: Mapped[int] = mapped_column(server_default=text("1 + 1"))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{{}}'"))
    note: Mapped[str | None] = mapped_column(Text, comment="Whatever else there is to say")
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
{more}""",
}
_ADDED = {
    "core": '    Column("added", Integer, server_default=text("7")),\n',
    "declarative": '    added: Mapped[int | None] = mapped_column(server_default=text("7"))\n',
}


def write_models(folder: Path, tables: int, style: Style, *, changed: bool = False) -> None:
    """Write a package `generated` whose `metadata` has everything.

    Args:
        folder: Where to; it is what `sys.path` needs.
        tables: How many; each has 12 columns, two indexes, two foreign keys, two checks.
        style: `core` writes `Table(…)`, `declarative` writes mapped classes, which take several
            times as long to import.
        changed: Whether the table in the middle has one more column.
    """
    package = folder / "generated"
    package.mkdir(parents=True, exist_ok=True)
    enums = "".join(
        f'ENUM_{n:02} = Enum("open", "closed", "label {n}", name="state_{n:02}",'
        " metadata=metadata)\n"
        for n in range(ENUMS)
    )
    (package / "base.py").write_text(_BASE[style] + enums)
    modules = []
    for start in range(0, tables, TABLES_PER_MODULE):
        text = _HEAD[style]
        for n in range(start, min(start + TABLES_PER_MODULE, tables)):
            more = _ADDED[style] if changed and n == tables // 2 else ""
            text += _TABLE[style].format(
                n=n, enum=n % ENUMS, parent=max(n - 1, 0), owner=n // 2, more=more
            )
        modules.append(f"items_{start // TABLES_PER_MODULE:02}")
        (package / f"{modules[-1]}.py").write_text(text)
    imports = "".join(f"from generated import {module} as {module}\n" for module in modules)
    (package / "__init__.py").write_text(f"{imports}from generated.base import metadata\n")
