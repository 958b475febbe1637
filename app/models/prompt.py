"""Prompts: templates that the assistant works from, and prompts that people share."""

from __future__ import annotations

import enum
import uuid

from sqlalchemy import ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, JsonObject, NowByDefault, UuidKey, enum_type


class PromptType(enum.StrEnum):
    """What a prompt template is for."""

    RAG = "RAG"
    QUIZ_GENERATION = "quiz_generation"
    MCQ_GENERATION = "mcq_generation"
    AUDIO_GENERATION = "audio_generation"
    GUIDED = "guided"


class Visibility(enum.StrEnum):
    """Who may see a prompt."""

    PRIVATE = "private"
    ORG = "org"
    PUBLIC = "public"


PROMPT_TYPE = enum_type(PromptType, "prompt_type")
VISIBILITY = enum_type(Visibility, "visibility")


class PromptTemplate(Base):
    """A prompt that the assistant works from, for one kind of task."""

    __tablename__ = "prompt_templates"

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None]
    type: Mapped[PromptType] = mapped_column(PROMPT_TYPE)
    current_version_id: Mapped[int | None]
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    visibility: Mapped[Visibility] = mapped_column(
        VISIBILITY, server_default=Visibility.PRIVATE.value
    )
    metadata_: Mapped[JsonObject | None] = mapped_column("metadata")
    created_at: Mapped[NowByDefault | None]
    updated_at: Mapped[NowByDefault | None]

    questions: Mapped[list[GuidedPromptQuestion]] = relationship(
        back_populates="prompt_template",
        cascade="all",
        passive_deletes=True,
        order_by="GuidedPromptQuestion.order_index",
    )


class GuidedPromptQuestion(Base):
    """A question that a guided prompt asks the visitor, in its order."""

    __tablename__ = "guided_prompt_questions"

    id: Mapped[UuidKey]
    prompt_template_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey(
            "prompt_templates.id",
            name="guided_prompt_questions_prompt_template_id_fkey",
            ondelete="CASCADE",
        )
    )
    question_text: Mapped[str]
    order_index: Mapped[int] = mapped_column()
    created_at: Mapped[NowByDefault | None]

    __table_args__ = (Index("idx_guided_questions_template", prompt_template_id, order_index),)

    prompt_template: Mapped[PromptTemplate] = relationship(back_populates="questions")


class SharedUserPrompt(Base):
    """A prompt that a visitor or an account holder wrote and lets others use."""

    __tablename__ = "shared_user_prompts"

    id: Mapped[UuidKey]
    title: Mapped[str | None] = mapped_column(String(255))
    prompt_text: Mapped[str]
    owner_session_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user_sessions.id"))
    owner_user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    textbook_id: Mapped[uuid.UUID | None]
    visibility: Mapped[Visibility] = mapped_column(
        VISIBILITY, server_default=Visibility.PUBLIC.value
    )
    tags: Mapped[list[str] | None]
    created_at: Mapped[NowByDefault | None]
    updated_at: Mapped[NowByDefault | None]
    metadata_: Mapped[JsonObject | None] = mapped_column("metadata")
    role: Mapped[str | None] = mapped_column(String(20))
    reported: Mapped[bool | None] = mapped_column(server_default=false())
