"""The console: rooms in which officers see to seals, in plain pages (控制台)."""
