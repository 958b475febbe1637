"""Visits to the assistant, and the conversations held in them."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, ForeignKey, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, JsonList, JsonObject, NowByDefault, UuidKey, enum_type

if TYPE_CHECKING:
    from app.models.favorite import TextbookFavorite
    from app.models.textbook import Textbook


class SessionRole(enum.StrEnum):
    """As whom a visitor uses the assistant."""

    STUDENT = "student"
    INSTRUCTOR = "instructor"


class SenderRole(enum.StrEnum):
    """Who speaks in an interaction."""

    AI = "AI"
    USER = "User"


SESSION_ROLE = enum_type(SessionRole, "session_role")
SENDER_ROLE = enum_type(SenderRole, "sender_role")


class UserSession(Base):
    """A visit to the assistant, with or without an account."""

    __tablename__ = "user_sessions"

    id: Mapped[UuidKey]
    session_title: Mapped[str | None] = mapped_column(String(255))
    context: Mapped[JsonObject | None]
    created_at: Mapped[NowByDefault | None]
    last_active_at: Mapped[NowByDefault | None]
    expires_at: Mapped[datetime | None]
    metadata_: Mapped[JsonObject | None] = mapped_column("metadata")
    role: Mapped[SessionRole] = mapped_column(
        SESSION_ROLE, server_default=SessionRole.STUDENT.value
    )
    tokens_used: Mapped[int | None] = mapped_column(BigInteger, server_default=text("0"))
    updated_at: Mapped[NowByDefault | None]

    chat_sessions: Mapped[list[ChatSession]] = relationship(back_populates="user_session")
    favorites: Mapped[list[TextbookFavorite]] = relationship(
        back_populates="user_session", cascade="all", passive_deletes=True
    )


class ChatSession(Base):
    """A conversation about one textbook, within a visit."""

    __tablename__ = "chat_sessions"

    id: Mapped[UuidKey]
    user_session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_sessions.id"), index=True)
    textbook_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("textbooks.id", ondelete="CASCADE")
    )
    context: Mapped[JsonObject | None]
    created_at: Mapped[NowByDefault | None]
    metadata_: Mapped[JsonObject | None] = mapped_column("metadata")
    name: Mapped[str | None] = mapped_column(String(55))

    user_session: Mapped[UserSession] = relationship(back_populates="chat_sessions")
    textbook: Mapped[Textbook | None] = relationship()
    interactions: Mapped[list[UserInteraction]] = relationship(
        back_populates="chat_session", order_by="UserInteraction.order_index"
    )


class UserInteraction(Base):
    """One message of a conversation: a question, or the assistant's answer and its sources."""

    __tablename__ = "user_interactions"

    id: Mapped[UuidKey]
    sender_role: Mapped[SenderRole] = mapped_column(SENDER_ROLE)
    query_text: Mapped[str | None]
    response_text: Mapped[str | None]
    message_meta: Mapped[JsonObject | None]
    source_chunks: Mapped[JsonList | None]
    created_at: Mapped[NowByDefault | None]
    order_index: Mapped[int | None]
    chat_session_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("chat_sessions.id"), index=True
    )

    chat_session: Mapped[ChatSession | None] = relationship(back_populates="interactions")
