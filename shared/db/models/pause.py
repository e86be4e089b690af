"""What operators hold back on purpose: one row for each pause."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id


class Pause(Base):
    """Work that no worker begins: of a tenant, of a classifier, of one worker, or, where none is named, all of it."""

    __tablename__ = "pauses"
    __table_args__ = (
        CheckConstraint("num_nonnulls(tenant_id, classifier_id, worker) <= 1", name="one_subject"),
        Index(
            "uq_pauses_subject",
            "tenant_id",
            "classifier_id",
            "worker",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[Id]
    tenant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    classifier_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("classifiers.id", ondelete="CASCADE"))
    # Its name, ``host:pid``, or its host alone, which is every worker there.
    worker: Mapped[str | None] = mapped_column(Text)
    # Who paused it, as ``person@host``, and what they said.
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[CreatedAt]
