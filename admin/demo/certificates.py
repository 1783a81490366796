"""The story's certificates: one is issued, doubted, revoked; a time is stamped for anybody who asks."""

import secrets
from pathlib import Path
from tempfile import TemporaryDirectory

from admin.demo.browser import Browser
from admin.demo.commands import xinyin
from admin.demo.story import Scene
from admin.demo.ticks import Ticks, expect
from crypto.certificate import pem_bodies
from crypto.chain import build_chain
from crypto.digests import SM3
from crypto.keys import VaultSigner
from crypto.ocsp import CertId, CertStatus, make_request
from crypto.ocsp_answer import parse_answer, signature_problems
from crypto.suites import SM2_SM3
from crypto.timestamp import verify_token
from crypto.timestamp_build import Imprint
from crypto.timestamp_exchange import REQUEST_TYPE as STAMP_REQUEST
from crypto.timestamp_exchange import make_request as make_stamp_request
from crypto.timestamp_exchange import parse_response
from crypto.vaults.soft import SoftVault
from crypto.x509 import Certificate, make_csr, name, parse_csr
from seal.pki.responder import REQUEST_TYPE as OCSP_REQUEST
from seal.trust import Trust

_OK = 200


def certify_and_revoke(ticks: Ticks, scene: Scene) -> None:
    """Certify an applicant's key, hear of it by OCSP, revoke it, and hear of that."""
    with ticks.step("签发证书、吊销、在线查询  issue a certificate, revoke it, ask by OCSP") as step:
        with TemporaryDirectory() as folder:
            certificate, issuer = _issued(scene, Path(folder))
        step.facts["certificate"] = f"{certificate.subject_text}, issued by {issuer.subject_text}"
        expect(_status(scene, certificate, issuer) is CertStatus.GOOD, "OCSP does not know the new certificate as good")
        serial = f"{certificate.serial:x}"
        xinyin(scene, "ca", "revoke", serial, "--reason", "superseded", "--why", "演示 demonstration")
        expect(_status(scene, certificate, issuer) is CertStatus.REVOKED, "OCSP does not say that it is revoked")
        step.facts["OCSP"] = "good, then revoked"


def stamp_time(ticks: Ticks, scene: Scene) -> None:
    """Have a digest time-stamped, and verify the token to the root."""
    with ticks.step("时间戳  a time-stamp by SM2, verified to the root (RFC 3161)") as step:
        digest, nonce = SM3.digest("云政服许准〔2026〕118号".encode()), secrets.randbits(63) | 1
        request = make_stamp_request(Imprint.of(SM3.oid, digest), nonce=nonce)
        answer = Browser().post(f"{scene.service}/pki/tsa/sm2", data=request, headers={"Content-Type": STAMP_REQUEST})
        expect(answer.status == _OK, f"the time-stamp authority answers {answer.status}")
        token = parse_response(answer.body).token
        if token is None or token.certificate is None:
            expect(False, "no time-stamp was granted")  # noqa: FBT003 - a plain failure
            return
        expect(not verify_token(token, lambda _: digest) and token.nonce == nonce, "the token does not hold")
        trust = Trust.load(scene.settings.home / "trust")
        chain = build_chain(
            token.certificate, intermediates=token.signed.certificates, anchors=trust.anchors, at=token.gen_time
        )
        expect(chain.trusted, "the token's certificate leads to no root")
        step.facts["time"] = f"{token.gen_time.isoformat()}, {chain.path[-1].subject_text}"


def _issued(scene: Scene, folder: Path) -> tuple[Certificate, Certificate]:
    """Make a key outside the service, as an applicant does, and have it certified; give it and its issuer."""
    vault = SoftVault.create(folder / "vault", secrets.token_hex(16))
    signer = VaultSigner(vault, vault.generate(SM2_SM3))
    csr, out = folder / "csr.pem", folder / "certificate.pem"
    wished = name("99010000000099", "云江市示范局", "11990100MB0000001X")
    csr.write_text(parse_csr(make_csr(wished, signer)).pem())
    xinyin(scene, "ca", "issue", "--csr", str(csr), "--policy", "signer", "--out", str(out))
    certificate, issuer, *_ = (Certificate.from_der(body) for body in pem_bodies(out.read_bytes(), "CERTIFICATE"))
    return certificate, issuer


def _status(scene: Scene, certificate: Certificate, issuer: Certificate) -> CertStatus:
    nonce = secrets.token_bytes(16)
    request = make_request([CertId.of(certificate.serial, issuer)], nonce=nonce)
    reply = Browser().post(f"{scene.service}/pki/ocsp/sm2", data=request, headers={"Content-Type": OCSP_REQUEST})
    expect(reply.status == _OK, f"the OCSP responder answers {reply.status}")
    answer = parse_answer(reply.body)
    said = answer.about(certificate, issuer)
    if said is None or answer.nonce != nonce or signature_problems(answer, issuer, others=()):
        expect(False, "the OCSP answer does not hold")  # noqa: FBT003 - a plain failure
        return CertStatus.UNKNOWN
    return said.status
