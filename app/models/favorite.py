"""Textbooks that visitors keep at hand."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import DateTime, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, UuidKey

if TYPE_CHECKING:
    from app.models.session import UserSession
    from app.models.textbook import Textbook


class TextbookFavorite(Base):
    """A textbook that a visitor marked as a favorite; it goes with the visit or the textbook.

    The names of its constraints and indexes are those that PostgreSQL and node-pg-migrate give.
    """

    __tablename__ = "textbook_favorites"

    id: Mapped[UuidKey]
    user_session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey(
            "user_sessions.id", name="textbook_favorites_user_session_id_fkey", ondelete="CASCADE"
        )
    )
    textbook_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("textbooks.id", name="textbook_favorites_textbook_id_fkey", ondelete="CASCADE")
    )
    created_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=False), server_default=func.now()
    )

    __table_args__ = (
        Index("textbook_favorites_user_session_id_index", user_session_id),
        Index("textbook_favorites_textbook_id_index", textbook_id),
    )

    user_session: Mapped[UserSession] = relationship(back_populates="favorites")
    textbook: Mapped[Textbook] = relationship()
