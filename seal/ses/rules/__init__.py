"""The rules for a SES_Signature, in the order of GM/T 0031-2014 6.1.2 and 6.2.3 and GB/T 38540 7.3."""

from crypto.errors import DerError
from seal.ses.rules import (
    maker,
    original,
    register,
    seal_file,
    seal_validity,
    seal_value,
    signer,
    signer_list,
    structure,
    timestamps,
    value,
)
from seal.ses.rules.case import Case
from seal.ses.rules.rule import STEPS, Placed, Rule, apply, in_order, invalid, note, undecided

__all__ = [
    "FORMAT",
    "RULES",
    "SIGNER",
    "STAMP",
    "STEPS",
    "Case",
    "Placed",
    "Rule",
    "apply",
    "in_order",
    "invalid",
    "note",
    "undecided",
]

_ALGORITHM = ("ALGORITHM_UNSUPPORTED", "ALGORITHM_CERT_MISMATCH")
REVOCATION = ("CA_CERT_REVOKED", "CA_KEY_COMPROMISED", "REVOKED_SINCE", "REVOCATION_UNKNOWN", "REVOCATION_NOT_OFFERED")
SIGNER = (
    "SIGNER_CERT_UNTRUSTED",
    "SIGNER_CERT_KEY_USAGE",
    "SIGN_TIME_OUTSIDE_CERT",
    "SIGNER_CERT_REVOKED",
    "SIGNER_KEY_COMPROMISED",
    *REVOCATION,
)
STAMP = ("TIMESTAMP_INVALID", "TIMESTAMP_UNTRUSTED", "TSA_CERT_REVOKED", "CA_CERT_REVOKED", "REVOKED_SINCE")

FORMAT: Rule[DerError] = Rule(
    name="format",
    step=2,
    asks="The octets are a SES_Signature with a SESeal in it: V1, V4 or V5.",
    codes=("SES_FORMAT_ERROR",),
    check=structure.unreadable,
)
"""Asked first, of what could not be read; then there is no case for the others."""

RULES: tuple[Rule[Case], ...] = (
    Rule(
        name="version",
        step=2,
        asks="The seal's header says ES; its version, the signature's and the layout of both agree.",
        codes=("SES_VERSION_MISMATCH",),
        check=structure.version,
    ),
    Rule(
        name="extensions",
        step=2,
        asks="No extension is marked critical that is not known here.",
        codes=("UNKNOWN_CRITICAL_EXTENSION",),
        check=structure.extensions,
    ),
    Rule(
        name="value",
        step=3,
        asks="The value over TBS_Sign holds under the signer's certificate, by an algorithm that fits its key.",
        codes=("SIGNATURE_INVALID", "SES_FORMAT_ERROR", *_ALGORITHM),
        check=value.check,
    ),
    Rule(
        name="signer",
        step=4,
        asks="The signer's certificate leads to a trusted root, is for signing, was valid and not revoked then.",
        codes=SIGNER,
        check=signer.check,
    ),
    Rule(
        name="time",
        step=5,
        asks="There is a time of sealing: stamped, or else claimed.",
        codes=("SIGN_TIME_UNKNOWN",),
        check=signer.time,
    ),
    Rule(
        name="original",
        step=6,
        asks="The digest in the signature is that of Signature.xml (in a PDF, of the byte range).",
        codes=("DATA_HASH_MISMATCH",),
        check=original.check,
    ),
    Rule(
        name="seal value",
        step=7,
        asks="The maker's value over the seal holds under the maker's certificate.",
        codes=("SEAL_SIGNATURE_INVALID", *_ALGORITHM),
        check=seal_value.check,
    ),
    Rule(
        name="seal maker",
        step=7,
        asks="The maker's certificate was valid when the seal was made, and not revoked when it was used.",
        codes=(
            "SEAL_MAKER_CERT_UNTRUSTED",
            "SEAL_MAKER_CERT_KEY_USAGE",
            "SEAL_MAKER_CERT_NOT_VALID",
            "SEAL_MAKER_NOT_VALID_AT_MAKE",
            "SEAL_MAKER_CERT_REVOKED",
            "SEAL_MAKER_KEY_COMPROMISED",
            *REVOCATION,
        ),
        check=maker.check,
    ),
    Rule(
        name="seal validity",
        step=7,
        asks="The time of sealing lies within the seal's validity.",
        codes=("SEAL_NOT_VALID_AT_SIGN_TIME",),
        check=seal_validity.check,
    ),
    Rule(
        name="signer list",
        step=7,
        asks="The seal lists the signer's certificate, or its SM3.",
        codes=("SIGNER_NOT_IN_SEAL",),
        check=signer_list.check,
    ),
    Rule(
        name="seal file",
        step=7,
        asks="The seal beside the signature is the one in it, octet for octet.",
        codes=("SEAL_FILE_MISMATCH",),
        check=seal_file.check,
    ),
    Rule(
        name="register",
        step=7,
        asks="The register, where one is asked, had the seal in use then.",
        codes=("SEAL_REVOKED", "SEAL_SUSPENDED", "SEAL_DESTROYED", "SEAL_LOST", "SEAL_NOT_ACTIVATED", "SEAL_UNKNOWN"),
        check=register.check,
    ),
    Rule(
        name="time stamp",
        step=8,
        asks="The time stamp is over this value, of a trusted stamper, and not older than the time claimed.",
        codes=STAMP,
        check=timestamps.signature_stamp,
    ),
    Rule(
        name="seal time stamp",
        step=8,
        asks="The time stamp in a V5 seal is over its maker's value and of a trusted stamper.",
        codes=STAMP,
        check=timestamps.seal_stamp,
    ),
)
