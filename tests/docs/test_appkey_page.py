"""The signing programs on the page about app keys, run on the vectors: what is pasted from there signs rightly."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "tests/vectors/appkey_v1.json").read_text("utf-8"))
CASES: list[dict[str, str]] = VECTORS["cases"]
KEY, SECRET = VECTORS["app_key"], VECTORS["secret"]
BOUNCY_CASTLE = Path("/usr/share/java/bcprov.jar")


def program(language: str) -> str:
    found = re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / "docs/appkey.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(found) == 1
    return str(found[0])


def run(*command: str | Path, **more: Any) -> str:
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=120, **more)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def expected(case: dict[str, str]) -> dict[str, str]:
    told = {
        "X-App-Key": KEY,
        "X-Timestamp": case["timestamp"],
        "X-Nonce": case["nonce"],
        "X-Content-SM3": case["content_sm3"],
        "X-Signature": case["signature"],
        "Content-Type": case["content_type"],
        "Idempotency-Key": case["idempotency_key"],
    }
    return {name: value for name, value in told.items() if value}


def needs(tool: str) -> str:
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"no {tool} here")
    return found


def test_python() -> None:
    made: dict[str, Any] = {}
    exec(program("python"), made)  # noqa: S102 - our own page
    for case in CASES:
        headers = made["signed_headers"](
            KEY,
            SECRET,
            case["method"],
            case["url"],
            case["body"].encode(),
            case["content_type"],
            case["idempotency_key"],
            case["timestamp"],
            case["nonce"],
        )
        assert headers == expected(case)
    fresh = [made["signed_headers"](KEY, SECRET, "GET", "https://h/a") for _ in range(2)]
    assert fresh[0]["X-Nonce"] != fresh[1]["X-Nonce"]


def test_node(tmp_path: Path) -> None:
    node = needs("node")
    given = [
        {
            "appKey": KEY,
            "secret": SECRET,
            "method": case["method"],
            "url": case["url"],
            "body": case["body"],
            "contentType": case["content_type"],
            "idempotencyKey": case["idempotency_key"],
            "timestamp": case["timestamp"],
            "nonce": case["nonce"],
        }
        for case in CASES
    ]
    script = tmp_path / "sign.cjs"
    script.write_text(
        f"{program('javascript')}\nconsole.log(JSON.stringify({json.dumps(given)}.map(signedHeaders)));\n"
    )
    assert json.loads(run(node, script)) == [expected(case) for case in CASES]


def test_curl_and_openssl(tmp_path: Path) -> None:
    shell, _ = needs("bash"), needs("openssl")
    body, script = tmp_path / "body", tmp_path / "sign.sh"
    # In curl's place something that tells what it was given.
    script.write_text(f'curl() {{ printf "%s\\n" "$@"; }}\n{program("bash")}')
    for case in CASES:
        at = urlsplit(case["url"])
        body.write_bytes(case["body"].encode())
        given = {
            "METHOD": case["method"],
            "SERVICE": f"{at.scheme}://{at.netloc.lower()}",
            "TARGET": at.path,
            "QUERY": at.query,
            "BODY": str(body) if case["body"] else "/dev/null",
            "TYPE": case["content_type"],
            "IDEMPOTENCY_KEY": case["idempotency_key"],
            "APP_KEY": KEY,
            "APP_SECRET": SECRET,
            "TIMESTAMP": case["timestamp"],
            "NONCE": case["nonce"],
        }
        told = run(shell, script, env={"PATH": os.environ["PATH"], **given}).splitlines()
        headers = dict(re.split(r": ?", told[place + 1], maxsplit=1) for place, word in enumerate(told) if word == "-H")
        assert {name: value for name, value in headers.items() if value} == expected(case)
        assert ("--data-binary" in told) is bool(case["body"])
        assert told[-1] == case["url"].replace(at.netloc, at.netloc.lower())


def test_java(tmp_path: Path) -> None:
    java = needs("java")
    if not BOUNCY_CASTLE.exists():
        pytest.skip("no Bouncy Castle here")
    main = """
  public static void main(String[] given) {
    for (int i = 0; i + 7 <= given.length; i += 7)
      System.out.println(signedHeaders(System.getenv("KEY"), System.getenv("SECRET"), given[i], given[i + 1],
          given[i + 2].getBytes(StandardCharsets.UTF_8), given[i + 3], given[i + 4], given[i + 5], given[i + 6])
          .get("X-Signature"));
  }
}"""
    source = tmp_path / "Signing.java"
    source.write_text(program("java").rstrip().removesuffix("}") + main)
    names = ("method", "url", "body", "content_type", "idempotency_key", "timestamp", "nonce")
    # Arguments in one encoding whatever the locale: bodies beyond ASCII are left to the others.
    cases = [case for case in CASES if case["body"].isascii()]
    given = [case[name] for case in cases for name in names]
    environment = {"PATH": os.environ["PATH"], "KEY": KEY, "SECRET": SECRET}
    told = run(java, "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", BOUNCY_CASTLE, source, *given, env=environment)
    assert told.split() == [case["signature"] for case in cases]
