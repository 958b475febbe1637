"""People with an account: those who manage textbooks and prompts."""

from __future__ import annotations

import enum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, JsonObject, NowByDefault, UuidKey, enum_type


class UserRole(enum.StrEnum):
    """What an account may do."""

    STUDENT = "student"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


USER_ROLE = enum_type(UserRole, "user_role")


class User(Base):
    """A person with an account. Readers need none: they come as a `UserSession`."""

    __tablename__ = "users"

    id: Mapped[UuidKey]
    display_name: Mapped[str | None] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(255), unique=True)
    role: Mapped[UserRole] = mapped_column(USER_ROLE, server_default=UserRole.ADMIN.value)
    institution_id: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[NowByDefault | None]
    updated_at: Mapped[NowByDefault | None]
    metadata_: Mapped[JsonObject | None] = mapped_column("metadata")
