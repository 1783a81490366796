"""`xinyin demo`: the whole story on this machine, with a tick per step."""
