"""Facts about revocation as files: `crls/` and `ocsp/` of a trust folder, or beside its certificates."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from crypto.crl import MAX_CRL, RevocationList
from crypto.errors import CryptoError
from crypto.ocsp_answer import MAX_ANSWER, OcspAnswer
from crypto.x509 import pem_bodies
from seal.trust.facts import Facts, OwnWord, kept_answer, kept_list

CRLS, OCSP = "crls", "ocsp"
LIST_FILE, ANSWER_FILE = ".crl", ".ors"
MAX_OCTETS = 48 * 1024 * 1024
"""Octets of facts held in memory at most; of more, those that were put there last."""
MAX_FILES = 20_000
_PEM_LIST = b"-----BEGIN X509 CRL-----"
_Fact = TypeVar("_Fact", RevocationList, OcspAnswer)


def read_facts(folder: Path, *, also: Iterable[Path] = (), own: Iterable[OwnWord] = ()) -> Facts:
    """Read what lies in ``folder``, and lists in ``also``; a file that cannot be read is named and left out."""
    reading = _Reading()
    lists = (*_files(folder, LIST_FILE), *_files(folder / CRLS), *(path for more in also for path in _files(more)))
    answers = (*_files(folder, ANSWER_FILE), *_files(folder / OCSP))
    crls = list(reading.read(_newest_first(lists), read_list, MAX_CRL))
    said = list(reading.read(_newest_first(answers), kept_answer, MAX_ANSWER))
    return Facts(crls=crls, answers=said, own=own, unread=reading.unread)


def read_list(octets: bytes) -> RevocationList:
    """Read a list in DER or PEM; a CertificateError if the octets are none."""
    bodies = pem_bodies(octets, "X509 CRL") if _PEM_LIST in octets else [octets]
    return kept_list(bodies[0])


@dataclass(slots=True)
class _Reading:
    left: int = MAX_OCTETS
    unread: list[str] = field(default_factory=list)

    def read(self, paths: list[Path], read: Callable[[bytes], _Fact], most: int) -> Iterator[_Fact]:
        for path in paths[:MAX_FILES]:
            try:
                size = path.stat().st_size
                if size > most:
                    self.unread.append(f"{path.name} has {size} octets, and {most} are read")
                elif size > self.left:
                    self.unread.append(f"{path.name} is left out: {MAX_OCTETS} octets of newer facts are read already")
                else:
                    yield read(path.read_bytes())
                    self.left -= size
            except (CryptoError, OSError) as error:
                self.unread.append(f"{path.name} cannot be read: {error}")


def _files(folder: Path, suffix: str = "") -> list[Path]:
    if not folder.is_dir():
        return []
    return [
        path
        for path in folder.iterdir()
        if path.name.lower().endswith(suffix) and not path.name.startswith(".") and path.is_file()
    ]


def _newest_first(paths: tuple[Path, ...]) -> list[Path]:
    return sorted(paths, key=lambda path: (-_written(path), path.name))


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # Gone since it was listed: said when it is read.
