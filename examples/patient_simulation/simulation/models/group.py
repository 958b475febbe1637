"""Groups of students and what they are set to practise."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from simulation.models.base import Base, LongText, UuidKey, belongs_to


class SimulationGroup(Base):
    """A course: its patients, and what its students and instructors may do."""

    __tablename__ = "simulation_groups"

    simulation_group_id: Mapped[UuidKey]
    group_name: Mapped[str | None]
    group_description: Mapped[str | None]
    group_access_code: Mapped[str | None]
    group_student_access: Mapped[bool | None]
    system_prompt: Mapped[LongText | None]
    empathy_enabled: Mapped[bool] = mapped_column(server_default=false())
    admin_voice_enabled: Mapped[bool | None] = mapped_column(server_default=true())
    instructor_voice_enabled: Mapped[bool | None] = mapped_column(server_default=true())


class Enrolment(Base):
    """A user's place in a group."""

    __tablename__ = "enrolments"
    __table_args__ = (UniqueConstraint("simulation_group_id", "user_id"),)

    enrolment_id: Mapped[UuidKey]
    user_id: Mapped[uuid.UUID | None] = mapped_column(belongs_to("users.user_id"))
    simulation_group_id: Mapped[uuid.UUID | None] = mapped_column(
        belongs_to("simulation_groups.simulation_group_id")
    )
    enrolment_type: Mapped[str | None]
    group_completion_percentage: Mapped[int | None]
    time_enroled: Mapped[datetime | None]
