"""Who uses the simulation, and what for."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import DateTime, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from simulation.models.base import Base, LongText, UuidKey, belongs_to


class User(Base):
    """A student, an instructor or an administrator."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("user_email"),)

    user_id: Mapped[UuidKey]
    user_email: Mapped[str | None]
    username: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    time_account_created: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
    roles: Mapped[list[str] | None]
    last_sign_in: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class UserEngagement(Base):
    """Something that a user did."""

    __tablename__ = "user_engagement_log"

    log_id: Mapped[UuidKey]
    user_id: Mapped[uuid.UUID | None] = mapped_column(belongs_to("users.user_id"))
    simulation_group_id: Mapped[uuid.UUID | None] = mapped_column(
        belongs_to("simulation_groups.simulation_group_id")
    )
    patient_id: Mapped[uuid.UUID | None] = mapped_column(belongs_to("patients.patient_id"))
    enrolment_id: Mapped[uuid.UUID | None] = mapped_column(belongs_to("enrolments.enrolment_id"))
    timestamp: Mapped[datetime | None]
    engagement_type: Mapped[str | None]
    engagement_details: Mapped[LongText | None]
