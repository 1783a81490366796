"""A gateway's own program, and an application behind the door for signed requests."""

import re
import runpy
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from starlette.requests import Request

from idp.appkeys import NewAppKey
from idp.signatures import RequestSignatures
from kernel.guard import EitherGuard, TokenVerifier
from kernel.principal import Principal
from kernel.problem import install
from kernel.signed_door import SignedDoor

HOST = "id.example.test"
_PROGRAM = runpy.run_path(str(Path(__file__).resolve().parents[2] / "examples/gateway/gateway.py"))


class Order(BaseModel):
    """A JSON body."""

    name: str


def gateway(made: NewAppKey, *, secret: str = "", host: str = "") -> Any:
    """The example's gateway with this app key."""
    service = f"https://{host or HOST}"
    return _PROGRAM["Gateway"](service=service, app_key=made.key.id, secret=secret or made.secret)


def application(signatures: RequestSignatures, tokens: TokenVerifier) -> FastAPI:
    """Routes that tell who called and what they read, behind door and guard."""
    app = FastAPI()
    caller = Annotated[Principal, Depends(EitherGuard(tokens))]
    app.state.read = []

    @app.get("/api/seals/v1/me")
    def me(principal: caller) -> dict[str, object]:
        return {"subject": principal.subject, "rights": sorted(principal.rights), "for": principal.organisation}

    async def body(request: Request) -> bytes:
        app.state.read.append(b"begun")
        return await request.body()

    @app.post("/api/seals/v1/files")
    def files(principal: caller, content: Annotated[bytes, Depends(body)]) -> dict[str, object]:
        return {"subject": principal.subject, "size": len(content)}

    @app.post("/api/seals/v1/orders")
    def orders(principal: caller, order: Order) -> dict[str, str]:
        return {"subject": principal.subject, "name": order.name}

    @app.get("/elsewhere")
    def elsewhere(principal: caller) -> dict[str, str]:
        return {"subject": principal.subject}

    app.add_middleware(SignedDoor, verifier=signatures, authority=HOST, paths=re.compile(r"/api/seals/v1/.*"))
    install(app)
    return app
