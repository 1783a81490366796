"""Validation data, time stamps and further signatures: what may follow a seal, abused."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial

from crypto import der
from crypto.cms import CmsTemplate
from crypto.digests import SHA256
from crypto.suites import ES256, Suite
from crypto.timestamp_build import Imprint, TokenTemplate
from crypto.x509 import TSA, make_certificate, name
from seal.formats.pdf.objects import Name, PdfDict, PdfObject, Ref
from seal.model import Verdict
from tests.seal.pdf.forging import Update, changed, signed_update, stream
from tests.seal.pdf.making import NOW, P256Key, Sealer, make_sealer
from tests.sims.pdf_attacks.family import Family, listed, seal_of
from tests.sims.pdf_attacks.victim import CATALOG, FORGED, NEW, OVERLAY, PAGE, SECOND, TEXT

VALIDATION = Family("validation data")
STAMPS = Family("document time stamp")
FURTHER = Family("further signature")
STRANGERS = Family("further signature of a stranger", expected=Verdict.INDETERMINATE)
COVERING = b"/Rect[0 0 595 842]/F 132/AP<</N %d 0 R>>" % (NEW + 5)
_SHOWN = {NEW + 5: OVERLAY}


@cache
def stranger(suite: Suite = ES256, number: int = 0) -> Sealer:
    """Give one of those whom nobody trusts, under the same names as our signer."""
    del number
    return make_sealer(suite)


@cache
def strange_stamper() -> TokenTemplate:
    """Give a stamper whom nobody trusts; a test may."""
    key = P256Key()
    certificate = make_certificate(
        subject=name("时间戳"),
        public_key=key.public_key,
        issuer=None,
        issuer_key=key,
        serial=99,
        not_before=NOW - timedelta(days=9),
        not_after=NOW + timedelta(days=99),
        profile=TSA,
    )
    return TokenTemplate(certificate, (), key, policy="1.2.3")


def _token(octets: bytes) -> bytes:
    imprint = Imprint.of(SHA256.oid, SHA256.digest(octets))
    return strange_stamper().token(imprint, serial=7, at=NOW, nonce=None)


# --- validation data -------------------------------------------------------------------------------------------


def validated(sealed: bytes, dss: PdfObject = None, **objects: bytes) -> bytes:
    """Append validation data as an honest service would, or ``dss`` in their place."""
    certificate = stream(stranger().credential.certificate.raw)
    held: PdfObject = {"Type": Name("DSS"), "Certs": [Ref(NEW, 0)]} if dss is None else dss
    more = {int(number.removeprefix("n")): body for number, body in objects.items()}
    return Update({CATALOG: changed(sealed, CATALOG, DSS=held), NEW: certificate, **more}).after(sealed)


@VALIDATION
def with_another_text(sealed: bytes) -> bytes:
    """The revision of the validation data brings another text."""
    return validated(sealed, None, **{f"n{TEXT}": FORGED})


@VALIDATION
def with_an_annotation(sealed: bytes) -> bytes:
    """The revision of the validation data brings a stamp."""
    page = changed(sealed, PAGE, Annots=[*listed(sealed, PAGE, "Annots"), Ref(NEW + 1, 0)])
    stamp = b"<</Type/Annot/Subtype/Stamp/Rect[0 0 595 842]/AP<</N %d 0 R>>>>" % (NEW + 2)
    return validated(sealed, None, **{f"n{PAGE}": page, f"n{NEW + 1}": stamp, f"n{NEW + 2}": OVERLAY})


@VALIDATION
def with_a_rotated_page(sealed: bytes) -> bytes:
    """The revision of the validation data turns a page."""
    return validated(sealed, None, **{f"n{SECOND}": changed(sealed, SECOND, Rotate=180)})


@VALIDATION
def held_by_a_page(sealed: bytes) -> bytes:
    """A page takes the place of the validation data's certificates."""
    return validated(sealed, {"Certs": [Ref(NEW, 0)]}, **{f"n{PAGE}": changed(sealed, PAGE, Contents=Ref(NEW, 0))})


@VALIDATION
def in_the_place_of_the_form(sealed: bytes) -> bytes:
    """Validation data come, the form goes."""
    return Update({CATALOG: changed(sealed, CATALOG, DSS={}, AcroForm=None)}).after(sealed)


_MISSHAPEN: PdfDict = {
    "a number": 5,
    "an array": [1, 2],
    "a string": b"x",
    "a stream": Ref(NEW, 0),
    "with certificates that are none": {"Certs": 5},
    "with certificates that are a dictionary": {"Certs": {"a": 1}},
    "with certificates that are pages": {"Certs": [Ref(PAGE, 0)]},
    "with certificates by nobody": {"Certs": [{"Length": 1}]},
    "with lists that are none": {"CRLs": b"x"},
    "with answers that are none": {"OCSPs": Name("x")},
    "with records that are none": {"VRI": [1]},
    "with records of no kind": {"VRI": {"A": 1}},
    "with records that hold a page": {"VRI": {"A": {"Cert": [Ref(PAGE, 0)]}}},
}
for what, value in _MISSHAPEN.items():
    VALIDATION.add(what, f"Validation data {what}", partial(validated, dss=value))


