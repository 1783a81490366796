"""What each finding comes to elsewhere: its indication after ETSI EN 319 102-1, and what a reader can do about it.

One row a code, beside the words of ``seal.wording``. Where our verdict is sterner than ETSI's (a wrong key usage, say,
is proved and so invalid here) the sub-indication still names the cause, though ETSI pairs it with INDETERMINATE.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from seal.model import Finding, Verdict


class Main(StrEnum):
    """The main indications of EN 319 102-1 5.1.3."""

    PASSED = "total-passed"
    FAILED = "total-failed"
    INDETERMINATE = "indeterminate"


class Sub(StrEnum):
    """Those sub-indications of EN 319 102-1 that are used here, the gravest first."""

    FORMAT_FAILURE = "FORMAT_FAILURE"
    HASH_FAILURE = "HASH_FAILURE"
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    REVOKED = "REVOKED"
    REVOKED_NO_POE = "REVOKED_NO_POE"
    REVOKED_CA_NO_POE = "REVOKED_CA_NO_POE"
    OUT_OF_BOUNDS_NO_POE = "OUT_OF_BOUNDS_NO_POE"
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    NO_SIGNING_CERTIFICATE_FOUND = "NO_SIGNING_CERTIFICATE_FOUND"
    SIGNED_DATA_NOT_FOUND = "SIGNED_DATA_NOT_FOUND"
    CRYPTO_CONSTRAINTS_FAILURE_NO_POE = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    NO_POE = "NO_POE"
    TRY_LATER = "TRY_LATER"


class Remedy(Enum):
    """What a reader can do, in Chinese and in English."""

    NOTHING = "无需处理。", "Nothing needs to be done."
    DISTRUST = (
        "请勿采信此文件，向签章单位索取原件。",
        "Do not rely on this file; ask whoever sealed it for the original.",
    )
    ASK_SEALER = (
        "请勿采信，并通过其他可靠途径向签章单位核实。",
        "Do not rely on it; ask whoever sealed it by another way that you trust.",
    )
    SEAL_ANEW = (
        "请签章单位使用符合标准的软件和有效的证书、印章重新签章。",
        "Have it sealed anew, with conforming software and a certificate and seal that are in force.",
    )
    READABLE = (
        "请取得完整、未加密的文件后重新核验。",
        "Get the file whole and not encrypted, and have it verified again.",
    )
    TRUST = (
        "如经核实该颁发者可信，请管理员将其根证书加入信任列表后重新核验。",
        "If the issuer turns out to deserve trust, have its root certificate added to the trust list and verify again.",
    )
    REVOCATION = (
        "请更新吊销列表后重新核验；这不表示证书已被吊销。",
        "Have the revocation lists refreshed and verify again; this does not mean that it was revoked.",
    )
    TIME = (
        "请签章单位加盖可信时间戳，或另行核实签章时间。",
        "Have it sealed with a trusted time stamp, or find out otherwise when it was sealed.",
    )
    COMPARE = (
        "请对照原件逐项核对未受保护的内容。",
        "Compare what is not protected with the original, item by item.",
    )
    ALGORITHM = (
        "请使用支持该算法的软件核验，或请签章单位改用 SM2/SM3 等现行算法。",
        "Verify with software that knows the algorithm, or have it sealed with a current one such as SM2 with SM3.",
    )
    REGISTER = (
        "如需确认，请向该印章的登记机关查询其状态。",
        "To be sure, ask the authority that registered the seal for its status.",
    )
    SEALED = (
        "如需有法律效力的文件，请索取已签章的版本。",
        "Ask for the sealed version if you need one with legal force.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Indication:
    """A main indication and, unless it is passed, why."""

    main: Main
    sub: Sub | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a code comes to where it is as grave as it gets, and the remedy."""

    indication: Indication
    remedy: Remedy


