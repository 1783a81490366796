"""What people and documents wrote, made safe to print: neither rich's markup nor the terminal's commands."""

from rich.markup import escape


def shown(text: object) -> str:
    """Give a name or somebody's own words for the terminal."""
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text)))
