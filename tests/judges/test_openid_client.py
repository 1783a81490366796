"""openid-client, the certified JavaScript relying party, signs a person in through our provider."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.judges.provider import NAME, PASSWORD, running

HERE = Path(__file__).resolve().parent / "node"
CACHE = HERE.parents[2] / ".cache" / "openid-client"


@pytest.fixture(scope="session")
def installed() -> Path:
    """The pinned packages of ``node/package-lock.json``, fetched once into the cache."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("needs Node and npm (make judges)")
    lock = (HERE / "package-lock.json").read_bytes()
    kept = CACHE / "package-lock.json"
    if kept.exists() and kept.read_bytes() == lock and (CACHE / "node_modules" / "openid-client").is_dir():
        return CACHE
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        (CACHE / name).write_bytes((HERE / name).read_bytes())
    fetch = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    fetched = subprocess.run(fetch, cwd=CACHE, capture_output=True, timeout=180, check=False)
    if fetched.returncode != 0:
        shutil.rmtree(CACHE, ignore_errors=True)
        pytest.skip("openid-client could not be fetched by npm")
    return CACHE


def test_openid_client_accepts_everything_we_say(installed: Path, tmp_path: Path) -> None:
    with running(tmp_path) as provider:
        callback = "http://127.0.0.1:9/callback"
        client = provider.idp.registry.create_client(name="openid-client", redirect_uris=[callback])
        arguments = [provider.issuer, client.client.id, client.secret or "", callback, "ouyang", PASSWORD]
        judged = subprocess.run(
            ["node", str(HERE / "login.mjs"), *arguments],
            cwd=installed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert judged.returncode == 0, judged.stderr
        told = json.loads(judged.stdout)
        person = provider.idp.registry.person("ouyang")
    assert told["claims"]["sub"] == told["info"]["sub"] == person.id
    assert told["info"]["name"] == NAME
    assert told["claims"]["acr"] == "urn:xinyin:acr:ial1"
    assert told["scope"] == "openid profile identity"
    assert told["replay"] == "invalid_grant"
    assert told["out"] is True
