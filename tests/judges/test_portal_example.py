"""The demonstration portal, a process of its own that shares no code with the provider, signs people in."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.judges.provider import NAME, PASSWORD, Provider, free_port, press, running

PORTAL = Path(__file__).resolve().parents[2] / "examples" / "portal" / "portal.py"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with running(tmp_path_factory.mktemp("provider")) as serving:
        yield serving


@pytest.fixture(scope="module")
def portal(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The portal's address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    client = provider.idp.registry.create_client(
        name="鹏城办事大厅", redirect_uris=[f"{address}/callback"], post_logout_uris=[f"{address}/bye"]
    )
    secret = tmp_path_factory.mktemp("portal") / "secret.txt"
    secret.write_text(client.secret or "")
    command = [sys.executable, str(PORTAL), "--issuer", provider.issuer, "--client-id", client.client.id]
    process = subprocess.Popen([*command, "--secret-file", str(secret), "--port", str(port)])
    try:
        for _ in range(1200):
            try:
                httpx2.get(address, timeout=5)
            except httpx2.TransportError:
                assert process.poll() is None, "the portal did not start"
                time.sleep(0.05)
            else:
                break
        yield address
    finally:
        process.terminate()
        process.wait(20)


def test_a_person_signs_in_to_the_portal_and_out_of_both(provider: Provider, portal: str) -> None:
    with httpx2.Client(follow_redirects=True, timeout=30) as browser:
        assert "统一身份认证登录" in browser.get(portal).text
        page = press(browser, browser.get(f"{portal}/login"), "login", username="ouyang", password=PASSWORD)
        page = press(browser, page, "allow")
        assert str(page.url) == f"{portal}/me"
        assert NAME in page.text
        assert "一级 · 自行填报" in page.text
        page = browser.post(f"{portal}/logout")
        assert str(page.url) == f"{portal}/bye"
        again = browser.get(f"{portal}/login")
        assert str(again.url).startswith(provider.issuer)
        assert 'name="password"' in again.text


def test_a_person_who_declines_is_told_so_by_the_portal(portal: str) -> None:
    with httpx2.Client(follow_redirects=True, timeout=30) as browser:
        page = press(browser, browser.get(f"{portal}/login"), "cancel")
        assert "您取消了登录" in page.text


@pytest.mark.parametrize("query", ["code=x&state=y", "code=x", "error=access_denied", "code=x&state=y&iss=evil"])
def test_an_answer_that_nobody_asked_for_signs_nobody_in(portal: str, query: str) -> None:
    with httpx2.Client(follow_redirects=True, timeout=30) as browser:
        browser.get(f"{portal}/login")
        page = browser.get(f"{portal}/callback?{query}")
        assert page.status_code == 400
        assert str(browser.get(f"{portal}/me").url) == f"{portal}/"
