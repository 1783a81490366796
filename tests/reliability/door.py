"""The front door of sealing over one bench: its HTTP routes, for a caller whom a token names."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI

from kernel.errors import Unauthenticated
from kernel.guard import BearerGuard
from kernel.principal import Principal
from kernel.problem import install
from seal.api import seal_router
from seal.trust import Trust
from seal.verifying import Verifier
from tests.reliability.bench import Bench
from tests.seal.conftest import CLERK, SEAL

SEALINGS = f"/api/seals/v1/seals/{SEAL}/sealings"
TOKEN = "clerk"


class _Tokens:
    def principal(self, token: str) -> Principal:
        if token != TOKEN:
            raise Unauthenticated("no such token")
        return CLERK


@contextmanager
def door(bench: Bench, trust: Trust) -> Iterator[FastAPI]:
    """Give the application that seals with this bench."""
    app, verifier = FastAPI(), Verifier(trust)
    install(app)
    ground: dict[str, Any] = {"service": bench.sealing, "unsealed": bench.unsealed, "register": bench.register}
    app.include_router(seal_router(**ground, verifier=verifier, guard=BearerGuard(_Tokens()), clock=bench.clock))
    try:
        yield app
    finally:
        verifier.close()
