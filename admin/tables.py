"""Every table of every floor, known to one METADATA: importing this module is what makes them known."""

import admin.console.store
import idp.store.tables
import kernel.audit
import kernel.jobs
import kernel.outbox
import license_store.letters.store
import license_store.store
import seal.affairs.officers
import seal.affairs.store
import seal.batches.store
import seal.digests.store
import seal.docking.store
import seal.later.store
import seal.renewing
import seal.store
import seal.tidying
import seal.usage.store
import seal.versions
import seal.webhooks.store
from kernel.db import METADATA

__all__ = ["METADATA", "admin", "idp", "kernel", "license_store", "seal"]
