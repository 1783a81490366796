"""A trust folder that is changed while it is in use: by halves, in place, and by damage."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.errors import CertificateError
from seal.pki.ledger import Ledger
from seal.trust import OwnLedgers, OwnWord, TrustFolder
from seal.trust.model import read_certificates
from tests.seal.trust.making import AT, DAY, NOW, World, as_of, codes, gone, judged


class Watch:
    """Time that passes when told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    for name in ("crls", "intermediates"):
        (tmp_path / name).mkdir()
    (tmp_path / "root.pem").write_text(world.root.certificate.pem())
    (tmp_path / "intermediates" / "ca.pem").write_text(world.ca.certificate.pem())
    (tmp_path / "crls" / "root.crl").write_bytes(world.root_list.raw)
    return tmp_path


@pytest.fixture
def watch() -> Watch:
    return Watch()


def write_over(path: Path, octets: bytes) -> None:
    """Change a file without a trace on its folder."""
    before = path.parent.stat()
    path.write_bytes(octets)
    os.utime(path.parent, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_list_written_over_in_place_is_seen_soon(world: World, folder: Path, watch: Watch) -> None:
    (folder / "crls" / "ca.crl").write_bytes(world.listed().raw)
    source = TrustFolder(folder, monotonic=watch)
    assert judged(world.signer, as_of(source(), NOW)) == ()
    watch.now += 60
    write_over(folder / "crls" / "ca.crl", world.listed(gone(world.signer, AT - DAY), number=2).raw)
    assert codes(judged(world.signer, as_of(source(), NOW))) == [("SIGNER_CERT_REVOKED", "invalid")]


@pytest.mark.parametrize("octets", [b"", b"-----BEGIN X509 CRL-----", b"-----BEGIN X509 CRL-----\nMIIB", b"0"])
def test_half_a_list_is_named_and_the_whole_one_is_seen_when_it_is_there(
    world: World, folder: Path, watch: Watch, octets: bytes
) -> None:
    source = TrustFolder(folder, monotonic=watch)
    (folder / "crls" / "ca.crl").write_bytes(octets)
    assert "ca.crl" in source().facts.unread[0]
    watch.now += 60
    write_over(folder / "crls" / "ca.crl", world.listed().raw)
    assert (judged(world.signer, as_of(source(), NOW)), source().facts.unread) == ((), ())


def test_half_a_certificate_file_takes_no_trust_away_and_the_whole_one_counts_when_it_is_there(
    world: World, folder: Path, watch: Watch
) -> None:
    both = (world.root.certificate.pem() + world.impostor.certificate.pem()).encode()
    (folder / "root.pem").write_bytes(both)
    source = TrustFolder(folder, monotonic=watch)
    before = source().anchors
    assert len(before) == 2
    watch.now += 60
    (folder / "root.pem").unlink()
    (folder / "root.pem").write_bytes(both[: len(both) * 3 // 4])
    assert source().anchors == before
    watch.now += 0.5
    write_over(folder / "root.pem", world.root.certificate.pem().encode())
    assert source().anchors == (world.root.certificate,)


def test_reading_that_failed_is_tried_again_though_nothing_changes(world: World, folder: Path, watch: Watch) -> None:
    class Ledgers(OwnLedgers):
        away = False

        def words(self) -> Iterator[OwnWord]:
            if self.away:
                raise OSError("the share is away")
            return super().words()

    own = Ledgers(folder / "ca")
    source = TrustFolder(folder, own=own, monotonic=watch)
    watch.now += 60
    own.away = True
    (folder / "impostor.pem").write_text(world.impostor.certificate.pem())
    assert source().anchors == (world.root.certificate,)
    own.away = False
    watch.now += 60
    assert len(source().anchors) == 2


def test_a_damaged_revocation_of_our_own_leaves_what_was_known_and_raises_at_the_start(
    world: World, folder: Path, watch: Watch
) -> None:
    ledger = Ledger.create(folder / "ca" / "p256", suite="ES256", key="none")
    ledger.install((world.ca.certificate, world.root.certificate))
    ledger.revoke(gone(world.signer, AT - DAY), by="operator", why="lost")
    source = TrustFolder(folder, own=OwnLedgers(folder / "ca"), monotonic=watch)
    (file,) = (folder / "ca" / "p256" / "revoked").iterdir()
    watch.now += 60
    for octets in (b"", b"{", b"{}", b"[]", b'{"at": "soon", "reason": "SUPERSEDED", "invalid_since": null}'):
        file.unlink()
        file.write_bytes(octets)
        assert codes(judged(world.signer, as_of(source(), NOW))) == [("SIGNER_CERT_REVOKED", "invalid")]
        with pytest.raises(CertificateError, match="revocation"):
            TrustFolder(folder, own=OwnLedgers(folder / "ca"))


def test_links_pipes_and_what_may_not_be_read_hold_nothing_up(world: World, folder: Path) -> None:
    os.mkfifo(folder / "pipe.pem")
    os.mkfifo(folder / "crls" / "pipe.crl")
    (folder / "nowhere.pem").symlink_to(folder / "none")
    (folder / "loop.pem").symlink_to(folder / "loop.pem")
    (folder / "crls" / "loop.crl").symlink_to(folder / "crls" / "loop.crl")
    (folder / "folder.pem").mkdir()
    with (folder / "crls" / "huge.crl").open("wb") as huge:
        huge.truncate(1 << 40)
    trust = TrustFolder(folder)()
    assert trust.anchors == (world.root.certificate,)
    assert [why[:8] for why in trust.facts.unread] == ["huge.crl"]


def test_an_endless_certificate_file_is_refused_at_no_cost(folder: Path) -> None:
    with pytest.raises(CertificateError, match="more than 4194304 octets"):
        read_certificates(Path("/dev/zero"))
    with (folder / "huge.pem").open("wb") as huge:
        huge.truncate(1 << 40)
    with pytest.raises(CertificateError, match=r"huge\.pem"):
        TrustFolder(folder)
