"""Apache's mod_auth_openidc, a certified relying party, signs people in through our provider."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from idp.model import ConsentPolicy
from tests.judges.provider import NAME, PASSWORD, Provider, free_port, press, running

APACHE = shutil.which("apache2") or "/usr/sbin/apache2"
MODULES = Path("/usr/lib/apache2/modules")
CONFIGURATION = """
ServerRoot "{folder}"
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile "{folder}/apache.pid"
ErrorLog "{folder}/error.log"
DefaultRuntimeDir "{folder}"
{user}
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule alias_module {modules}/mod_alias.so
LoadModule cgi_module {modules}/mod_cgi.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
StartServers 1
MinSpareServers 1
MaxSpareServers 2
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client}
OIDCClientSecret {secret}
OIDCRedirectURI http://127.0.0.1:{port}/redirect
OIDCCryptoPassphrase a-passphrase-of-the-tests
OIDCPKCEMethod S256
OIDCScope "openid profile identity"
OIDCRemoteUserClaim sub
OIDCPassClaimsAs environment
ScriptAlias /who "{folder}/who.sh"
<Location />
  AuthType openid-connect
  Require valid-user
</Location>
"""
WHO = """#!/bin/sh
printf 'Content-Type: text/plain; charset=utf-8\\n\\n'
env | grep -E '^(OIDC_CLAIM_|REMOTE_USER)'
"""

pytestmark = pytest.mark.skipif(
    not Path(APACHE).exists() or not (MODULES / "mod_auth_openidc.so").exists(),
    reason="needs Apache with mod_auth_openidc (make judges)",
)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with running(tmp_path) as serving:
        yield serving


@pytest.fixture
def apache(provider: Provider) -> Iterator[str]:
    """Apache with its own configuration on its own port, as a client of ours; gives its address."""
    folder = Path(tempfile.mkdtemp(prefix="xinyin-apache-"))
    folder.chmod(0o755)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    client = provider.idp.registry.create_client(
        name="Apache",
        redirect_uris=[f"{address}/redirect"],
        post_logout_uris=[f"{address}/bye"],
        consent=ConsentPolicy.IMPLIED,
    )
    (folder / "who.sh").write_text(WHO)
    (folder / "who.sh").chmod(0o755)
    (folder / "httpd.conf").write_text(
        CONFIGURATION.format(
            folder=folder,
            port=port,
            # Apache started by root must be told whom to become.
            user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
            modules=MODULES,
            issuer=provider.issuer,
            client=client.client.id,
            secret=client.secret,
        )
    )
    # Apache ends its whole process group when it is ended: it gets one of its own.
    command = [APACHE, "-f", str(folder / "httpd.conf"), "-DFOREGROUND"]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        _wait_for(process, address, folder)
        yield address
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(process: subprocess.Popen[bytes], address: str, folder: Path) -> None:
    for _ in range(1200):
        try:
            httpx2.get(f"{address}/", timeout=5)
        except httpx2.TransportError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    log = folder / "error.log"
    pytest.fail("Apache did not start: " + (log.read_text() if log.exists() else "no log"))


def test_a_person_signs_in_to_apache_through_us(provider: Provider, apache: str) -> None:
    with httpx2.Client(follow_redirects=True, timeout=30) as browser:
        page = browser.get(f"{apache}/who")
        assert str(page.url).startswith(provider.issuer)
        answered = press(browser, page, "login", username="ouyang", password=PASSWORD)
        assert answered.status_code == 200, answered.text
        told = dict(line.split("=", 1) for line in answered.text.splitlines())
        person = provider.idp.registry.person("ouyang")
        assert told["OIDC_CLAIM_sub"] == person.id
        assert told["OIDC_CLAIM_name"] == NAME
        assert told["OIDC_CLAIM_identity_level"] == "1"
        assert told["OIDC_CLAIM_iss"] == provider.issuer
        assert told["REMOTE_USER"].startswith(person.id)
        # The session is Apache's now: no provider is asked again.
        assert browser.get(f"{apache}/who").text == answered.text


def test_a_person_signs_out_of_apache_and_of_us(provider: Provider, apache: str) -> None:
    with httpx2.Client(follow_redirects=True, timeout=30) as browser:
        press(browser, browser.get(f"{apache}/who"), "login", username="ouyang", password=PASSWORD)
        browser.get(f"{apache}/redirect", params={"logout": f"{apache}/bye"})
        again = browser.get(f"{apache}/who")
        assert str(again.url).startswith(provider.issuer)
        assert 'name="password"' in again.text
