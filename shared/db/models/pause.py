"""Pauses: work that operators hold back on purpose."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id


class Pause(Base):
    """A pause of all work, or of that of one tenant, one classifier or one worker."""

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
    # Its name, ``host:pid``, or its host alone, which means every worker there.
    worker: Mapped[str | None] = mapped_column(Text)
    # The operator as ``person@host``, and the reason in words.
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[CreatedAt]
