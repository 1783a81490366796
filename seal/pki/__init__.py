"""Certificates for seals: the authorities that issue them."""
