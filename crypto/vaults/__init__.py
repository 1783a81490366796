"""Vaults: places where private keys live and sign, each behind ``crypto.keys.KeyVault``."""
