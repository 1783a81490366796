"""Papers that others sent, handed to a browser in a way in which nothing of them can run."""

from starlette.responses import Response

_INLINE = {b"\x89PNG\r\n\x1a\n": ("image/png", "png"), b"\xff\xd8\xff": ("image/jpeg", "jpg")}
_SAVED = {b"%PDF-": "pdf", b"PK\x03\x04": "ofd"}
HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
"""Of every file that the console hands out."""


def handed_out(content: bytes, stem: str) -> Response:
    """Answer with a paper: pictures are shown, everything else is saved and never opened by the browser itself.

    ``stem`` is the file's name without ending, and comes from us: whoever sent the paper names nothing.
    """
    for magic, (media_type, ending) in _INLINE.items():
        if content.startswith(magic):
            return _answer(content, media_type, f'inline; filename="{stem}.{ending}"')
    ending = next((each for magic, each in _SAVED.items() if content.startswith(magic)), "bin")
    return _answer(content, "application/octet-stream", f'attachment; filename="{stem}.{ending}"')


def picture(png: bytes) -> Response:
    """Answer with a seal's own picture: it changes with the seal's version only, which the address names."""
    response = _answer(png, "image/png", "inline")
    response.headers["Cache-Control"] = "private, max-age=600"
    return response


def _answer(content: bytes, media_type: str, disposition: str) -> Response:
    return Response(content, media_type=media_type, headers={**HEADERS, "Content-Disposition": disposition})
