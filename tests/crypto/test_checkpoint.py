"""Checkpoints: what the log signed is believed, and nothing that could be read in two ways."""

import base64
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.checkpoint import (
    MAX_NOTE,
    MAX_SIGNATURES,
    Checkpoint,
    NoteKey,
    NoteSigner,
    add_signature,
    read_text,
    sign_checkpoint,
    verify_checkpoint,
)
from crypto.errors import CheckpointError, KeyRefused
from crypto.keys import PublicKey
from crypto.merkle import SM3_TREE, Frontier
from crypto.suites import ED25519, ES256, SM2_SM3
from tests.crypto.authority import Authority

ORIGIN, WITNESS = "log.example/licences", "witness.example/other-city"
HEAD = Checkpoint(
    origin=ORIGIN, size=3, root=Frontier(SM3_TREE).extend([SM3_TREE.leaf(bytes((n,))) for n in range(3)]).root()
)


def signer_of(authority: Authority, name: str = ORIGIN) -> NoteSigner:
    return NoteSigner(name, authority.key("tokens" if name == ORIGIN else name))


@pytest.fixture(params=[SM2_SM3.name, ES256.name, ED25519.name])
def log(request: pytest.FixtureRequest, authorities: Mapping[str, Authority]) -> NoteSigner:
    return signer_of(authorities[request.param])


def test_what_the_log_signed_is_believed(log: NoteSigner) -> None:
    signed = verify_checkpoint(sign_checkpoint(HEAD, log), log=log.key)

    assert signed.checkpoint == HEAD
    assert signed.signed_by == (log.key,)


def test_the_note_is_in_the_published_format(log: NoteSigner) -> None:
    lines = sign_checkpoint(HEAD, log).decode().split("\n")

    assert lines[:4] == [ORIGIN, "3", base64.b64encode(HEAD.root).decode(), ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]
    assert base64.b64decode(lines[4].rsplit(" ", 1)[1])[:4] == log.key.key_id


def test_the_example_of_the_format_is_read() -> None:
    """The text of the example in C2SP tlog-checkpoint."""
    read = read_text("example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")

    assert (read.origin, read.size, read.extensions) == ("example.com/behind-the-sofa", 20852163, ())


def test_a_note_of_the_reference_implementation_verifies() -> None:
    """The key and the note in the documentation of golang.org/x/mod/sumdb/note, signed with Ed25519."""
    encoded = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    spki = bytes.fromhex("302a300506032b6570032100") + encoded[1:]
    key = NoteKey(name="PeterNeumann", suite=ED25519, public_key=PublicKey.from_spki(spki))
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="

    assert key.text() == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert key.verify(text, base64.b64decode(line)[4:])
    assert base64.b64decode(line)[:4] == key.key_id


def test_an_sm2_key_is_known_by_a_type_of_its_own(sm2: Authority) -> None:
    key = signer_of(sm2).key

    assert key.encoded == b"\xffSM2-SM3" + key.public_key.point
    assert key.text().startswith(f"{ORIGIN}+{key.key_id.hex()}+/1NNMi1TTTM")
    assert replace(key, name=WITNESS).key_id != key.key_id


def test_witnesses_are_told_and_strangers_ignored(sm2: Authority, p256: Authority) -> None:
    log, witness, stranger = signer_of(sm2), signer_of(p256, WITNESS), signer_of(sm2, "stranger.example")
    note = add_signature(add_signature(sign_checkpoint(HEAD, log), witness), stranger)

    assert verify_checkpoint(note, log=log.key, witnesses=[witness.key]).signed_by == (log.key, witness.key)
    assert verify_checkpoint(note, log=log.key).signed_by == (log.key,)


def test_a_bad_signature_of_a_known_witness_refuses_the_note(sm2: Authority, p256: Authority) -> None:
    log, witness = signer_of(sm2), signer_of(p256, WITNESS)
    note = sign_checkpoint(HEAD, log) + witness.line("another text\n").encode()

    with pytest.raises(CheckpointError, match="does not verify"):
        verify_checkpoint(note, log=log.key, witnesses=[witness.key])
    assert verify_checkpoint(note, log=log.key).checkpoint == HEAD


def test_a_witness_alone_is_not_the_log(sm2: Authority, p256: Authority) -> None:
    log, witness = signer_of(sm2), signer_of(p256, WITNESS)
    note = f"{HEAD.text()}\n{witness.line(HEAD.text())}".encode()

    with pytest.raises(CheckpointError, match="did not sign"):
        verify_checkpoint(note, log=log.key, witnesses=[witness.key])


