"""`xinyin seal --level` and `xinyin renew`: with authorities of our own, all a document needs is in it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from admin.build import services
from crypto.timestamp_exchange import RESPONSE_TYPE
from tests.admin.conftest import Town, Xinyin

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "samples" / "approval.pdf"


@pytest.fixture
def stamped(town: Town) -> Iterator[dict[str, object]]:
    """Settings with the town's own time-stamp authorities, which answer."""
    passphrase = SecretStr(str(town.given["vault_passphrase"]))
    with services(town.settings.model_copy(update={"vault_passphrase": passphrase})) as service:
        found = {kind: service.authorities.stamper(kind) for kind in ("sm2", "p256")}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                body = found[self.path.rpartition("/")[2]].answer(asked)
                self.send_response(200)
                self.send_header("Content-Type", RESPONSE_TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        at = f"http://127.0.0.1:{server.server_address[1]}/tsa"
        yield {**town.given, "tsa": f"{at}/sm2", "tsa_p256": f"{at}/p256"}
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_is_sealed_to_last_is_renewed(
    xinyin: Xinyin, town: Town, stamped: dict[str, object], tmp_path: Path
) -> None:
    sealed, renewed = tmp_path / "sealed.pdf", tmp_path / "sealed-renewed.pdf"
    options = ["--format", "pdf-pades-p256", "--level", "b-lta"]
    done = xinyin("seal", SAMPLE, "--seal", town.world.seal, "--out", sealed, *options, **stamped)
    assert done.code == 0, done.err
    done = xinyin("renew", sealed, **stamped)
    assert done.code == 0, done.err
    assert renewed.read_bytes().startswith(sealed.read_bytes())
    answers = [json.loads(line) for line in xinyin("verify", "--json", sealed, renewed, **town.given).out.splitlines()]
    assert [answer["verdict"] for answer in answers] == ["valid", "valid"]
    told = [[one["level"] for one in answer["signatures"]] for answer in answers]
    assert told == [["b-lta", None], ["b-lta", None, None]]
    # What is there is not written over.
    assert xinyin("renew", sealed, **stamped).code == 64
