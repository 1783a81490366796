"""Texts out of files, made fit to be shown and kept: nothing unprintable, nobody's number."""

from kernel.logs import mask

LONGEST = 600


def fit(text: str) -> str:
    """Give ``text`` with identity numbers and the like masked, and what cannot be printed written out.

    Lone surrogates, control characters and those that turn the direction of writing are escaped; the end of what is
    too long is left out.
    """
    clipped = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return mask("".join(each if each.isprintable() else ascii(each)[1:-1] for each in clipped))
