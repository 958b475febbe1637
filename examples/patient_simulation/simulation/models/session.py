"""Conversations with patients, and what is thought of them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Double, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from simulation.models.base import Base, LongText, NowByDefault, UuidKey, belongs_to


class StudentInteraction(Base):
    """How far a student has come with a patient."""

    __tablename__ = "student_interactions"

    student_interaction_id: Mapped[UuidKey]
    patient_id: Mapped[uuid.UUID | None] = mapped_column(belongs_to("patients.patient_id"))
    enrolment_id: Mapped[uuid.UUID | None] = mapped_column(belongs_to("enrolments.enrolment_id"))
    patient_score: Mapped[int | None]
    last_accessed: Mapped[datetime | None]
    patient_context_embedding: Mapped[list[float] | None] = mapped_column(ARRAY(Double))
    is_completed: Mapped[bool | None] = mapped_column(server_default=false())


class Session(Base):
    """A conversation."""

    __tablename__ = "sessions"

    session_id: Mapped[UuidKey]
    student_interaction_id: Mapped[uuid.UUID | None] = mapped_column(
        belongs_to("student_interactions.student_interaction_id")
    )
    session_name: Mapped[str | None]
    session_context_embeddings: Mapped[list[float] | None] = mapped_column(ARRAY(Double))
    last_accessed: Mapped[datetime | None]
    notes: Mapped[LongText | None]


class Message(Base):
    """What one side has said."""

    __tablename__ = "messages"

    message_id: Mapped[UuidKey]
    session_id: Mapped[uuid.UUID | None] = mapped_column(belongs_to("sessions.session_id"))
    student_sent: Mapped[bool | None]
    message_content: Mapped[str | None]
    time_sent: Mapped[datetime | None]
    empathy_evaluation: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb")
    )


class Feedback(Base):
    """What the language model thinks of a conversation."""

    __tablename__ = "feedback"

    feedback_id: Mapped[UuidKey]
    session_id: Mapped[uuid.UUID | None] = mapped_column(belongs_to("sessions.session_id"))
    score: Mapped[int | None]
    analysis: Mapped[LongText | None]
    areas_for_improvement: Mapped[list[str] | None]
    submitted_at: Mapped[NowByDefault | None]
