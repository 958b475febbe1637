"""The database of the patient simulation, as models.

`metadata` holds every table and extension that the database should have.
"""

from __future__ import annotations

from simulation.models.base import Base, metadata
from simulation.models.group import Enrolment, SimulationGroup
from simulation.models.patient import Patient, PatientFile
from simulation.models.prompt import EmpathyPromptHistory, SystemPromptHistory
from simulation.models.session import Feedback, Message, Session, StudentInteraction
from simulation.models.user import User, UserEngagement

__all__ = [
    "Base",
    "EmpathyPromptHistory",
    "Enrolment",
    "Feedback",
    "Message",
    "Patient",
    "PatientFile",
    "Session",
    "SimulationGroup",
    "StudentInteraction",
    "SystemPromptHistory",
    "User",
    "UserEngagement",
    "metadata",
]
