"""`xinyin trust`, and `xinyin verify` with facts about revocation in a folder."""

import json
from pathlib import Path

import sqlalchemy as sa

from admin.build import services
from crypto.suites import ES256
from kernel.audit import entries
from kernel.clock import SystemClock
from seal.formats.pdf import PDF_PADES
from seal.model import Credential, Mark
from seal.placing import AtPoint
from tests.admin.conftest import Town, Xinyin
from tests.seal.pdf.making import make_picture, render
from tests.seal.trust.making import AT, DAY, World, gone
from tests.sims.facts import FactsSimulator, Mood

Settled = dict[str, object]


def settings(town: Town) -> Settled:
    given = town.settings
    return {
        "home": given.home,
        "database_url": given.database_url,
        "vault_passphrase": given.vault_passphrase.get_secret_value(),
        "trust_hosts": "127.0.0.1",
    }


def actions(town: Town) -> list[str]:
    with services(town.settings) as service, service.database.read() as conn:
        assert service.audit.verify(conn).holds
        return [each for each in conn.execute(sa.select(entries.c.action)).scalars() if each.startswith("trust.")]


def test_what_is_added_is_trusted_and_listed_until_it_is_removed(town: Town, xinyin: Xinyin, tmp_path: Path) -> None:
    world, given = World(), settings(town)
    both = tmp_path / "both.pem"
    both.write_text(world.root.certificate.pem() + world.signer.certificate.pem())
    (tmp_path / "ca.pem").write_text(world.ca.certificate.pem())
    assert xinyin("trust", "add", both, **given).code == 0
    assert xinyin("trust", "add", tmp_path / "ca.pem", "--intermediate", **given).code == 0
    assert xinyin("trust", "add", both, **given).out.count("is there already") == 2
    listed = xinyin("trust", "list", **given).out
    fingerprint = world.root.certificate.fingerprint
    assert f"anchor        {fingerprint[:16]}" in listed
    assert f"intermediate  {world.ca.certificate.fingerprint[:16]}" in listed

    assert xinyin("trust", "remove", fingerprint[:4], **given).code == 64
    assert xinyin("trust", "remove", "0" * 16, **given).code == 64
    assert xinyin("trust", "remove", fingerprint[:16], **given).code == 0
    listed = xinyin("trust", "list", **given).out
    assert fingerprint[:16] not in listed
    assert world.signer.certificate.fingerprint[:16] in listed
    assert actions(town) == ["trust.added"] * 3 + ["trust.removed"]


def test_facts_are_fetched_on_command_and_kept_with_an_entry(town: Town, xinyin: Xinyin, tmp_path: Path) -> None:
    given = settings(town)
    with FactsSimulator(SystemClock().now) as place:
        world = World(origin=place.origin)
        place.serves(world.impostor, ca=world.ca, root=world.root)
        for holder, more in ((world.root, ()), (world.ca, ("--intermediate",)), (world.signer, ())):
            (tmp_path / "one.pem").write_text(holder.certificate.pem())
            assert xinyin("trust", "add", tmp_path / "one.pem", *more, **given).code == 0
        done = xinyin("trust", "refresh", **given)
        assert done.code == 0, done.out
        assert "entries" in done.out
        assert "list          1 of" in xinyin("trust", "list", **given).out
        assert "nothing to fetch" in xinyin("trust", "refresh", "--due", **given).out
        place.mood = Mood.ERROR_500
        failed = xinyin("trust", "refresh", **given)
    assert failed.code == 1
    assert "http: status 500" in failed.out
    assert actions(town).count("trust.fact_stored") == 2


def test_a_list_brought_by_hand_is_kept_or_refused(town: Town, xinyin: Xinyin, tmp_path: Path) -> None:
    world, given = World(), settings(town)
    (tmp_path / "ca.pem").write_text(world.ca.certificate.pem())
    (tmp_path / "ca.crl").write_bytes(world.listed(since=AT).raw)
    refused = xinyin("trust", "add", tmp_path / "ca.crl", **given)
    assert (refused.code, "no authority" in refused.out) == (1, True)
    xinyin("trust", "add", tmp_path / "ca.pem", "--intermediate", **given)
    early = xinyin("trust", "add", tmp_path / "ca.crl", **given)
    assert early.code == 0, early.out


def test_verify_reads_facts_from_the_folder_and_judges_past_times_by_them(xinyin: Xinyin, tmp_path: Path) -> None:
    world = World()
    credential = Credential(certificate=world.signer.certificate, chain=(world.ca.certificate,), suite=ES256)
    mark = Mark(seal_name="章", picture=make_picture(), placement=AtPoint.on(1, x_mm=20, y_mm=20))
    signed_at = AT - 20 * DAY
    sealed = PDF_PADES.prepare(render(), mark, credential, signed_at).apply(world.signer.signer.sign)
    (tmp_path / "sealed.pdf").write_bytes(sealed)
    folder = tmp_path / "anchors"
    folder.mkdir()
    (folder / "root.pem").write_text(world.root.certificate.pem())

    def verdict(*more: str) -> tuple[int, list[str]]:
        done = xinyin("verify", tmp_path / "sealed.pdf", "--anchors", folder, "--json", *more)
        (signature,) = json.loads(done.out)["signatures"]
        return done.code, [each["code"] for each in signature["findings"]]

    assert verdict() == (2, ["REVOCATION_UNKNOWN", "REVOCATION_UNKNOWN", "TIME_NOT_PROVED"])
    (folder / "root.crl").write_bytes(world.listed(issuer=world.root, since=AT - DAY).raw)
    (folder / "crls").mkdir()
    entry = gone(world.signer, AT - 10 * DAY)
    (folder / "crls" / "ca.crl").write_bytes(world.listed(entry, since=AT - DAY).raw)
    assert verdict() == (0, ["REVOKED_SINCE", "TIME_NOT_PROVED"])
    later = (AT - 5 * DAY).isoformat()
    assert verdict("--at", later) == (1, ["SIGNER_CERT_REVOKED"])
