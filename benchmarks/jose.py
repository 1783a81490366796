"""Tokens through crypto/: an ES256 JWT signed in the vault and judged, against joserfc doing the same."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey, import_key

from benchmarks.row import Contender, Row, Spread, cpu_microseconds
from crypto.jose import JwtSigner, public_jwk, verify_jwt
from crypto.keys import VaultSigner
from crypto.suites import ES256
from crypto.vaults.soft import SoftVault

ROUNDS = 40
TIMES = 20
REACH = 1.0
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER, AUDIENCE, KID = "https://id.example", "https://api.example", "k1"
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "b7d1f6f0c2",
    "client_id": "department",
    "scope": "seal.use:44030000000001 license.issue:*",
    "jti": "2dYw8sQvJkq1",
    "iat": AT,
    "exp": AT + 300,
}


def rows() -> list[dict[str, object]]:
    """Measure; about five seconds."""
    with tempfile.TemporaryDirectory() as folder:
        vault = SoftVault.create(Path(folder) / "vault", "a throw-away passphrase")
        signer = VaultSigner(vault, vault.generate(ES256))
        maker = JwtSigner(signer, KID)
        own_key = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))
        our_key = import_key(dict(public_jwk(signer.public_key, KID)))
        header = {"alg": "ES256", "kid": KID, "typ": "at+jwt"}
        registry = jwt.JWTClaimsRegistry(
            now=lambda: AT,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
        )
        token = maker.sign(CLAIMS, typ="at+jwt")

        def judge() -> object:
            return verify_jwt(
                token, keys={KID: signer.public_key}, issuer=ISSUER, audience=AUDIENCE, typ="at+jwt", at=NOW
            )

        def peer_judge() -> object:
            judged = jwt.decode(token, our_key, algorithms=["ES256"])
            registry.validate(judged.claims)
            return judged.claims

        assert judge() == peer_judge() == CLAIMS
        sign, peer_sign, verify, peer_verify = cpu_microseconds(
            (
                Contender(run=lambda: maker.sign(CLAIMS, typ="at+jwt"), times=TIMES),
                Contender(run=lambda: jwt.encode(header, CLAIMS, own_key, algorithms=["ES256"]), times=TIMES),
                Contender(run=judge, times=TIMES),
                Contender(run=peer_judge, times=TIMES),
            ),
            rounds=ROUNDS,
        )
    return [_row("JWT ES256 sign", sign, peer_sign), _row("JWT ES256 verify", verify, peer_verify)]


def _row(work: str, ours: Spread, theirs: Spread) -> dict[str, object]:
    return Row(work=work, unit="µs CPU", ours=ours, peer="joserfc", theirs=theirs, reach=REACH).as_dict()
