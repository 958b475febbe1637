"""Answers kept to be given again."""

from __future__ import annotations

import uuid

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import BigInteger, ForeignKey, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, JsonList, JsonObject, NowByDefault, UuidKey


class CachedAnswer(Base):
    """A frequent question about a textbook with its answer, found by the question's meaning."""

    __tablename__ = "faq_cache"

    id: Mapped[UuidKey]
    textbook_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("textbooks.id", ondelete="CASCADE")
    )
    question_text: Mapped[str]
    answer_text: Mapped[str]
    usage_count: Mapped[int | None] = mapped_column(BigInteger, server_default=text("0"))
    last_used_at: Mapped[NowByDefault | None]
    cached_at: Mapped[NowByDefault | None]
    metadata_: Mapped[JsonObject | None] = mapped_column("metadata")
    embedding: Mapped[list[float] | None] = mapped_column(VECTOR)
    reported: Mapped[bool | None] = mapped_column(server_default=false())
    sources: Mapped[JsonList | None]
