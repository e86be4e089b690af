"""The running programs, by their heartbeats."""

from sqlalchemy import Integer, Sequence, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Instant

# A number for each lifeline (``shared.jobs.lifelines``); as wide as the number of an advisory lock.
LIFELINES = Sequence("lifelines", data_type=Integer, cycle=True, metadata=Base.metadata)


class Program(Base):
    """A process and its last heartbeat. Connections would show less: a pooler shares its own among all programs."""

    __tablename__ = "programs"

    # "worker" or "deliverer".
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    # Host and process id.
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    seen_at: Mapped[Instant]
