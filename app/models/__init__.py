"""The database of the assistant for open textbooks, as models.

`metadata` holds every table, enum type, extension, role and privilege that the database should
have.
"""

from __future__ import annotations

from app.models import access
from app.models.analytics import AnalyticsEvent, Difficulty, PracticeMaterialAnalytics
from app.models.base import Base, metadata
from app.models.chunk import DocumentChunk, Embedding
from app.models.faq import CachedAnswer
from app.models.favorite import TextbookFavorite
from app.models.job import Job, JobStatus, JobType
from app.models.prompt import (
    GuidedPromptQuestion,
    PromptTemplate,
    PromptType,
    SharedUserPrompt,
    Visibility,
)
from app.models.session import ChatSession, SenderRole, SessionRole, UserInteraction, UserSession
from app.models.setting import SystemSetting
from app.models.textbook import MediaItem, MediaType, Section, Textbook
from app.models.user import User, UserRole

__all__ = [
    "AnalyticsEvent",
    "Base",
    "CachedAnswer",
    "ChatSession",
    "Difficulty",
    "DocumentChunk",
    "Embedding",
    "GuidedPromptQuestion",
    "Job",
    "JobStatus",
    "JobType",
    "MediaItem",
    "MediaType",
    "PracticeMaterialAnalytics",
    "PromptTemplate",
    "PromptType",
    "Section",
    "SenderRole",
    "SessionRole",
    "SharedUserPrompt",
    "SystemSetting",
    "Textbook",
    "TextbookFavorite",
    "User",
    "UserInteraction",
    "UserRole",
    "UserSession",
    "Visibility",
    "access",
    "metadata",
]
