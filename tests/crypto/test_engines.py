"""What every SM2 engine does: one suite for all doors and all libraries found here."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import sm2
from crypto.engines import (
    DOORS,
    Door,
    Sm2Engine,
    Sm2Multiplier,
    default_engine,
    default_multiplier,
    discover,
    known_answer,
    settle_engine,
)
from crypto.engines.botan import open_engine
from crypto.engines.libcrypto import LibcryptoEngine
from crypto.errors import EngineUnavailable, KeyRefused

ROOT = Path(__file__).parents[2]
VECTOR = json.loads((ROOT / "tests/vectors/gbt32918_5_a2.json").read_text())
SCALAR, POINT, E = (bytes.fromhex(VECTOR[name]) for name in ("scalar", "point", "e"))
SIGNATURE = bytes.fromhex(VECTOR["r"] + VECTOR["s"])
LIBRARIES = [
    pytest.param(library, id=f"{door.name}:{Path(library).name}")
    for door in DOORS
    for library in tuple(dict.fromkeys(door.places())) or (door.name,)
]


def _discover(library: str) -> Sm2Engine:
    try:
        return discover(library)
    except EngineUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", params=LIBRARIES)
def engine(request: pytest.FixtureRequest) -> Sm2Engine:
    return _discover(request.param)


@pytest.fixture
def multiplier(engine: Sm2Engine) -> Sm2Multiplier:
    if not isinstance(engine, Sm2Multiplier):
        pytest.skip(f"{engine.version} does not multiply points")
    return engine


def test_the_published_key_and_signature_are_computed_and_accepted(engine: Sm2Engine) -> None:
    assert engine.public_point(SCALAR) == POINT
    assert engine.verify(POINT, E, SIGNATURE)


def test_an_engine_names_itself_and_its_library(engine: Sm2Engine) -> None:
    assert engine.name
    assert engine.version


def test_what_a_fresh_key_signs_verifies_under_its_point_alone(engine: Sm2Engine) -> None:
    scalar = engine.generate()
    signature = engine.sign(scalar, E)
    assert len(signature) == sm2.RAW_SIGNATURE_SIZE
    assert engine.verify(engine.public_point(scalar), E, signature)
    assert not engine.verify(POINT, E, signature)


def test_no_two_keys_and_no_two_signatures_are_alike(engine: Sm2Engine) -> None:
    assert len({engine.generate() for _ in range(50)}) == 50
    assert len({engine.sign(SCALAR, E) for _ in range(50)}) == 50


@pytest.mark.parametrize("scalar", [1, 2, 2**64 - 1, sm2.N // 3, sm2.N - 2])
def test_every_scalar_up_to_n_minus_2_is_a_key(engine: Sm2Engine, scalar: int) -> None:
    key = scalar.to_bytes(32, "big")
    point = engine.public_point(key)
    assert sm2.on_curve(point)
    assert engine.verify(point, E, engine.sign(key, E))


@pytest.mark.parametrize(
    "scalar", [bytes(32), (sm2.N - 1).to_bytes(32, "big"), sm2.N.to_bytes(32, "big"), b"\xff" * 32, SCALAR[1:], b""]
)
def test_a_number_that_is_no_private_key_is_refused(engine: Sm2Engine, scalar: bytes) -> None:
    with pytest.raises(KeyRefused):
        engine.public_point(scalar)
    with pytest.raises(KeyRefused):
        engine.sign(scalar, E)


@pytest.mark.parametrize("digest", [b"", E[1:], E + b"\x00"])
def test_only_32_octets_are_signed_or_verified(engine: Sm2Engine, digest: bytes) -> None:
    with pytest.raises(KeyRefused):
        engine.sign(SCALAR, digest)
    assert not engine.verify(POINT, digest, SIGNATURE)


@pytest.mark.parametrize("signature", [row[1] for row in known_answer.FORGED], ids=[r[0] for r in known_answer.FORGED])
def test_a_forged_signature_is_rejected(engine: Sm2Engine, signature: bytes) -> None:
    assert not engine.verify(POINT, E, signature)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(known_answer.OFF_CURVE, id="off the curve"),
        pytest.param(b"\x04" + sm2.P.to_bytes(32, "big") + POINT[33:], id="x is p"),
        pytest.param(b"\x04" + bytes(64), id="zero"),
        pytest.param(b"\x00" + bytes(64), id="infinity"),
        pytest.param(b"\x02" + POINT[1:33], id="compressed"),
        pytest.param(b"\x06" + POINT[1:], id="hybrid"),
        pytest.param(POINT[1:], id="no prefix"),
        pytest.param(b"", id="empty"),
    ],
)
def test_what_is_no_point_of_the_curve_verifies_nothing(engine: Sm2Engine, point: bytes) -> None:
    assert not engine.verify(point, E, SIGNATURE)


@settings(max_examples=60, deadline=None)
@given(bit=st.integers(0, 512 - 1))
def test_any_flipped_bit_of_a_signature_is_rejected(engine: Sm2Engine, bit: int) -> None:
    assert not engine.verify(POINT, E, _flipped(SIGNATURE, bit))


@settings(max_examples=40, deadline=None)
@given(bit=st.integers(0, 256 - 1))
def test_any_flipped_bit_of_a_digest_is_rejected(engine: Sm2Engine, bit: int) -> None:
    assert not engine.verify(POINT, _flipped(E, bit), SIGNATURE)


@settings(max_examples=40, deadline=None)
@given(bit=st.integers(0, 65 * 8 - 1))
def test_any_flipped_bit_of_a_point_is_rejected(engine: Sm2Engine, bit: int) -> None:
    assert not engine.verify(_flipped(POINT, bit), E, SIGNATURE)


@settings(max_examples=30, deadline=None)
@given(e=st.binary(min_size=32, max_size=32))
def test_any_digest_signs_and_verifies(engine: Sm2Engine, e: bytes) -> None:
    assert engine.verify(POINT, e, engine.sign(SCALAR, e))


@pytest.mark.parametrize("scalar", [1, 2, 2**64 - 1, sm2.N // 3, sm2.N - 2])
def test_a_multiple_of_the_base_point_is_the_public_point(
    engine: Sm2Engine, multiplier: Sm2Multiplier, scalar: int
) -> None:
    key = scalar.to_bytes(32, "big")
    assert multiplier.multiply(sm2.BASE_POINT, key) == engine.public_point(key)


def test_two_parties_multiply_to_one_secret(engine: Sm2Engine, multiplier: Sm2Multiplier) -> None:
    mine, theirs = engine.generate(), engine.generate()
    secret = multiplier.multiply(engine.public_point(theirs), mine)
    assert secret == multiplier.multiply(engine.public_point(mine), theirs)
    assert sm2.on_curve(secret)


@pytest.mark.parametrize("point", [known_answer.OFF_CURVE, b"\x00" + bytes(64), b"\x02" + POINT[1:33], POINT[1:], b""])
def test_what_is_no_point_of_the_curve_is_not_multiplied(multiplier: Sm2Multiplier, point: bytes) -> None:
    with pytest.raises(KeyRefused):
        multiplier.multiply(point, SCALAR)


@pytest.mark.parametrize("scalar", [bytes(32), (sm2.N - 1).to_bytes(32, "big"), b"\xff" * 32, SCALAR[1:], b""])
def test_nothing_is_multiplied_by_what_is_no_scalar(multiplier: Sm2Multiplier, scalar: bytes) -> None:
    with pytest.raises(KeyRefused):
        multiplier.multiply(POINT, scalar)


def test_threads_share_an_engine_and_its_keys(engine: Sm2Engine) -> None:
    scalars = [engine.generate() for _ in range(6)]
    start = threading.Barrier(4)

    def work(seed: int) -> bool:
        start.wait()
        good = True
        for round_number in range(30):
            scalar = scalars[(seed + round_number) % len(scalars)]
            e = bytes((seed, round_number)) * 16
            good &= engine.verify(engine.public_point(scalar), e, engine.sign(scalar, e))
        return good

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))


@pytest.mark.parametrize("library", LIBRARIES)
def test_more_keys_than_are_kept_at_once_still_work(library: str) -> None:
    found = _discover(library)
    engine: Sm2Engine
    if found.name == "libbotan":
        engine = open_engine(found.library, keys_kept=2)
    else:
        engine = LibcryptoEngine(found.library, keys_kept=2)
    scalars = [engine.generate() for _ in range(5)] * 2
    assert all(engine.verify(engine.public_point(scalar), E, engine.sign(scalar, E)) for scalar in scalars)


FORKING = """
import os, sys
from crypto.engines import discover, known_answer as known
engine = discover(sys.argv[1])
engine.sign(known.SCALAR, known.DIGEST)  # The parent's handles are warm.
for _ in range(2):
    child = os.fork()
    if not child:
        os.write(1, b"".join(engine.sign(known.SCALAR, known.DIGEST) for _ in range(4)))
        os._exit(0)
    os.waitpid(child, 0)
