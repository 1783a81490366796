"""Readers of what lies in our own folders and on licences: vault files, sealed values, identifiers, reports."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from crypto.digests import sm3
from crypto.encryption_keys import EnvelopedKey, KeyPair, envelop
from crypto.engines import default_multiplier
from crypto.fields import FieldCipher, FieldKeys, KeyVersion, Place
from crypto.kdf import derive
from crypto.keys import KeyId
from crypto.sm2 import BASE_POINT
from crypto.sm2_encryption import Sm2Ciphertext, decrypt
from crypto.suites import SM2_SM3
from crypto.vaults.header import Header, HeaderKey, KdfCost, KeyEncryptionKey, VaultKeys
from crypto.vaults.soft import SoftVault
from license_store import identifier, organisation
from license_store.identifier import NotAnIdentifier
from license_store.model import parse_public_id
from license_store.organisation import NotAnOrganisationCode
from seal.errors import PlacementRefused
from seal.model import Finding, Report, SealFacts, SignatureReport, TimeSource, Verdict
from seal.placing.model import Placement
from seal.placing.text import parse_placement, placement_text
from seal.ses import time_from_text
from seal.wire import decode_report, encode_report
from tests.fuzz.keys import FixedVault
from tests.fuzz.mutators import PLAIN
from tests.fuzz.shapes import DER, JSON, text
from tests.fuzz.target import Target

_AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
_KEK = KeyEncryptionKey(bytes(range(32)))
_MESSAGE = "只有收件人读得懂".encode()


def targets() -> Iterator[Target]:
    """Give the rows. What a vault or a cipher has sealed holds random octets: other inputs in every run."""
    yield from _vault()
    yield from _encrypted()
    yield from _texts()
    facts = SealFacts(id="1", name="章", kind=1, picture_type="png", picture=b"\x89", valid_from=_AT, valid_to=_AT)
    finding = Finding(code="SIGNATURE_INVALID", verdict=Verdict.INVALID, detail="x")
    signature = SignatureReport(
        format="ofd-ses-v4", signer="CN=1", seal=facts, time=_AT, time_source=TimeSource.CLAIMED, findings=(finding,)
    )
    reports = [
        encode_report(Report(signatures=(signature,), findings=(finding,))),
        encode_report(Report(signatures=(), findings=())),
    ]

    def same(read: Report, _: bytes) -> None:
        assert decode_report(encode_report(read)) == read

    yield Target(name="report", seeds=reports, ways=JSON, read=decode_report, refusals=(ValueError,), check=same)


def _vault() -> Iterator[Target]:
    keys = VaultKeys(current=bytes(16))
    closed = HeaderKey.fresh(_KEK, KdfCost())
    slow = HeaderKey.fresh("correct horse", KdfCost(passes=1, memory_kib=64, lanes=1))
    seeds = [closed.write(keys), closed.write(VaultKeys(current=bytes(16), next=bytes(range(16)))), slow.write(keys)]

    def header(data: bytes) -> None:
        read = Header.read(data, "here")
        if read.cost is None:  # What a passphrase costs is bounded by its own test, and is meant to be much.
            HeaderKey.of(read, _KEK, "here").open(read)

    yield Target(name="vault-header", seeds=seeds, ways=JSON, read=header)
    folder, key = vault_of(os.getpid())
    original = (folder / "keys" / f"{key}.json").read_bytes()
    public = SoftVault.open(folder, _KEK).public_key(key)

    def key_file(data: bytes) -> object:
        own, name = vault_of(os.getpid())
        (own / "keys" / f"{name}.json").write_bytes(data)
        return SoftVault.open(own, _KEK).public_key(name)

    def is_ours(read: object, _: bytes) -> None:
        assert read == public

    # The seed is of the vault this process made; those of other processes open none of it, and refuse more.
    yield Target(name="vault-key-file", seeds=[original], ways=JSON, read=key_file, check=is_ours)


@cache
def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="xinyin-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def vault_of(process: int) -> tuple[Path, KeyId]:
    """Give this process's copy of one vault, with a key: two processes do not write to one file."""
    first = _scratch() / "first"
    if not first.exists():
        SoftVault.create(first, _KEK).generate(SM2_SM3)
    own = _scratch() / str(process)
    if not own.exists():
        shutil.copytree(first, own)
    return own, SoftVault.open(own, _KEK).keys()[0]


