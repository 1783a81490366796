"""E-seals: register, sealing, verification, in PDF and OFD (GB/T 38540, PAdES)."""
