"""A gateway that knows no access tokens: sends requests signed with an app key (HMAC-SM3).

Only Python's standard library (with OpenSSL 3, for SM3), so that it can be copied into any system.

    python gateway.py GET /api/licenses/v1/types
    python gateway.py POST '/api/seals/v1/seals/99010000000001/sealings?case_number=YJ-317' --body approval.pdf \
        --type application/pdf --accept application/pdf --idempotency-key YJ-317 --out sealed.pdf

Where the service is and who calls come from XINYIN_SERVICE, XINYIN_APP_KEY and XINYIN_APP_SECRET. If the service is
reached at another address than the public one that it knows itself by, XINYIN_HOST names the public one's host.
"""

import argparse
import hashlib
import hmac
import os
import secrets
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

TIMEOUT_SECONDS = 60
SCHEME = "XINYIN-HMAC-SM3"


@dataclass(frozen=True)
class Gateway:
    """Signs and sends requests as one client."""

    service: str
    app_key: str
    secret: str = field(repr=False)
    host: str = ""

    def headers(  # noqa: PLR0913 - what is signed
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        content_type: str = "",
        idempotency_key: str = "",
        timestamp: str = "",
        nonce: str = "",
    ) -> dict[str, str]:
        """Give the headers of one request; ``target`` is path and query exactly as they are sent.

        Sign anew for every request, a repeated one too: time and nonce are good once.
        """
        timestamp = timestamp or str(int(time.time()))
        nonce = nonce or secrets.token_hex(16)
        digest = hashlib.new("sm3", body).hexdigest()
        path, _, query = target.partition("?")
        text = "\n".join(
            (
                SCHEME,
                method,
                (self.host or urlsplit(self.service).netloc).lower(),
                path,
                "&".join(sorted(query.split("&"))),
                content_type,
                idempotency_key,
                self.app_key,
                timestamp,
                nonce,
                digest,
            )
        )
        signed = {
            "X-App-Key": self.app_key,
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Content-SM3": digest,
            "X-Signature": hmac.new(self.secret.encode(), text.encode(), "sm3").hexdigest(),
            "Content-Type": content_type,
            "Idempotency-Key": idempotency_key,
        }
        return {name: value for name, value in signed.items() if value}

    def send(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        content_type: str = "",
        idempotency_key: str = "",
        accept: str = "application/json",
    ) -> tuple[int, bytes]:
        """Send one request; give status and body of the answer."""
        # urllib would name a type of its own for a body without one, and that is signed, too.
        content_type = content_type or ("application/octet-stream" if body else "")
        headers = self.headers(method, target, body=body, content_type=content_type, idempotency_key=idempotency_key)
        request = Request(  # noqa: S310 - our service
            self.service + target, data=body or None, headers={**headers, "Accept": accept}, method=method
        )
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=TIMEOUT_SECONDS) as answer:
                return answer.status, bytes(answer.read())
        except HTTPError as error:
            with error:
                return error.code, bytes(error.read())


def main() -> int:
    """Send one request and give the answer; 1 if the service refused."""
    parser = argparse.ArgumentParser(description="Sends one request signed with an app key.")
    parser.add_argument("method", choices=("GET", "POST", "DELETE"))
    parser.add_argument("target", help="path and query, as they are sent")
    parser.add_argument("--body", type=Path)
    parser.add_argument("--type", default="")
    parser.add_argument("--accept", default="application/json")
    parser.add_argument("--idempotency-key", default="")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    try:
        gateway = Gateway(
            service=os.environ["XINYIN_SERVICE"].rstrip("/"),
            app_key=os.environ["XINYIN_APP_KEY"],
            secret=os.environ["XINYIN_APP_SECRET"],
            host=os.environ.get("XINYIN_HOST", ""),
        )
    except KeyError as missing:
        print(f"{missing.args[0]} is not set", file=sys.stderr)
        return 64
    status, answer = gateway.send(
        given.method,
        given.target,
        body=given.body.read_bytes() if given.body else b"",
        content_type=given.type,
        idempotency_key=given.idempotency_key,
        accept=given.accept,
    )
    refused = not 200 <= status < 300
    if given.out and not refused:
        given.out.write_bytes(answer)
    else:
        (sys.stderr if refused else sys.stdout).buffer.write(answer + b"\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
