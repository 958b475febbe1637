"""What the language model was told, then and now."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from simulation.models.base import Base, LongText, NowByDefault, UuidKey


class SystemPromptHistory(Base):
    """A prompt that played the patients."""

    __tablename__ = "system_prompt_history"

    history_id: Mapped[UuidKey]
    prompt_content: Mapped[LongText]
    created_at: Mapped[NowByDefault | None]


class EmpathyPromptHistory(Base):
    """A prompt that judged the students' empathy."""

    __tablename__ = "empathy_prompt_history"

    history_id: Mapped[UuidKey]
    prompt_content: Mapped[LongText]
    created_at: Mapped[NowByDefault | None]
