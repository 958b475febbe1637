"""Settings of the assistant that can change while it runs."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, NowByDefault


class SystemSetting(Base):
    """A setting by name, such as the language model in use or a limit on tokens."""

    __tablename__ = "system_settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    updated_at: Mapped[NowByDefault | None]
