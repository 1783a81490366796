"""What is kept of sealed digests: with the intent, which digest it was, for the document itself is not here."""

import sqlalchemy as sa

from kernel.db import METADATA
from seal import store
from seal.digests.order import DigestOrder, read_order

DIGESTS = sa.Table(
    "seal_sealing_digests",
    METADATA,
    sa.Column("sealing", sa.ForeignKey(store.SEALINGS.c.id), primary_key=True),
    sa.Column("algorithm", sa.String(10), nullable=False),
    # By the caller's word the digest of what they did not send.
    sa.Column("digest", sa.String(64), nullable=False, index=True),
)


def note(conn: sa.Connection, sealing: str, document: bytes) -> dict[str, str | int | bool | None]:
    """Put on record, within the intent's transaction, which digest is to be sealed; give what the log is to say."""
    read = read_order(document)
    store.insert(conn, DIGESTS, sealing=sealing, algorithm=read.algorithm, digest=read.digest)
    return {"document_seen": False, "algorithm": read.algorithm, "digest": read.digest}


def find(conn: sa.Connection, sealing: str) -> DigestOrder | None:
    """Find the digest that a sealing sealed; None if it sealed a document."""
    row = conn.execute(sa.select(DIGESTS).where(DIGESTS.c.sealing == sealing)).one_or_none()
    return None if row is None else DigestOrder(algorithm=row.algorithm, digest=row.digest)