def test_another_logs_checkpoint_is_refused_even_under_the_same_key(log: NoteSigner) -> None:
    text = replace(HEAD, origin="other.example/log").text()

    with pytest.raises(CheckpointError, match="another log"):
        verify_checkpoint(f"{text}\n{log.line(text)}".encode(), log=log.key)
    with pytest.raises(CheckpointError, match="origin"):
        sign_checkpoint(replace(HEAD, origin="other.example/log"), log)


def test_a_key_that_signs_no_notes_is_refused(rsa: Authority, p256: Authority) -> None:
    with pytest.raises(KeyRefused):
        signer_of(rsa)
    with pytest.raises(KeyRefused):
        NoteKey(name=ORIGIN, suite=SM2_SM3, public_key=p256.key("tokens").public_key)
    for name in ("", "a b", "a+b", "a\u3000b", "a\nb", "a\x00b", "\ud800"):
        with pytest.raises(CheckpointError):
            NoteSigner(name, p256.key("tokens"))


@pytest.mark.parametrize(
    "change",
    [
        {"origin": ""},
        {"origin": "log\n999"},
        {"origin": "log\x00"},
        {"origin": "\ud800"},
        {"size": -1},
        {"size": 1 << 64},
        {"root": b"short"},
        {"extensions": ("",)},
        {"extensions": ("two\nlines",)},
    ],
    ids=str,
)
def test_a_checkpoint_that_would_read_as_another_is_not_written(change: dict[str, object]) -> None:
    with pytest.raises(CheckpointError):
        replace(HEAD, **change).text()  # type: ignore[arg-type]


ROOT = base64.b64encode(HEAD.root).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"log\n3\n{ROOT}",
        f"log\n3\n\n{ROOT}\n",
        f"\n3\n{ROOT}\n",
        f"log\n03\n{ROOT}\n",
        f"log\n+3\n{ROOT}\n",
        f"log\n-3\n{ROOT}\n",
        f"log\n 3\n{ROOT}\n",
        f"log\n３\n{ROOT}\n",
        f"log\n3_0\n{ROOT}\n",
        f"log\n{'9' * 19}9\n{ROOT}\n",
        f"log\n{'9' * 5000}\n{ROOT}\n",
        f"log\n3\n{ROOT[:-1]}\n",
        f"log\n3\n{ROOT} \n",
        f"log\n3\n{ROOT[:-2]}B=\n",
        "log\n3\nAAAA\n",
        f"log\n3\n{ROOT}\n\n",
        f"log\r\n3\n{ROOT}\n",
        f"log\n3\n{ROOT}\nextension\x07\n",
    ],
)
def test_a_text_has_one_reading(text: str) -> None:
    with pytest.raises(CheckpointError):
        read_text(text)


def test_notes_are_bounded(sm2: Authority) -> None:
    log = signer_of(sm2)
    note = sign_checkpoint(HEAD, log)
    other = b"\xe2\x80\x94 other.example AAAAAAA=\n"

    assert verify_checkpoint(note + other * (MAX_SIGNATURES - 1), log=log.key).checkpoint == HEAD
    for rubbish in (note + other * MAX_SIGNATURES, note + b"x" * MAX_NOTE, b"\n" * MAX_NOTE):
        with pytest.raises(CheckpointError):
            verify_checkpoint(rubbish, log=log.key)


@pytest.fixture(scope="session")
def fixed(authorities: Mapping[str, Authority]) -> tuple[bytes, NoteKey]:
    log = signer_of(authorities[ES256.name])
    return sign_checkpoint(HEAD, log), log.key


@given(data=st.data())
def test_any_change_is_refused(fixed: tuple[bytes, NoteKey], data: st.DataObject) -> None:
    note, key = fixed
    low, high = sorted(data.draw(st.tuples(*[st.integers(0, len(note))] * 2)))
    changed = note[:low] + data.draw(st.binary(max_size=8)) + note[high:]
    if changed == note:
        return
    with pytest.raises(CheckpointError):
        verify_checkpoint(changed, log=key)


@given(st.binary(max_size=400) | st.text(alphabet="a3\n— +=AQ", max_size=200).map(str.encode))
def test_any_octets_are_refused_and_nothing_else(octets: bytes) -> None:
    key = NoteKey(
        name="a",
        suite=ED25519,
        public_key=PublicKey.from_spki(
            bytes.fromhex("302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        ),
    )
    with pytest.raises(CheckpointError):
        verify_checkpoint(octets, log=key)
