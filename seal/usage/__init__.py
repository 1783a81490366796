"""Use of seals: who may use one and when, approvals of single uses, and the ledger of all uses."""
