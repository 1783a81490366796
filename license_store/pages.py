"""The page behind the QR code: one plain answer about one licence, for anyone with a phone."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from kernel.page import Pages
from license_store.model import FieldKind, License, LicenseStatus, LicenseType
from license_store.public import Difference, PublicAnswer, PublicDesk, PublicVerdict
from seal.model import Finding, SignatureReport, Verdict
from seal.reporting.words import time_words
from seal.wording import wording

_PICTURE_KEPT = "public, max-age=86400, immutable"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sentence:
    """A verdict in words: its colour and icon, a sentence, and what to make of it, in Chinese and English."""

    kind: str
    title: tuple[str, str]
    advice: tuple[str, str]


_SENTENCES: Mapping[PublicAnswer, _Sentence] = {
    PublicAnswer.GENUINE_IN_FORCE: _Sentence(
        kind="valid",
        title=("证照真实，当前有效", "Genuine and in force"),
        advice=("请核对下方内容与您手中的证照一致。", "Compare what follows with the licence in your hand."),
    ),
    PublicAnswer.GENUINE_EXPIRED: _Sentence(
        kind="invalid",
        title=("证照已过有效期", "This licence has expired"),
        advice=("证照确由发证机关签发，但现在已不再有效。", "It was truly issued, but is no longer in force."),
    ),
    PublicAnswer.GENUINE_REVOKED: _Sentence(
        kind="invalid",
        title=("证照已被吊销", "This licence has been revoked"),
        advice=("证照确由发证机关签发，但已被依法吊销，不再有效。", "It was truly issued, but was revoked by law."),
    ),
    PublicAnswer.CANNOT_CHECK: _Sentence(
        kind="indeterminate",
        title=("暂时无法确认", "Cannot be confirmed right now"),
        advice=(
            "这不表示证照是假的，也不表示它是真的。请稍后再试，或联系发证机关。",
            "This means neither forged nor genuine. Try again later, or ask the issuing body.",
        ),
    ),
}
_STATUSES: Mapping[LicenseStatus, tuple[str, str, str]] = {
    LicenseStatus.ACTIVE: ("green", "有效", "in force"),
    LicenseStatus.EXPIRED: ("red", "已过期", "expired"),
    LicenseStatus.REVOKED: ("red", "已吊销", "revoked"),
}
_DIFFERENCES: Mapping[Difference, tuple[str, str]] = {
    Difference.FACTS: (
        "登记内容与存档的盖章文件不一致",
        "The register does not say what the stored document was sealed for",
    ),
    Difference.STATUS: ("状态记录与审计日志不一致", "The status is not the one in the audit log"),
}
_ALGORITHMS = (
    ("sm2", "SM2 签名、SM3 摘要（国家商用密码算法）", "SM2 signature over an SM3 digest (Chinese national algorithms)"),
    ("p256", "ECDSA P-256 签名、SHA-256 摘要", "ECDSA P-256 signature over a SHA-256 digest"),
)


def router(pages: Pages, desk: PublicDesk, *, base_url: str) -> APIRouter:
    """Make the public pages. Each answer is one page: no redirect, no script, nothing from elsewhere.

    ``base_url`` is where they are, as in the QR codes. What a request says of its host proves nothing: behind an
    imitation it would name the imitation.
    """
    host = urlsplit(base_url).netloc
    routes = APIRouter(include_in_schema=False)

    # Sync, so that the page runs in the thread pool. Both cases: QR codes hold capitals, people type small letters.
    @routes.get("/v/{public_id}")
    @routes.get("/V/{public_id}")
    def scan(public_id: str, request: Request) -> Response:
        return _page(pages, request, desk.view(public_id), host)

    @routes.get("/v/{public_id}/picture.png")
    def picture(public_id: str) -> Response:
        headers = {"Cache-Control": _PICTURE_KEPT, "X-Content-Type-Options": "nosniff"}
        return Response(desk.picture(public_id), media_type="image/png", headers=headers)

    return routes


def _page(pages: Pages, request: Request, view: PublicVerdict, host: str) -> Response:
    if view.licence is None or view.kind is None or view.status is None:
        return pages.render(request, "license_store/unknown.html", status=HTTPStatus.NOT_FOUND)
    licence, kind = view.licence, view.kind
    signature = view.report.signatures[0] if view.report and view.report.signatures else None
    return pages.render(
        request,
        "license_store/license.html",
        view=view,
        licence=licence,
        sentence=_SENTENCES[view.answer],
        standing=_STATUSES[view.status],
        kind=kind,
        facts=tuple(_facts(kind, licence)),
        signature=signature,
        signer=_signer(signature),
        algorithm=_algorithm(signature),
        time_words=time_words(signature) if signature else None,
        problems=tuple(_problems(view)),
        confirmed=view.answer is not PublicAnswer.CANNOT_CHECK,
        host=host,
    )


def _facts(kind: LicenseType, licence: License) -> Iterator[tuple[str, str, str | date]]:
    """Give the face as (Chinese label, English label, value)."""
    for field in kind.fields:
        value = licence.face.get(field.name)
        if value is not None:
            yield field.zh, field.en, date.fromisoformat(value) if field.kind is FieldKind.DATE else value


def _signer(signature: SignatureReport | None) -> str:
    """Take the organisation, or else the common name, out of the signer's RFC 4514 name."""
    name = (signature.signer or "") if signature else ""
    for attribute in ("O", "CN"):
        found = re.search(rf"(?:^|,){attribute}=((?:\\.|[^,+\\])*)", name)
        if found:
            return re.sub(r"\\(.)", r"\1", found[1])
    return ""


def _algorithm(signature: SignatureReport | None) -> tuple[str, str]:
    form = signature.format if signature else ""
    return next(((zh, en) for part, zh, en in _ALGORITHMS if part in form), (form, form))


def _problems(view: PublicVerdict) -> Iterator[tuple[str, str]]:
    """Give, in Chinese and English, whatever keeps the stored document from being confirmed."""
    yield from (_DIFFERENCES[difference] for difference in view.differences)
    if view.report is None:
        yield "存档文件暂时无法读取", "The stored document cannot be read at the moment"
        return
    found: list[Finding] = [*view.report.findings]
    for signature in view.report.signatures:
        found.extend(signature.findings)
    for code in dict.fromkeys(finding.code for finding in found if finding.verdict is not Verdict.VALID):
        yield wording(code)
    if view.report.verdict is Verdict.UNSIGNED:
        yield "存档文件没有签章", "The stored document bears no seal"
