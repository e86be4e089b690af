"""Chunks: the unit of work, of lease and of retry."""

import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Sequence, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.contracts.states import ChunkKind, ChunkState
from shared.db.base import Base, CreatedAt, Instant

READY = text(f"state = '{ChunkState.READY}'")
RUNNING = text(f"state = '{ChunkState.RUNNING}'")

# Fencing tokens only ever go up (Kleppmann, "How to do distributed locking", 2016).
LEASE_TOKENS = Sequence("lease_tokens", metadata=Base.metadata)


class Chunk(Base):
    """A range of images of a job that one worker runs at a time.

    The work of a classifying chunk is every image in ``first_seq`` to ``last_seq`` without a result; so a chunk that
    was handed back half done continues where it stopped.
    """

    __tablename__ = "chunks"
    __table_args__ = (
        CheckConstraint("first_seq <= last_seq", name="range_in_order"),
        # The claim walks this index: pool, then interactive before bulk, then tenant, then oldest job.
        Index("ix_chunks_ready", "pool", "priority", "tenant_id", "job_id", "no", postgresql_where=READY),
        # If many tenants wait, it visits the oldest jobs first, of any tenant.
        Index("ix_chunks_ready_oldest", "pool", "priority", "job_id", "tenant_id", postgresql_where=READY),
        Index("ix_chunks_running_tenant", "tenant_id", postgresql_where=RUNNING),
        Index("ix_chunks_export_id", "export_id", postgresql_where=text("export_id IS NOT NULL")),
        Index("ix_chunks_running_lease", "lease_until", postgresql_where=RUNNING),
        {"postgresql_with": {"fillfactor": "70", "autovacuum_vacuum_scale_factor": "0.02"}},
    )

    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tenant_id: Mapped[uuid.UUID]
    kind: Mapped[str] = mapped_column(Text, default=ChunkKind.CLASSIFY)
    # Which workers can run it: "validate", "inspect", "purge", "export", "export:tiles", "classify:<classifier id>" or
    # "tiles:<classifier id>", the same two behind "isolated:", and "explain:<classifier id>".
    pool: Mapped[str] = mapped_column(Text)
    # 0 interactive, 1 bulk: a number, because the claim sorts by it.
    priority: Mapped[int] = mapped_column(SmallInteger)
    # Of a chunk of the kind "export", and of no other.
    export_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("exports.id", ondelete="CASCADE"))
    first_seq: Mapped[int] = mapped_column(server_default=text("0"))
    last_seq: Mapped[int] = mapped_column(server_default=text("0"))
    # In tiles, a whole photograph is one; NULL: as many as it has images (``shared.jobs.work``).
    work: Mapped[int | None]
    state: Mapped[str] = mapped_column(Text, default=ChunkState.READY)
    # Counted at the claim, before a byte is read, so that a crash cannot escape it.
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    isolated: Mapped[bool] = mapped_column(server_default=text("false"))
    lease_token: Mapped[int | None] = mapped_column(BigInteger)
    lease_until: Mapped[Instant | None]
    # The lifeline of its worker, valid if ``lifeline_of`` is the token of the lease (``shared.jobs.lifelines``).
    lifeline: Mapped[int | None]
    lifeline_of: Mapped[int | None] = mapped_column(BigInteger)
    not_before: Mapped[CreatedAt]
    worker: Mapped[str | None] = mapped_column(Text)
    done_at: Mapped[Instant | None]
