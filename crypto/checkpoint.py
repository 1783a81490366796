"""Checkpoints: what a log says its tree is, signed by the log and its witnesses (C2SP tlog-checkpoint, signed-note)."""

import base64
import binascii
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from crypto import merkle
from crypto.digests import SHA256
from crypto.errors import CheckpointError, SuiteRefused
from crypto.keys import PublicKey, Signer, require_fit
from crypto.raw_values import sign_raw, verify_raw
from crypto.suites import NoteForm, Suite, Usage

MAX_NOTE: Final = 64 * 1024
MAX_SIGNATURES: Final = 64
_KEY_ID_SIZE: Final = 4
_LINES: Final = 3
_BLANK: Final = " "
_DASH: Final = "— "

_Signature: TypeAlias = tuple[str, bytes, bytes]
"""Key name, key ID, value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree head: the log ``origin`` has ``size`` leaves under ``root``.

    Whether the tree is over SM3 or SHA-256 is a property of the log, agreed on with its key; the text does not say.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """Write the text that is signed; CheckpointError for what would be read as something else."""
        root = base64.b64encode(self.root).decode("ascii")
        text = "".join(f"{line}\n" for line in (self.origin, self.size, root, *self.extensions))
        if read_text(text) != self:
            raise CheckpointError("a member of the checkpoint does not keep to its line")
        return text


@dataclass(frozen=True, kw_only=True)
class NoteKey:
    """A key that signs notes under a name, as a verifier is told of it beforehand."""

    name: str
    suite: Suite
    public_key: PublicKey

    def __post_init__(self) -> None:
        _check_name(self.name)
        require_fit(self.suite, self.public_key, Usage.NOTE)

    @cached_property
    def encoded(self) -> bytes:
        """Give signature type and key, as key ID and ``text`` hold them."""
        key = self.public_key.spki if self._form.by_spki else self.public_key.bits
        return self._form.type + key

    @cached_property
    def key_id(self) -> bytes:
        """Give the four octets by which a signature line is known to be this key's."""
        if self.by_spki:
            return SHA256.digest(self.public_key.spki)[:_KEY_ID_SIZE]
        return SHA256.digest(self.name.encode() + b"\n" + self.encoded)[:_KEY_ID_SIZE]

    def text(self) -> str:
        """Write the verifier key ``name+id+key``, for those who are to trust the log."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self.encoded).decode('ascii')}"

    def verify(self, text: str, value: bytes) -> bool:
        """Say whether ``value`` signs the note text ``text``."""
        if self.by_spki:
            return self.public_key.verify(self.suite, text.encode(), value)
        return verify_raw(self.public_key, self.suite, text.encode(), value)

    @property
    def by_spki(self) -> bool:
        """Whether the key stands as its SubjectPublicKeyInfo and its values are DER."""
        return self._form.by_spki

    @property
    def _form(self) -> NoteForm:
        if self.suite.note is None:
            raise SuiteRefused(f"{self.suite.name} is not written in signed notes")
        return self.suite.note


class NoteSigner:
    """Signs notes with one key under one name."""

    def __init__(self, name: str, signer: Signer) -> None:
        self.key = NoteKey(name=name, suite=signer.suite, public_key=signer.public_key)
        self._signer = signer

    def line(self, text: str) -> str:
        """Give the signature line for the note text ``text``."""
        octets = text.encode()
        value = self._signer.sign(octets) if self.key.by_spki else sign_raw(self._signer, octets)
        return f"{_DASH}{self.key.name} {base64.b64encode(self.key.key_id + value).decode('ascii')}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint to be believed; only ``verify_checkpoint`` makes one. The log is among ``signed_by``."""

    checkpoint: Checkpoint
    signed_by: tuple[NoteKey, ...]


def sign_checkpoint(checkpoint: Checkpoint, log: NoteSigner) -> bytes:
    """Give the note, signed by the log; its key bears the name of the origin.

    A log never signs a checkpoint that is inconsistent with an earlier one: proving that is the caller's part.
    """
    if log.key.name != checkpoint.origin:
        raise CheckpointError("a log signs under its own origin")
    text = checkpoint.text()
    return f"{text}\n{log.line(text)}".encode()