_MAINS: Mapping[Verdict, Main] = {
    Verdict.VALID: Main.PASSED,
    # That nobody signed the content is no failure of a signature; nor does any signature answer for it.
    Verdict.UNSIGNED: Main.INDETERMINATE,
    Verdict.INDETERMINATE: Main.INDETERMINATE,
    Verdict.INVALID: Main.FAILED,
}
# Main indication, sub-indication, remedy: the codes.
_GROUPS: Mapping[tuple[Main, Sub | None, Remedy], str] = {
    (Main.FAILED, Sub.FORMAT_FAILURE, Remedy.DISTRUST): "PACKAGE_MALFORMED SIGNATURE_FILE_MISSING SIGNED_VALUE_MISSING "
    "INTEGRITY_LIST_MALFORMED BYTE_RANGE_INVALID CONTENT_ENCAPSULATED SIGNATURE_SHARED SEAL_FILE_MISMATCH "
    "CERTIFICATION_NOT_FIRST",
    (Main.FAILED, Sub.FORMAT_FAILURE, Remedy.SEAL_ANEW): "CMS_MALFORMED SES_FORMAT_ERROR SES_VERSION_MISMATCH "
    "SIGNER_COUNT",
    (Main.FAILED, Sub.HASH_FAILURE, Remedy.DISTRUST): "DATA_HASH_MISMATCH REFERENCE_MISMATCH REFERENCE_MISSING "
    "CHANGED_AFTER_SIGNING UNKNOWN_TAIL PAGES_UNCOVERED SIGNATURE_REMOVED INTEGRITY_LIST_FILE_ADDED "
    "INTEGRITY_LIST_FILE_MISSING",
    (Main.FAILED, Sub.SIG_CRYPTO_FAILURE, Remedy.DISTRUST): "SIGNATURE_INVALID SEAL_SIGNATURE_INVALID "
    "ALGORITHM_CERT_MISMATCH",
    (Main.FAILED, Sub.REVOKED, Remedy.ASK_SEALER): "SIGNER_CERT_REVOKED SEAL_MAKER_CERT_REVOKED TSA_CERT_REVOKED "
    "SEAL_REVOKED SEAL_SUSPENDED SEAL_DESTROYED SEAL_LOST SEAL_NOT_ACTIVATED",
    (Main.FAILED, Sub.REVOKED_NO_POE, Remedy.ASK_SEALER): "SIGNER_KEY_COMPROMISED SEAL_MAKER_KEY_COMPROMISED",
    (Main.FAILED, Sub.REVOKED_CA_NO_POE, Remedy.ASK_SEALER): "CA_CERT_REVOKED CA_KEY_COMPROMISED",
    (Main.FAILED, Sub.OUT_OF_BOUNDS_NO_POE, Remedy.SEAL_ANEW): "SIGN_TIME_OUTSIDE_CERT SEAL_MAKER_CERT_NOT_VALID "
    "SEAL_NOT_VALID_AT_SIGN_TIME TSA_CERT_NOT_VALID",
    (Main.FAILED, Sub.CHAIN_CONSTRAINTS_FAILURE, Remedy.SEAL_ANEW): "SIGNER_CERT_KEY_USAGE SEAL_MAKER_CERT_KEY_USAGE "
    "TSA_CERT_KEY_USAGE",
    (Main.FAILED, Sub.SIG_CONSTRAINTS_FAILURE, Remedy.ASK_SEALER): "SIGNER_NOT_IN_SEAL TIMESTAMP_INVALID",
    (Main.FAILED, Sub.NO_SIGNING_CERTIFICATE_FOUND, Remedy.DISTRUST): "SIGNING_CERT_MISMATCH "
    "SIGNING_CERTIFICATE_MISMATCH",
    (Main.INDETERMINATE, Sub.REVOKED_NO_POE, Remedy.TIME): "TSA_KEY_COMPROMISED",
    (Main.INDETERMINATE, Sub.SIG_CONSTRAINTS_FAILURE, Remedy.COMPARE): "SHOWN_CONTENT_UNCOVERED DOCUMENT_AMBIGUOUS "
    "STAMP_PAGE_UNKNOWN STAMP_PAGE_AMBIGUOUS CERTIFICATION_UNCLEAR",
    (Main.INDETERMINATE, Sub.SIG_CONSTRAINTS_FAILURE, Remedy.SEALED): "NO_SIGNATURE DOCUMENT_WITHOUT_SEAL",
    (Main.INDETERMINATE, Sub.SIG_CONSTRAINTS_FAILURE, Remedy.ASK_SEALER): "SIGNATURE_UNREACHABLE",
    (Main.INDETERMINATE, Sub.SIG_CONSTRAINTS_FAILURE, Remedy.ALGORITHM): "SUBFILTER_UNSUPPORTED",
    (Main.INDETERMINATE, Sub.NO_SIGNING_CERTIFICATE_FOUND, Remedy.SEAL_ANEW): "SIGNER_CERT_MISSING TSA_CERT_MISSING",
    (Main.INDETERMINATE, Sub.SIGNED_DATA_NOT_FOUND, Remedy.READABLE): "PACKAGE_UNREADABLE DOCUMENT_ENCRYPTED",
    (Main.INDETERMINATE, Sub.CRYPTO_CONSTRAINTS_FAILURE_NO_POE, Remedy.ALGORITHM): "ALGORITHM_UNSUPPORTED "
    "ALGORITHM_WEAK",
    (Main.INDETERMINATE, Sub.NO_CERTIFICATE_CHAIN_FOUND, Remedy.TRUST): "SIGNER_CERT_UNTRUSTED "
    "SEAL_MAKER_CERT_UNTRUSTED TSA_CERT_UNTRUSTED",
    (Main.INDETERMINATE, Sub.NO_POE, Remedy.TIME): "SIGN_TIME_UNKNOWN",
    (Main.INDETERMINATE, Sub.TRY_LATER, Remedy.REVOCATION): "REVOCATION_UNKNOWN",
    (Main.INDETERMINATE, Sub.TRY_LATER, Remedy.READABLE): "CANNOT_VERIFY",
    (Main.PASSED, None, Remedy.COMPARE): "UNCOVERED_CONTENT STAMP_SHOWS_NOTHING",
    (Main.PASSED, None, Remedy.ALGORITHM): "WEAK_DIGEST",
    (Main.PASSED, None, Remedy.TRUST): "TIMESTAMP_UNTRUSTED",
    (Main.PASSED, None, Remedy.TIME): "TIME_NOT_PROVED",
    (Main.PASSED, None, Remedy.REGISTER): "SEAL_UNKNOWN",
    (Main.PASSED, None, Remedy.NOTHING): "UNKNOWN_CRITICAL_EXTENSION SIGNING_CERT_NOT_BOUND REVOKED_SINCE "
    "REVOCATION_NOT_OFFERED SEAL_MAKER_NOT_VALID_AT_MAKE",
}


