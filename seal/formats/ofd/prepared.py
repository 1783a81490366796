"""A package laid out for one signature: everything is in it but the value, which goes into one more file."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from seal.formats.ofd.package import OfdPackage, PackageError
from seal.formats.ofd.structure import read_bodies, read_pages
from seal.model import Credential, SignMessage


@dataclass(kw_only=True)
class PreparedPackage(ABC):
    """The ``PreparedDocument`` of OFD: what kind of value is made is its heirs' affair."""

    package: OfdPackage
    changes: Mapping[str, bytes]
    value: str
    """The file that takes the value."""
    credential: Credential
    at: datetime
    document_digest: bytes
    _used: bool = field(default=False, init=False)

    @property
    def pages(self) -> int | None:
        """How many pages the documents of the package have; None where they cannot be counted."""
        try:
            return sum(len(read_pages(self.package, body.root or "")) for body in read_bodies(self.package))
        except PackageError:
            return None

    def apply(self, sign: SignMessage) -> bytes:
        """Sign, have the value time-stamped if the credential says by whom, and embed what came of it."""
        if self._used:
            raise RuntimeError("a prepared document is for one signature")
        self._used = True
        return self.package.archive.rewritten({**self.changes, self.value: self._signed(sign)})

    @abstractmethod
    def _signed(self, sign: SignMessage) -> bytes:
        """Make the value's file."""