os.write(1, b"".join(engine.sign(known.SCALAR, known.DIGEST) for _ in range(4)))
"""


@pytest.mark.parametrize("library", LIBRARIES)
def test_forked_children_sign_with_nonces_of_their_own(library: str) -> None:
    _discover(library)
    run = subprocess.run([sys.executable, "-c", FORKING, library], capture_output=True, check=True, cwd=ROOT)
    values = [run.stdout[at : at + 64] for at in range(0, len(run.stdout), 64)]
    assert len(values) == 12
    # Two signatures of one digest with one nonce have one r.
    assert len({value[:32] for value in values}) == 12
    assert all(default_engine().verify(POINT, E, value) for value in values)


@pytest.mark.parametrize("door", [door.name for door in DOORS])
def test_a_door_is_found_by_its_name(door: str) -> None:
    assert _discover(door).name == door


def test_the_fastest_door_is_tried_first() -> None:
    assert [door.name for door in DOORS] == ["libbotan", "libcrypto"]


def test_a_library_is_named_by_its_file(engine: Sm2Engine) -> None:
    again = discover(engine.library)
    assert (again.name, again.version) == (engine.name, engine.version)


def test_what_is_no_botan_does_not_open() -> None:
    for library in ("/nowhere/libbotan-3.so.7", "libc.so.6"):
        with pytest.raises(EngineUnavailable, match="Botan 3"):
            open_engine(library)


def test_some_engine_here_multiplies() -> None:
    assert default_multiplier().multiply(sm2.BASE_POINT, SCALAR) == POINT


def test_an_empty_setting_is_none() -> None:
    assert discover("").version == discover().version


def test_the_first_library_that_passes_is_taken_and_the_rest_is_not_even_looked_for() -> None:
    def places() -> Iterator[str]:
        yield "/nowhere/libcrypto.so.3"  # not there
        yield "libc.so.6"  # no libcrypto
        yield _libcrypto()
        raise AssertionError("looked further than needed")

    door = Door(name="libcrypto", marks=("crypto",), places=places, load=LibcryptoEngine)
    assert discover(doors=(door,)).version == discover("libcrypto").version


def test_a_door_is_chosen_by_the_library_s_file_name() -> None:
    loaded = []

    def load(library: str) -> Sm2Engine:
        loaded.append(library)
        raise EngineUnavailable("not this one")

    other = Door(name="botan", marks=("botan",), places=lambda: iter(()), load=load)
    with pytest.raises(EngineUnavailable, match="not this one"):
        discover("/opt/lib/libbotan-3.so.7", doors=(other, *DOORS))
    assert loaded == ["/opt/lib/libbotan-3.so.7"]
    with pytest.raises(EngineUnavailable, match="no library was found"):
        discover("botan", doors=(other, *DOORS))


@pytest.mark.parametrize("setting", ["/nowhere/libcrypto.so.3", "libc.so.6", "no such library"])
def test_a_setting_that_names_no_engine_is_refused_with_the_remedy(setting: str) -> None:
    with pytest.raises(EngineUnavailable, match="install OpenSSL 3"):
        discover(setting)


def test_an_engine_that_gives_wrong_answers_is_refused() -> None:
    class Credulous(LibcryptoEngine):
        def verify(self, point: bytes, e: bytes, signature: bytes) -> bool:
            return super().verify(point, e, signature) or len(signature) == 64

    class Repeating(LibcryptoEngine):
        def sign(self, scalar: bytes, e: bytes) -> bytes:
            return SIGNATURE if (scalar, e) == (SCALAR, E) else super().sign(scalar, e)

    for liar in (Credulous, Repeating):
        with pytest.raises(EngineUnavailable, match="known-answer"):
            known_answer.prove(liar(_libcrypto()))


def test_the_process_keeps_the_engine_it_began_with() -> None:
    engine = default_engine()
    assert default_engine() is engine
    assert settle_engine(None) is engine
    assert settle_engine("") is engine
    with pytest.raises(EngineUnavailable, match="already uses"):
        settle_engine("/nowhere/libcrypto.so.3")


def _libcrypto() -> str:
    engine = discover("libcrypto")
    assert isinstance(engine, LibcryptoEngine)
    return engine.library


def _flipped(value: bytes, bit: int) -> bytes:
    number = int.from_bytes(value, "big") ^ 1 << bit
    return number.to_bytes(len(value), "big")
