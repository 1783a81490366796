"""A department's back office: seals approval results, issues and revokes licences, verifies files.

Only Python's standard library, so that it can be copied into any system and read in one sitting.

    python department.py seal approval.pdf --seal 99010000000001 --out sealed.pdf
    python department.py verify sealed.pdf
    python department.py issue licence.json --seal 99010000000001 --out licence.pdf
    python department.py revoke PUBLIC_ID --basis "…" --reason "…"

Where the service is and who calls come from XINYIN_SERVICE, XINYIN_CLIENT_ID and XINYIN_CLIENT_SECRET.
"""

import argparse
import base64
import json
import os
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

TIMEOUT_SECONDS = 60
MEDIA_TYPES = {".pdf": "application/pdf", ".ofd": "application/ofd"}


class Refused(Exception):
    """The service said no; ``code`` is stable, the text is for people."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.code = str(problem.get("code") or problem.get("error") or "unknown")
        super().__init__(f"{status} {self.code}: {problem.get('detail') or problem.get('error_description') or ''}")


@dataclass(frozen=True)
class Department:
    """Talks to the service as one registered client (OAuth 2.0 client credentials)."""

    service: str
    client_id: str
    client_secret: str = field(repr=False)

    def token(self, scope: str) -> str:
        """Get an access token for exactly what is about to be done."""
        name_and_secret = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
        answer = self._call(
            "POST",
            "/oauth2/token",
            urlencode({"grant_type": "client_credentials", "scope": scope}).encode(),
            {
                "Authorization": "Basic " + base64.b64encode(name_and_secret.encode()).decode(),
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        return str(json.loads(answer)["access_token"])

    def seal(self, document: bytes, media_type: str, *, seal: str, **options: object) -> bytes:
        """Seal a document that exists already; give the sealed one."""
        query = urlencode({name: value for name, value in options.items() if value is not None})
        return self._call(
            "POST",
            f"/api/seals/v1/seals/{seal}/sealings?{query}",
            document,
            {
                "Authorization": f"Bearer {self.token(f'seal.use:{seal}')}",
                "Content-Type": media_type,
                "Accept": media_type,
                # The same key again after a broken connection gives the same sealing, never a second one.
                "Idempotency-Key": str(uuid.uuid4()),
            },
        )

    def verify(self, document: bytes, media_type: str) -> dict[str, Any]:
        """Ask for the verdict on a file; needs no token."""
        report = self._call("POST", "/api/verify/v1/files", document, {"Content-Type": media_type})
        return dict(json.loads(report))

    def issue(self, licence: dict[str, Any], *, seal: str) -> dict[str, Any]:
        """Issue a licence; give its public id, identifier and address."""
        token = self.token(f"license.issue:* seal.use:{seal}")
        answer = self._call(
            "POST",
            "/api/licenses/v1/licenses",
            json.dumps({**licence, "seal": seal}).encode(),
            {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Idempotency-Key": str(uuid.uuid4()),
            },
        )
        return dict(json.loads(answer))

    def licence_document(self, public_id: str) -> bytes:
        """Get the sealed document of a licence."""
        token = self.token("license.read:*")
        return self._call(
            "GET", f"/api/licenses/v1/licenses/{public_id}/document", None, {"Authorization": f"Bearer {token}"}
        )

    def revoke(self, public_id: str, *, legal_basis: str, reason: str) -> dict[str, Any]:
        """Revoke a licence by law."""
        token = self.token("license.revoke:*")
        answer = self._call(
            "POST",
            f"/api/licenses/v1/licenses/{public_id}/revocation",
            json.dumps({"legal_basis": legal_basis, "reason": reason}).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        return dict(json.loads(answer))

    def _call(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        request = Request(self.service + path, data=body, headers=headers, method=method)  # noqa: S310 - our service
        try:
            # No proxy: the service is inside the department's own network.
            with build_opener(ProxyHandler({})).open(request, timeout=TIMEOUT_SECONDS) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            with error:
                text = error.read()
            try:
                problem = json.loads(text)
            except ValueError:
                problem = {}
            raise Refused(error.code, problem) from None


def _media_type(file: Path) -> str:
    return MEDIA_TYPES.get(file.suffix.lower(), "application/octet-stream")


def _run(department: Department, given: argparse.Namespace) -> dict[str, Any]:
    if given.verb == "seal":
        sealed = department.seal(
            given.file.read_bytes(),
            _media_type(given.file),
            seal=given.seal,
            page=given.page,
            x_mm=given.x_mm,
            y_mm=given.y_mm,
            placement=given.placement,
            format=given.format,
            also=given.also,
            reason=given.reason,
            case_number=given.case,
        )
        given.out.write_bytes(sealed)
        return {"file": str(given.out), "octets": len(sealed)}
    if given.verb == "verify":
        return department.verify(given.file.read_bytes(), _media_type(given.file))
    if given.verb == "issue":
        licence = department.issue(json.loads(given.file.read_text("utf-8")), seal=given.seal)
        given.out.write_bytes(department.licence_document(licence["id"]))
        return licence
    return department.revoke(given.public_id, legal_basis=given.basis, reason=given.reason)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A department's back office on the service's API.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    seal = verbs.add_parser("seal", help="seal a PDF or OFD")
    seal.add_argument("--page", type=int)
    seal.add_argument("--x-mm", type=float)
    seal.add_argument("--y-mm", type=float)
    seal.add_argument("--placement", help="such as keyword:盖章;pick=1 or straddle:right")
    seal.add_argument("--format")
    seal.add_argument("--also", help="a second signature, for readers that know no SM2: pdf-pades-p256")
    seal.add_argument("--reason")
    seal.add_argument("--case")
    verify = verbs.add_parser("verify", help="ask for the verdict on a file")
    issue = verbs.add_parser("issue", help="issue a licence from a JSON file")
    for verb in (seal, verify, issue):
        verb.add_argument("file", type=Path)
    for verb in (seal, issue):
        verb.add_argument("--seal", required=True)
        verb.add_argument("--out", type=Path, required=True)
    revoke = verbs.add_parser("revoke", help="revoke a licence")
    revoke.add_argument("public_id")
    revoke.add_argument("--basis", required=True)
    revoke.add_argument("--reason", required=True)
    return parser.parse_args()


def main() -> int:
    """Do one thing and print what came of it as JSON; 1 if the service refused."""
    given = _arguments()
    try:
        department = Department(
            service=os.environ["XINYIN_SERVICE"].rstrip("/"),
            client_id=os.environ["XINYIN_CLIENT_ID"],
            client_secret=os.environ["XINYIN_CLIENT_SECRET"],
        )
    except KeyError as missing:
        print(f"{missing.args[0]} is not set", file=sys.stderr)
        return 64
    try:
        print(json.dumps(_run(department, given), ensure_ascii=False))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
