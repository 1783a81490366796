"""Docking: other bodies' seal systems, to which we report and by which we have signatures made."""
