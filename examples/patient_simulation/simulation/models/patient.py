"""The patients, and the files that the language model knows them by."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import String, true
from sqlalchemy.orm import Mapped, mapped_column

from simulation.models.base import Base, LongText, UuidKey, belongs_to


class Patient(Base):
    """A patient that students of a group can talk with."""

    __tablename__ = "patients"

    patient_id: Mapped[UuidKey]
    simulation_group_id: Mapped[uuid.UUID | None] = mapped_column(
        belongs_to("simulation_groups.simulation_group_id")
    )
    patient_name: Mapped[str | None]
    patient_age: Mapped[int | None]
    patient_gender: Mapped[str | None]
    patient_number: Mapped[int | None]
    patient_prompt: Mapped[LongText | None]
    llm_completion: Mapped[bool | None] = mapped_column(server_default=true())
    voice_id: Mapped[str | None] = mapped_column(server_default="tiffany")


class PatientFile(Base):
    """A file about a patient."""

    __tablename__ = "patient_data"

    file_id: Mapped[UuidKey]
    patient_id: Mapped[uuid.UUID | None] = mapped_column(belongs_to("patients.patient_id"))
    filetype: Mapped[str | None]
    s3_bucket_reference: Mapped[str | None]
    filepath: Mapped[str | None]
    filename: Mapped[str | None]
    time_uploaded: Mapped[datetime | None]
    metadata_: Mapped[LongText | None] = mapped_column("metadata")
    file_number: Mapped[int | None]
    ingestion_status: Mapped[str | None] = mapped_column(
        String(20), server_default="not processing"
    )
