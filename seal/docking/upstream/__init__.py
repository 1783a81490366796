"""Upstream signers: a department's existing seal system signs; register, ledger and verification stay here."""
