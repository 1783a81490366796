"""Algorithms, keys and signed structures: pure functions and key doors, no database, no HTTP, no settings."""
