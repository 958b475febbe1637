"""Textbooks cut into passages that the assistant can search by meaning.

These rows name the textbook, section or file they came from without a foreign key.
"""

from __future__ import annotations

import uuid

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, JsonObject, NowByDefault, UuidKey


class DocumentChunk(Base):
    """A passage of a textbook, short enough to be put before the language model."""

    __tablename__ = "document_chunks"

    id: Mapped[UuidKey]
    textbook_id: Mapped[uuid.UUID | None]
    section_id: Mapped[uuid.UUID | None]
    media_item_id: Mapped[uuid.UUID | None]
    chunk_text: Mapped[str]
    chunk_meta: Mapped[JsonObject | None]
    created_at: Mapped[NowByDefault | None]


class Embedding(Base):
    """The meaning of a passage as a vector, whose length depends on the model that made it."""

    __tablename__ = "embeddings"

    id: Mapped[UuidKey]
    chunk_id: Mapped[uuid.UUID | None]
    model: Mapped[str | None] = mapped_column(String(255))
    vector: Mapped[list[float]] = mapped_column(VECTOR)
    stored_vector_text: Mapped[str | None]
    created_at: Mapped[NowByDefault | None]
