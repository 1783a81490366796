"""A batch of our own licences through API, ledger, log and object store, against the bare engine; two workers each."""

import logging
import multiprocessing
import os
import tempfile
import warnings
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import structlog
import typst
from starlette.testclient import TestClient

from admin import devworld, faces
from admin.build import Service, services
from admin.settings import Settings
from benchmarks.row import Row, Spread
from crypto.keys import sign
from kernel.clock import SystemClock
from seal.fonts import packaged_font
from seal.formats_table import SEALING_FORMATS
from seal.model import Mark
from seal.request import DEFAULT_PLACEMENT
from seal.verifying import verify_in_process

DOCUMENTS = int(os.environ.get("XINYIN_BENCH_DOCUMENTS", "1000"))
"""A batch has room for 10,000; fewer take less of your time and come to the same figures."""
WORKERS = 2
REACH = 0.6
_FORMATS = ("pdf-pades-p256", "pdf-pades-sm2")
_WAIT = 600.0
_LINES = "经营范围：软件开发；信息系统集成服务；信息技术咨询服务；数据处理和存储支持服务；货物进出口；技术进出口。" * 3


def rows() -> list[dict[str, object]]:
    """Measure; each row's unit is the time that passes, a document."""
    _be_quiet()
    with tempfile.TemporaryDirectory(prefix="xinyin-bench-") as folder:
        settings = devworld.settings_of(devworld.load(home=Path(folder) / "home", port=8000))
        world = devworld.make(settings, portal_url="http://127.0.0.1:8100", clock=SystemClock())
        documents = licences(DOCUMENTS)
        measured = [_measured(settings, world, documents, each) for each in _FORMATS]
        return [row.as_dict() for each in measured for row in each]


def _be_quiet() -> None:
    warnings.simplefilter("ignore")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def licences(count: int) -> list[bytes]:
    """Render pages as our renderer does, each of another holder."""
    compiler = typst.Compiler(font_paths=[str(packaged_font().path.parent)])
    page = "#set page(width: 297mm, height: 210mm)\n" + '#set text(font: "Noto Sans CJK SC", size: 11pt)\n= 营业执照\n'
    made = []
    for number in range(count):
        source = f"{page}示例{number:06}有限公司\n\n{_LINES}".encode()
        document = compiler.compile(input=source, format="pdf", pdf_standards="a-2b")
        assert isinstance(document, bytes)
        made.append(document + b"\n")
    return made


def _measured(settings: Settings, world: devworld.DevWorld, documents: list[bytes], format_name: str) -> list[Row]:
    with services(settings) as service:
        given, batch = _asked(service, world, documents, format_name)
        ours = _together(_work, settings, batch, [world.seal] * WORKERS)
        assert _state(service, world, batch) == "completed"
    parts = [(world.seal, format_name, documents[number::WORKERS]) for number in range(WORKERS)]
    bare = _together(_seal, settings, "", parts)
    count, size = len(documents), len(documents[0]) // 1000
    each, alone = ours / count * 1e6, bare / count * 1e6
    work = f"{format_name}: {count:,} licences of {size} kB"
    return [
        Row(
            work=f"{work}, from the batch's creation to its end",
            unit="µs",
            ours=Spread(p50=each, p99=None),
            peer="lay out, sign, verify; nothing kept",
            theirs=Spread(p50=alone, p99=None),
            reach=REACH,
        ),
        Row(
            work=f"{work}, uploaded before by one client",
            unit="µs",
            ours=Spread(p50=given / count * 1e6, p99=None),
            peer="lay out, sign, verify; nothing kept",
            theirs=Spread(p50=alone, p99=None),
        ),
    ]


def _token(service: Service, world: devworld.DevWorld) -> str:
    with TestClient(faces.application(service), base_url=service.settings.public_url) as client:
        answer = client.post(
            "/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(world.department_id, world.department_secret),
        )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def _state(service: Service, world: devworld.DevWorld, batch: str) -> str:
    with TestClient(faces.application(service), base_url=service.settings.public_url) as client:
        headers = {"Authorization": f"Bearer {_token(service, world)}"}
        return str(client.get(f"/api/seals/v1/batches/{batch}", headers=headers).json()["state"])


def _asked(service: Service, world: devworld.DevWorld, documents: list[bytes], format_name: str) -> tuple[float, str]:
    """Upload through the API and make the batch of them; give the seconds the uploads took."""
    with TestClient(faces.application(service), base_url=service.settings.public_url) as client:
        headers = {"Authorization": f"Bearer {_token(service, world)}"}
        began = perf_counter()
        items = []
        for document in documents:
            kind = {"Content-Type": "application/pdf"}
            answer = client.post("/api/seals/v1/uploads", content=document, headers={**headers, **kind})
            assert answer.is_success, answer.text
            items.append({"sm3": answer.json()["sm3"], "format": format_name})
        took = perf_counter() - began
        wanted = {"seal": world.seal, "items": items}
        answer = client.post("/api/seals/v1/batches", json=wanted, headers=headers)
        assert answer.is_success, answer.text
        return took, str(answer.json()["id"])


def _together(work: Callable[..., None], settings: Settings, batch: str, parts: list[Any]) -> float:
    """Have processes work from one moment on; give the seconds until the last is done. Their start is not counted."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(parts) + 1)
    children = [context.Process(target=work, args=(settings, batch, barrier, part)) for part in parts]
    for child in children:
        child.start()
    barrier.wait(_WAIT)
    began = perf_counter()
    for child in children:
        child.join(_WAIT)
    took = perf_counter() - began
    assert all(child.exitcode == 0 for child in children)
    return took


def _work(settings: Settings, batch: str, barrier: Barrier, seal: str) -> None:
    """Be a worker until the batch is at its end."""
    _be_quiet()
    with services(settings) as service:
        service.register.find(seal)
        worker = service.deferred.worker()
        barrier.wait(_WAIT)
        while worker.drain() or _open(service, batch):
            sleep(0.005)


def _open(service: Service, batch: str) -> bool:
    with service.database.read() as conn:
        return service.deferred.jobs.any_of(conn, batch)


def _seal(settings: Settings, batch: str, barrier: Barrier, part: tuple[str, str, list[bytes]]) -> None:
    """Be the engine alone."""
    del batch
    _be_quiet()
    number, format_name, documents = part
    with services(settings) as service:
        chosen, seal = SEALING_FORMATS[format_name], service.register.find(number)
        signing, trust = service.register.credential(seal, chosen.suite), service.trust()
        mark = Mark(seal_name=seal.name, picture=seal.picture, placement=DEFAULT_PLACEMENT, reason="")
        barrier.wait(_WAIT)
        for document in documents:
            at = service.clock.now().replace(microsecond=0)
            prepared = chosen.layout.prepare(document, mark, signing.credential, at)
            sealed = prepared.apply(lambda message: sign(service.vault, signing.key, message))
            assert verify_in_process(sealed, trust, now=service.clock.now()).verdict.value == "valid"