def add_signature(note: bytes, witness: NoteSigner) -> bytes:
    """Give the note with one more signature; the witness has verified the checkpoint before."""
    text, _ = _open(note)
    signed = note + witness.line(text).encode()
    _open(signed)
    return signed


def verify_checkpoint(note: bytes, *, log: NoteKey, witnesses: Collection[NoteKey] = ()) -> SignedCheckpoint:
    """Judge a note: the log signed it, and no signature of a key named here is bad; CheckpointError otherwise.

    Signatures of other keys are ignored. How many witnesses are enough is judged by the caller on ``signed_by``.
    """
    text, signatures = _open(note)
    known = {(key.name, key.key_id): key for key in (*witnesses, log)}
    signed_by: list[NoteKey] = []
    for name, key_id, value in signatures:
        key = known.pop((name, key_id), None)
        if key is None:
            continue
        if not key.verify(text, value):
            raise CheckpointError(f"the signature of {name} does not verify")
        signed_by.append(key)
    if log not in signed_by:
        raise CheckpointError("the log did not sign this checkpoint")
    checkpoint = read_text(text)
    if checkpoint.origin != log.name:
        raise CheckpointError("the checkpoint is another log's")
    return SignedCheckpoint(checkpoint=checkpoint, signed_by=tuple(signed_by))


def read_text(text: str) -> Checkpoint:
    """Read the text of a checkpoint; who signed it is not judged."""
    lines = text.split("\n")
    if lines.pop() or len(lines) < _LINES or not all(lines) or not _printable(lines):
        raise CheckpointError("a checkpoint has three lines or more, none of them empty")
    origin, size, root, *extensions = lines
    if not (size.isascii() and size.isdigit()) or len(size) > len(str(merkle.MAX_SIZE)) or str(int(size)) != size:
        raise CheckpointError("the tree size is not a number in its one form")
    if int(size) > merkle.MAX_SIZE:
        raise CheckpointError("the tree is larger than any")
    hashed = _decode(root)
    if len(hashed) != SHA256.size:
        raise CheckpointError("the root is not a hash of 32 octets")
    return Checkpoint(origin=origin, size=int(size), root=hashed, extensions=tuple(extensions))


def _open(note: bytes) -> tuple[str, Sequence[_Signature]]:
    """Take a note apart (signed-note, "Format"): its text, and whose signatures it claims to bear."""
    if len(note) > MAX_NOTE:
        raise CheckpointError(f"{len(note)} octets are more than the {MAX_NOTE} allowed")
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointError("the note is not UTF-8") from error
    text, divider, signatures = whole.rpartition("\n\n")
    lines = signatures.split("\n")
    if not divider or lines.pop() or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise CheckpointError("a note is text, an empty line, and signature lines")
    if not _printable(text.split("\n")):
        raise CheckpointError("a note holds no control characters")
    return f"{text}\n", [_signature(line) for line in lines]


def _signature(line: str) -> _Signature:
    name, blank, value = line.removeprefix(_DASH).partition(_BLANK)
    if not line.startswith(_DASH) or not blank:
        raise CheckpointError("not a signature line")
    _check_name(name)
    octets = _decode(value)
    if len(octets) <= _KEY_ID_SIZE:
        raise CheckpointError("a signature line without a signature")
    return name, octets[:_KEY_ID_SIZE], octets[_KEY_ID_SIZE:]


def _check_name(name: str) -> None:
    if not name or "+" in name or any(character.isspace() for character in name) or not _printable((name,)):
        raise CheckpointError("a key name is not empty and holds neither blanks nor a plus")


def _printable(lines: Sequence[str]) -> bool:
    try:
        return all(octet >= ord(_BLANK) for line in lines for octet in line.encode())
    except UnicodeEncodeError:
        return False


def _decode(text: str) -> bytes:
    """Read base64 in its one canonical form."""
    try:
        octets = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CheckpointError("not base64") from error
    if base64.b64encode(octets) != text.encode("ascii"):
        raise CheckpointError("base64 that is not in its one form")
    return octets
