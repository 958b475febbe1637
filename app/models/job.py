"""Background work on textbooks."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, JsonObject, NowByDefault, UuidKey, enum_type

if TYPE_CHECKING:
    from app.models.textbook import Textbook


class JobStatus(enum.StrEnum):
    """How far a job has come."""

    PENDING = "pending"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"
    CANCELED = "canceled"


class JobType(enum.StrEnum):
    """What a job does; no column uses it yet."""

    INGEST_TEXTBOOK = "ingest_textbook"
    EMBED_CHUNKS = "embed_chunks"
    TRANSCRIBE = "transcribe"
    REINDEX = "reindex"
    GENERATE_QUESTIONS = "generate_questions"


JOB_STATUS = enum_type(JobStatus, "job_status")
JOB_TYPE = enum_type(JobType, "job_type")


class Job(Base):
    """A textbook's way into the assistant, with counts of what has been taken in."""

    __tablename__ = "jobs"

    id: Mapped[UuidKey]
    textbook_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("textbooks.id", ondelete="CASCADE"), index=True
    )
    status: Mapped[JobStatus] = mapped_column(
        JOB_STATUS, server_default=JobStatus.PENDING.value, index=True
    )
    ingested_sections: Mapped[int | None] = mapped_column(server_default=text("0"))
    total_sections: Mapped[int | None] = mapped_column(server_default=text("0"))
    ingested_images: Mapped[int | None] = mapped_column(server_default=text("0"))
    ingested_videos: Mapped[int | None] = mapped_column(server_default=text("0"))
    error_message: Mapped[str | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    created_at: Mapped[NowByDefault | None] = mapped_column()
    updated_at: Mapped[NowByDefault | None]
    metadata_: Mapped[JsonObject | None] = mapped_column("metadata")

    __table_args__ = (Index(None, created_at.desc()),)

    textbook: Mapped[Textbook] = relationship(back_populates="jobs")
