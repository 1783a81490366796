"""The workshop of OFD documents, opened once a run."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from seal.model import Report
from tests.sims.ofd_workshop import (
    Authority,
    Bureau,
    Workshop,
    make_workshop,
    plain_document,
    unpacked,
    worse_than_notes,
)


@pytest.fixture(scope="session")
def workshop() -> Workshop:
    return make_workshop()


@pytest.fixture(scope="session")
def bureau(workshop: Workshop) -> Bureau:
    return workshop.bureau


@pytest.fixture(scope="session")
def authority(bureau: Bureau) -> Authority:
    return bureau.authority


@pytest.fixture(scope="session")
def stranger() -> Authority:
    """An authority that nobody has pinned."""
    return Authority.make("Unknown Root")


@pytest.fixture(scope="session")
def plain() -> bytes:
    """An unsealed document of two pages."""
    return plain_document()


@pytest.fixture(scope="session")
def complaints() -> Callable[[Report], list[str]]:
    """Give the codes of all findings worse than a note."""
    return worse_than_notes


@pytest.fixture(scope="session")
def unpack() -> Callable[[bytes], dict[str, bytes]]:
    return unpacked


@pytest.fixture(scope="session")
def other_bureau(bureau: Bureau) -> Bureau:
    return replace(bureau, signer=bureau.authority.certify("44030000000002"))
