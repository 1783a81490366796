"""QR matrices through license_store/: a licence's address, and 250 octets at version 12, against python-qrcode."""

import qrcode

from benchmarks.row import Contender, Row, cpu_microseconds
from license_store import qr

ADDRESS = "HTTPS://ZZ.EXAMPLE.GOV.CN/V/K3V7Q2M5X6YNBZ4TPA3CWE2RDU"
HYBRID = f"{ADDRESS}#{'NB2HI4DTHIXS6M3FPB' * 19}"[: len(ADDRESS) + 340]
ROUNDS = 12
REACH = 20.0


def rows() -> list[dict[str, object]]:
    """Measure; about five seconds."""
    return [_row(ADDRESS, version=3).as_dict(), _row(HYBRID, version=12).as_dict()]


def _row(content: str, *, version: int) -> Row:
    assert len(qr.matrix(content)) == len(_peer(content)) == 17 + 4 * version
    ours, theirs = cpu_microseconds(
        (Contender(run=lambda: qr.matrix(content), times=10), Contender(run=lambda: _peer(content), times=1)),
        rounds=ROUNDS,
    )
    work = f"QR matrix v{version}"
    return Row(work=work, unit="us", ours=ours, peer="qrcode", theirs=theirs, reach=REACH)


def _peer(content: str) -> list[list[bool | None]]:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(content)
    code.make(fit=True)
    modules: list[list[bool | None]] = code.modules
    return modules
