"""What is recorded about the use of the assistant, for reports."""

from __future__ import annotations

import enum
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, JsonObject, NowByDefault, UuidKey, enum_type


class Difficulty(enum.StrEnum):
    """How demanding a question is; no column uses it yet."""

    INTRODUCTORY = "introductory"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


DIFFICULTY = enum_type(Difficulty, "difficulty")


class AnalyticsEvent(Base):
    """Something that happened in a visit, such as a page viewed or a question asked."""

    __tablename__ = "analytics_events"

    id: Mapped[UuidKey]
    user_session_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("user_sessions.id"), index=True
    )
    event_type: Mapped[str] = mapped_column(String(128))
    properties: Mapped[JsonObject | None]
    created_at: Mapped[NowByDefault | None]


class PracticeMaterialAnalytics(Base):
    """One generation of practice material: what was asked for, about which textbook."""

    __tablename__ = "practice_material_analytics"

    id: Mapped[UuidKey]
    textbook_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("textbooks.id", ondelete="CASCADE"))
    user_session_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("user_sessions.id", ondelete="SET NULL")
    )
    material_type: Mapped[str] = mapped_column(
        String(50), comment="Type of practice material: mcq, flashcards, shortAnswer"
    )
    topic: Mapped[str | None] = mapped_column(
        comment="User-provided topic or subject for the practice material"
    )
    num_items: Mapped[int | None] = mapped_column(comment="Number of questions or cards generated")
    difficulty: Mapped[str] = mapped_column(
        String(20), comment="Difficulty level: beginner, intermediate, advanced"
    )
    metadata_: Mapped[dict[str, Any] | None] = mapped_column(
        "metadata",
        JSONB,
        comment="Additional type-specific details (numOptions, cardType, etc.)",
    )
    created_at: Mapped[NowByDefault | None] = mapped_column()

    __table_args__ = (
        Index("idx_practice_material_analytics_textbook_created", textbook_id, created_at.desc()),
        Index("idx_practice_material_analytics_type_created", material_type, created_at.desc()),
        Index(
            "idx_practice_material_analytics_user_session",
            user_session_id,
            postgresql_where=user_session_id.is_not(None),
        ),
        {"comment": "Tracks practice material generation for analytics and reporting"},
    )