def _rows() -> Iterator[tuple[str, Row]]:
    for (main, sub, remedy), codes in _GROUPS.items():
        for code in codes.split():
            yield code, Row(indication=Indication(main=main, sub=sub), remedy=remedy)


ROWS: Mapping[str, Row] = dict(_rows())
PASSED = Indication(main=Main.PASSED)


def indication(finding: Finding) -> Indication:
    """Say what ``finding`` alone comes to: its verdict decides the main indication, its code the sub-indication."""
    main = _MAINS[finding.verdict]
    if main is Main.PASSED:
        return PASSED
    row = ROWS.get(finding.code)
    return Indication(main=main, sub=(row and row.indication.sub) or Sub.SIG_CONSTRAINTS_FAILURE)


def gravest(findings: Iterable[Finding]) -> Indication:
    """Give the gravest of what ``findings`` come to; passed if none is worse."""
    return max(map(indication, findings), key=_gravity, default=PASSED)


def remedy(finding: Finding) -> Remedy:
    """Say what can be done about ``finding``."""
    row = ROWS.get(finding.code)
    if row is None or (finding.verdict is Verdict.VALID and row.indication.main is not Main.PASSED):
        return Remedy.NOTHING
    return row.remedy


_MAIN_ORDER = (Main.PASSED, Main.INDETERMINATE, Main.FAILED)
_SUB_ORDER = (None, *reversed(Sub))


def _gravity(found: Indication) -> tuple[int, int]:
    return _MAIN_ORDER.index(found.main), _SUB_ORDER.index(found.sub)