# --- time stamps -----------------------------------------------------------------------------------------------


def stamped(
    sealed: bytes, *, widget: bytes = b"/Rect[0 0 0 0]/F 132", objects: dict[int, bytes] | None = None
) -> bytes:
    """Append a document time stamp of a stranger."""
    return signed_update(
        sealed,
        _token,
        page=PAGE,
        number=NEW,
        sub_filter=b"ETSI.RFC3161",
        widget=widget,
        objects=objects,
    )


STAMPS.add(
    "that covers the page",
    "A time stamp whose widget lies over the page",
    partial(stamped, widget=COVERING, objects=_SHOWN),
)
STAMPS.add(
    "that is a line",
    "A time stamp whose widget is as wide as the page and has a border",
    partial(stamped, widget=b"/Rect[0 400 595 400.5]/F 4/BS<</W 99>>/AP<</N %d 0 R>>" % (NEW + 5), objects=_SHOWN),
)
STAMPS.add(
    "with another text", "A time stamp whose revision brings another text", partial(stamped, objects={TEXT: FORGED})
)
STAMPS.add(
    "with an action",
    "A time stamp that runs a script",
    partial(stamped, widget=b"/Rect[0 0 0 0]/A<</S/JavaScript/JS(1)>>"),
)


@STAMPS
def with_a_widget_that_is_seen(sealed: bytes) -> bytes:
    """A time stamp in a hidden field, with a second widget over the page."""
    page = changed(sealed, PAGE, Annots=[*listed(sealed, PAGE, "Annots"), Ref(NEW + 6, 0)])
    seen = b"<</Type/Annot/Subtype/Widget/Parent %d 0 R%b>>" % (NEW + 1, COVERING)
    objects = {PAGE: page, NEW + 5: OVERLAY, NEW + 6: seen}
    return stamped(sealed, widget=b"/Rect[0 0 0 0]/F 2/Kids[%d 0 R]" % (NEW + 6), objects=objects)


@STAMPS
def over_other_octets(sealed: bytes) -> bytes:
    """A time stamp over another document."""
    return signed_update(sealed, lambda _: _token(b"other"), page=PAGE, number=NEW, sub_filter=b"ETSI.RFC3161")


@STAMPS
def without_a_token(sealed: bytes) -> bytes:
    """A time stamp with nothing in it."""
    return signed_update(sealed, lambda _: b"", page=PAGE, number=NEW, sub_filter=b"ETSI.RFC3161")


# --- further signatures ----------------------------------------------------------------------------------------


def _message(octets: bytes) -> bytes:
    """Sign as a stranger."""
    sealer = stranger()
    template = CmsTemplate(sealer.credential.certificate, (), sealer.credential.suite)
    attributes = template.attributes(sealer.credential.suite.digest.digest(octets))
    return template.assemble(attributes, sealer.key.sign(attributes))


def _late(sealed: bytes, message: Callable[[bytes], bytes] = _message, **more: object) -> bytes:
    options = {"page": PAGE, "number": NEW, "widget": COVERING, "objects": _SHOWN, **more}
    return signed_update(sealed, message, **options)  # type: ignore[arg-type]


def _same_message(sealed: bytes) -> bytes:
    """Use the seal's own message once more."""
    contents = der.parse_prefix(seal_of(sealed).covered.contents).raw
    return _late(sealed, lambda _: contents)


STRANGERS.add("over the page", "A stranger's signature whose picture covers the page", _late)
STRANGERS.add(
    "that shows nothing", "A stranger's signature without a picture", partial(_late, widget=b"/Rect[0 0 0 0]")
)
FURTHER.add("with the seal's message", "A further signature with the message of the seal", _same_message)
FURTHER.add("without a message", "A further signature of zeros over the page", partial(_late, message=lambda _: b""))
FURTHER.add(
    "of another document", "A further signature over other octets", partial(_late, message=lambda _: _message(b"x"))
)
STRANGERS.add("of no kind", "A further signature of an unknown kind over the page", partial(_late, sub_filter=b"none"))
FURTHER.add(
    "with another text",
    "A stranger's signature whose revision brings another text",
    partial(_late, objects={TEXT: FORGED}),
)
FURTHER.add(
    "with an action",
    "A stranger's signature that runs a script",
    partial(_late, widget=COVERING + b"/AA<</E<</S/JavaScript/JS(1)>>>>"),
)
FURTHER.add(
    "with the text as its picture",
    "The page's text is the stranger's picture",
    partial(_late, objects={NEW + 5: OVERLAY, 17: b"[%d 0 R]" % (NEW + 5)}),
)
