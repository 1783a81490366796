"""Seals every document of a folder as one batch, and puts the sealed ones into another folder under their old names.

    pip install ./sdk
    python outbox.py outgoing sealed --seal 99010000000001 --key 2026-11-22

Cut off at any moment, run it again with the same --key: it goes on with the same batch, and nothing is sealed twice.
Where the service is and who calls come from XINYIN_SERVICE, XINYIN_CLIENT_ID and XINYIN_CLIENT_SECRET.
"""

import argparse
import os
import sys
import tempfile
import zipfile
from pathlib import Path

from xinyin_sdk import Order, Xinyin, XinyinError


def seal_folder(xinyin: Xinyin, outgoing: Path, target: Path, *, seal: str, key: str) -> int:
    """Seal what is in ``outgoing`` into ``target``; give how many documents were not sealed."""
    files = sorted(path for path in outgoing.iterdir() if path.suffix.lower() in {".pdf", ".ofd"})
    orders = [Order(document=path, case_number=path.stem) for path in files]
    batch = xinyin.batches.create(seal, orders, idempotency_key=key)
    for now in xinyin.batches.watch(batch.id):
        print(f"\r{now.sealed + now.failed} of {now.total}, {now.failed} failed", end="", file=sys.stderr)
    print(file=sys.stderr)
    target.mkdir(exist_ok=True)
    names = {f"{number:05}": path.stem for number, path in enumerate(files, start=1)}
    with tempfile.TemporaryDirectory() as folder:
        saved = xinyin.batches.save_results(batch.id, Path(folder) / "results.zip")
        _unpack(saved, target, names)
    failed = [item for item in xinyin.batches.items(batch.id) if item.state != "sealed"]
    for item in failed:
        print(f"{files[item.position - 1].name}: {item.detail or item.state} [{item.failure}]", file=sys.stderr)
    return len(failed)


def _unpack(saved: Path, target: Path, names: dict[str, str]) -> None:
    with zipfile.ZipFile(saved) as results:
        for name in results.namelist():
            place = Path(name)
            if place.stem in names:
                (target / f"{names[place.stem]}{place.suffix}").write_bytes(results.read(name))


def main() -> int:
    """Seal a folder; 1 if a document was not sealed, or the service said no."""
    parser = argparse.ArgumentParser(description="Seal a folder of documents as one batch.")
    parser.add_argument("outgoing", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--seal", required=True)
    parser.add_argument("--key", required=True, help="names this batch: the same again goes on with it")
    given = parser.parse_args()
    try:
        address, client_id, secret = (
            os.environ[f"XINYIN_{name}"] for name in ("SERVICE", "CLIENT_ID", "CLIENT_SECRET")
        )
    except KeyError as missing:
        print(f"{missing.args[0]} is not set", file=sys.stderr)
        return 64
    try:
        with Xinyin(address, client_id, client_secret=secret) as xinyin:
            failed = seal_folder(xinyin, given.outgoing, given.target, seal=given.seal, key=given.key)
    except XinyinError as refused:
        print(refused, file=sys.stderr)
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
