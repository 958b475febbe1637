"""Open textbooks, their sections, and the media in them."""

from __future__ import annotations

import enum
import uuid
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, JsonObject, NowByDefault, UuidKey, enum_type

if TYPE_CHECKING:
    from app.models.job import Job


class MediaType(enum.StrEnum):
    """What a media item is."""

    PDF = "pdf"
    AUDIO = "audio"
    VIDEO = "video"
    IMAGE = "image"
    TRANSCRIPT = "transcript"
    H5P = "h5p"
    OTHER = "other"


MEDIA_TYPE = enum_type(MediaType, "media_type")


class Textbook(Base):
    """An open textbook. Readers see it once it is 'Active'."""

    __tablename__ = "textbooks"

    id: Mapped[UuidKey]
    title: Mapped[str] = mapped_column(String(255))
    authors: Mapped[list[str] | None]
    license: Mapped[str | None] = mapped_column(String(255))
    source_url: Mapped[str | None] = mapped_column(String(512))
    publisher: Mapped[str | None] = mapped_column(String(255))
    summary: Mapped[str | None]
    language: Mapped[str | None] = mapped_column(String(64))
    level: Mapped[str | None] = mapped_column(String(64))
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[NowByDefault | None]
    updated_at: Mapped[NowByDefault | None]
    metadata_: Mapped[JsonObject | None] = mapped_column("metadata")
    publish_date: Mapped[date | None]
    status: Mapped[str] = mapped_column(String(50), server_default="Disabled")
    textbook_logo_url: Mapped[str | None] = mapped_column(String(255))

    __table_args__ = (
        CheckConstraint("status IN ('Active', 'Disabled', 'Ingesting')", name="status"),
    )

    sections: Mapped[list[Section]] = relationship(
        back_populates="textbook",
        cascade="all",
        passive_deletes=True,
        order_by="Section.order_index",
    )
    media_items: Mapped[list[MediaItem]] = relationship(
        back_populates="textbook", cascade="all", passive_deletes=True
    )
    jobs: Mapped[list[Job]] = relationship(
        back_populates="textbook", cascade="all", passive_deletes=True
    )


class Section(Base):
    """A part of a textbook: a chapter, or a section of one."""

    __tablename__ = "sections"

    id: Mapped[UuidKey]
    textbook_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("textbooks.id", ondelete="CASCADE")
    )
    parent_section_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("sections.id", ondelete="CASCADE")
    )
    title: Mapped[str | None] = mapped_column(String(255))
    order_index: Mapped[int | None]
    summary: Mapped[str | None]
    created_at: Mapped[NowByDefault | None]
    source_url: Mapped[str | None] = mapped_column(String(512))

    textbook: Mapped[Textbook | None] = relationship(back_populates="sections")
    parent: Mapped[Section | None] = relationship(
        back_populates="children", remote_side="Section.id"
    )
    children: Mapped[list[Section]] = relationship(
        back_populates="parent",
        cascade="all",
        passive_deletes=True,
        order_by="Section.order_index",
    )


class MediaItem(Base):
    """A file of a textbook, kept in the file store under its `uri`."""

    __tablename__ = "media_items"

    id: Mapped[UuidKey]
    textbook_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("textbooks.id", ondelete="CASCADE")
    )
    media_type: Mapped[MediaType] = mapped_column(MEDIA_TYPE)
    uri: Mapped[str] = mapped_column(String(512))
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    mime_type: Mapped[str | None] = mapped_column(String(128))
    description: Mapped[str | None]
    created_at: Mapped[NowByDefault | None]
    source_url: Mapped[str | None] = mapped_column(String(512))
    section_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("sections.id"))

    textbook: Mapped[Textbook | None] = relationship(back_populates="media_items")
    section: Mapped[Section | None] = relationship()
