"""Every table of every floor, known to one METADATA: importing this module is what makes them known."""

import idp.store.tables
import kernel.audit
import kernel.jobs
import kernel.outbox
import license_store.store
import seal.affairs.officers
import seal.affairs.store
import seal.batches.store
import seal.docking.store
import seal.later.store
import seal.store
import seal.versions
import seal.webhooks.store
from kernel.db import METADATA

__all__ = ["METADATA", "idp", "kernel", "license_store", "seal"]
