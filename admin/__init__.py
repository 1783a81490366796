"""Composition, settings, command line: the only floor that reads the environment."""