def _encrypted() -> Iterator[Target]:
    vault = FixedVault()
    key = vault.generate(SM2_SM3)
    k, engine = sm3(b"k"), default_multiplier()
    shared = engine.multiply(vault.public_key(key).point, k)
    stream = derive(shared[1:], len(_MESSAGE))
    made = Sm2Ciphertext(
        point=engine.multiply(BASE_POINT, k),
        check=sm3(shared[1:33], _MESSAGE, shared[33:]),
        body=bytes(one ^ other for one, other in zip(_MESSAGE, stream, strict=True)),
    )

    def opened(read: object, _: bytes) -> None:
        assert read == _MESSAGE

    secret = vault.secret(key)
    yield Target(
        name="sm2-ciphertext-der",
        seeds=[made.der()],
        ways=DER,
        read=lambda data: decrypt(secret, Sm2Ciphertext.from_der(data)),
        check=opened,
    )
    yield Target(
        name="sm2-ciphertext",
        seeds=[made.raw()],
        ways=PLAIN,
        read=lambda data: decrypt(secret, Sm2Ciphertext.from_raw(data)),
        check=opened,
    )
    pair = KeyPair(scalar=bytes(range(32)), point=vault.public_key(key).point)
    envelope = envelop(vault.public_key(key).point, pair, bytes(16))

    def pair_of(read: KeyPair, _: bytes) -> None:
        assert len(read.scalar) == len(pair.scalar)

    yield Target(
        name="key-envelope",
        seeds=[envelope.der()],
        ways=DER,
        read=lambda data: EnvelopedKey.from_der(data).open(secret),
        check=pair_of,
    )
    version = KeyVersion(3)
    cipher = FieldCipher(FieldKeys(active=version, secrets={version: bytes(range(32))}))
    place = Place(table="people", row="1", field="name")
    seeds = [cipher.seal(place, _MESSAGE)]
    yield Target(name="sealed-field", seeds=seeds, ways=PLAIN, read=lambda data: cipher.open(place, data), check=opened)


def _texts() -> Iterator[Target]:
    made = [
        identifier.make(type_code="11100000MB0307864A001", issuer="11440300MB2C92173P", serial=serial, version=1)
        for serial in ("1", "2026A0001", "9" * 64)
    ]

    def as_written(read: object, data: bytes) -> None:
        assert str(read).encode() == data

    yield Target(
        name="license-identifier",
        seeds=[str(each).encode() for each in made],
        ways=text(b"1.2.156.3005.2", b"001", b"A"),
        read=lambda data: identifier.parse(data.decode("utf-8", "surrogateescape")),
        refusals=(NotAnIdentifier,),
        check=as_written,
    )
    yield Target(
        name="organisation-code",
        seeds=[b"11440300999999999D", b"91440300MA9999999F"],
        ways=text(b"0", b"I", "Ａ".encode()),
        read=lambda data: organisation.parse(data.decode("utf-8", "surrogateescape")),
        refusals=(NotAnOrganisationCode,),
        check=as_written,
    )
    addresses = [b"HTTPS://V.EXAMPLE/V/" + b"ABCDEFGHIJKLMNOPQRSTUVWX27", b"abcdefghijklmnopqrstuvwx27"]

    def scanned(data: bytes) -> object:
        return parse_public_id(data.decode("utf-8", "surrogateescape").rpartition("/")[2])

    def is_plain(read: str | None, _: bytes) -> None:
        assert read is None or (read.isascii() and read.isalnum() and len(read) == 26)

    yield Target(
        name="scanned-code",
        seeds=addresses,
        ways=text(b"/V/", b"%2e", "ſ".encode(), b"K"),
        read=scanned,
        check=is_plain,
    )
    places = [
        b"point;x=120;y=230;pages=-1",
        b"corner:bottom-right;dx=20;dy=25",
        b"facing;share=0.5;along=100;pages=all",
    ]
    places += ["keyword:盖章处;pick=1;dx=0;dy=-5".encode(), b"straddle:right;margin=0;along=100;most=20;pages=1-20"]

    def written_again(read: Placement, _: bytes) -> None:
        assert parse_placement(placement_text(read)) == read

    yield Target(
        name="placement",
        seeds=places,
        ways=text(b"=", b";", b"-", b"pages=1-9999999999", b"1e400", b"nan", b"%00", b"%ED%A0%80", b","),
        read=lambda data: parse_placement(data.decode("utf-8", "surrogateescape")),
        refusals=(PlacementRefused,),
        check=written_again,
    )
    times = [b"2020-04-22 16:22:44", b"20201004072855.302Z", b"2020-08-17T11:13:29+08:00"]
    yield Target(
        name="written-time",
        seeds=times,
        ways=text(b"Z", b"+24:00", b"-99:99", b"0000", b"."),
        read=lambda data: time_from_text(data.decode("utf-8", "surrogateescape")),
    )
