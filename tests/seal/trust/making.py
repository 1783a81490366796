"""A world of certificates that say where to ask for their revocation, and the facts about them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import count

from crypto import der, extensions
from crypto.crl import RevocationList, make_crl
from crypto.ocsp import CertId, CertStatus, SingleAnswer
from crypto.ocsp_answer import OcspAnswer, OcspTemplate
from crypto.revoked import RevocationReason, Revoked
from crypto.x509 import ROOT, SEAL_MAKER, SIGNER, SUB_CA, TSA, CertificateProfile, make_certificate, name
from seal.model import Finding
from seal.trust import Facts, Role, Trust, judge_certificate
from tests.crypto.authority import Holder
from tests.seal.pdf.making import P256Key

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT = datetime.fromisoformat("2026-11-22T08:00:00+00:00")
"""When things are sealed."""
NOW = AT + 30 * DAY
"""When they are judged."""
CRL_URL, OCSP_URL = "http://pki.example/ca.crl", "http://pki.example/ocsp"
DELTA_INDICATOR, DISTRIBUTION_POINT = "2.5.29.27", "2.5.29.28"


@dataclass
class World:
    """A root, an authority below it, and whoever that one certified; every certificate names addresses."""

    origin: str = "http://pki.example"
    serials: "count[int]" = field(default_factory=lambda: count(100))

    def holder(
        self,
        called: str,
        profile: CertificateProfile,
        issuer: Holder | None,
        *,
        not_after: datetime = AT + 400 * DAY,
        offers: bool = True,
        key: P256Key | None = None,
    ) -> Holder:
        own = key or P256Key()
        urls = offers and issuer is not None
        certificate = make_certificate(
            subject=name(called, "某某市"),
            public_key=own.public_key,
            issuer=None if issuer is None else issuer.certificate,
            issuer_key=own if issuer is None else issuer.signer,
            serial=next(self.serials),
            not_before=AT - 100 * DAY,
            not_after=not_after,
            profile=profile,
            crl_urls=(f"{self.origin}/{'root' if profile is SUB_CA else 'ca'}.crl",) if urls else (),
            ocsp_urls=(f"{self.origin}/ocsp",) if urls and profile is not SUB_CA else (),
        )
        return Holder(certificate, own)  # type: ignore[arg-type]  # a key in memory signs as one in a vault does

    @cached_property
    def root(self) -> Holder:
        return self.holder("根", ROOT, None)

    @cached_property
    def ca(self) -> Holder:
        return self.holder("签发者", SUB_CA, self.root)

    @cached_property
    def signer(self) -> Holder:
        return self.holder("44030000000001", SIGNER, self.ca)

    @cached_property
    def maker(self) -> Holder:
        return self.holder("制章者", SEAL_MAKER, self.ca)

    @cached_property
    def tsa(self) -> Holder:
        return self.holder("时间戳", TSA, self.ca)

    @cached_property
    def impostor(self) -> Holder:
        """An authority of the same name, of nobody's making."""
        profile = CertificateProfile(name="ca", key_usage=("key_cert_sign", "crl_sign"), ca=True)
        return self.holder("签发者", profile, None)

    @cached_property
    def root_list(self) -> RevocationList:
        return self.listed(issuer=self.root)

    def listed(
        self,
        *entries: Revoked,
        issuer: Holder | None = None,
        since: datetime = NOW - HOUR,
        life: timedelta = DAY,
        number: int = 1,
    ) -> RevocationList:
        by = issuer or self.ca
        return make_crl(
            issuer=by.certificate,
            issuer_key=by.signer,
            number=number,
            this_update=since,
            next_update=since + life,
            revoked=entries,
        )

    def restricted(self, oid: str, value: bytes) -> RevocationList:
        """The authority's list with one more critical extension."""
        made = self.listed()
        fields = [each.raw for each in der.parse(made.tbs)]
        inner = der.parse(fields[-1]).inner()
        more = der.sequence(*(each.raw for each in inner), extensions.extension(oid, value, critical=True))
        tbs = der.sequence(*fields[:-1], der.explicit(0, more))
        algorithm = der.parse(made.raw)[1].raw
        return RevocationList.from_der(der.sequence(tbs, algorithm, der.bit_string(self.ca.signer.sign(tbs))))

    @property
    def delta(self) -> RevocationList:
        return self.restricted(DELTA_INDICATOR, der.integer(1))

    @property
    def indirect(self) -> RevocationList:
        return self.restricted(DISTRIBUTION_POINT, der.sequence(der.tlv(der.context(4, constructed=False), b"\xff")))

    def answered(
        self,
        holder: Holder,
        entry: Revoked | None = None,
        *,
        by: Holder | None = None,
        since: datetime = NOW - HOUR,
    ) -> bytes:
        said = SingleAnswer(
            cert_id=CertId.of(holder.certificate.serial, self.ca.certificate),
            status=CertStatus.GOOD if entry is None else CertStatus.REVOKED,
            revoked=entry,
            this_update=since,
            next_update=since + DAY,
        )
        speaker = by or self.ca
        template = OcspTemplate(speaker.certificate, speaker.signer, issuer=self.ca.certificate)
        return template.answer([said], produced_at=since)

    def trust(self, *facts: RevocationList | OcspAnswer, now: datetime = NOW, root: bool = True) -> Trust:
        """The root believed, with the lists and answers given and, unless told not to, the root's own list."""
        crls = [each for each in facts if isinstance(each, RevocationList)]
        answers = [each for each in facts if isinstance(each, OcspAnswer)]
        return Trust(
            anchors=(self.root.certificate,),
            intermediates=(self.ca.certificate,),
            facts=Facts(crls=(*crls, self.root_list) if root else crls, answers=answers),
            now=now,
        )


def gone(
    holder: Holder,
    at: datetime,
    reason: RevocationReason = RevocationReason.SUPERSEDED,
    *,
    invalid_since: datetime | None = None,
) -> Revoked:
    return Revoked(serial=holder.certificate.serial, at=at, reason=reason, invalid_since=invalid_since)


def judged(
    holder: Holder,
    trust: Trust,
    *,
    role: Role = "SIGNER",
    at: datetime = AT,
    used_at: datetime | None = None,
    proved: datetime | None = None,
    brought: Iterable[bytes] = (),
) -> tuple[Finding, ...]:
    return judge_certificate(
        holder.certificate,
        others=(),
        trust=trust,
        at=at,
        role=role,
        used_at=used_at,
        proved=proved,
        facts=Facts.read(crls=brought),
    )


def codes(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(each.code, each.verdict.value) for each in findings]


def as_of(trust: Trust, now: datetime) -> Trust:
    return replace(trust, now=now)
