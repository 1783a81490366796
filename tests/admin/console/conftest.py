"""A town with two officers, an office-less citizen and the console, reached by a browser without a server."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest

from admin import build, faces
from admin.build import Service
from admin.console.sessions import ConsoleSessions
from idp.model import Person
from kernel.clock import ManualClock, SystemClock
from kernel.principal import Principal, PrincipalKind
from seal.affairs.actions import Action
from seal.affairs.model import Affair, Proposal
from seal.model import SealId
from tests.admin.conftest import Town
from tests.cheap import cheap
from tests.inprocess import browser

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PASSWORD = "four-eyes-see-more"
EVERYTHING = (
    "seal.manage:*",
    "seal.approve:*",
    "seal.lose:*",
    "seal.file:*",
    "seal.use:*",
    "seal.ledger:*",
    "seal.apply:*",
    "seal.use.approve:*",
)
_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass
class Desk:
    """One person's browser."""

    client: httpx2.Client
    login: str
    history: list[httpx2.Response] = field(default_factory=list)
    since: datetime = LONG_AGO

    def get(self, address: str, *, follow: bool = True) -> httpx2.Response:
        return self._followed(self.client.get(address), follow)

    def send(
        self, address: str, fields: Mapping[str, str], *, follow: bool = True, headers: Any = None
    ) -> httpx2.Response:
        """Send a form."""
        return self._followed(self.client.post(address, data=fields, headers=headers), follow)

    def _followed(self, response: httpx2.Response, follow: bool) -> httpx2.Response:
        self.history = [response]
        while follow and response.status_code == 303:
            response = self.client.get(response.headers["location"])
            self.history.append(response)
        return response

    def hidden(self, page: httpx2.Response) -> dict[str, str]:
        """Give the hidden fields of a page's forms."""
        return {name: unescape(value) for name, value in _FIELD.findall(page.text)}

    def sign_in(self, address: str = "/console") -> httpx2.Response:
        """Open an address and give the password that the provider asks for."""
        return self.prove(self.get(address))

    def prove(self, page: httpx2.Response, **fields: str) -> httpx2.Response:
        """Give the password on the page that was just shown, and go where that leads."""
        form = next(each.headers["location"] for each in reversed(self.history) if "location" in each.headers)
        given = {"action": "login", "username": self.login, "password": PASSWORD, **self.hidden(page), **fields}
        return self.send(form, given)

    def form(self, page: str, address: str, *, follow: bool = True, **fields: str) -> httpx2.Response:
        """Open a page and send one of its forms with the hidden fields that stand in it."""
        return self.send(address, {**self.hidden(self.get(page)), **fields}, follow=follow)


@dataclass
class Office:
    """The service with its console."""

    service: Service
    clock: ManualClock
    seal: SealId
    department: str
    people: Mapping[str, Person]
    app: Any

    def desk(self, login: str) -> Desk:
        headers = {"accept": "text/html", "accept-language": "zh-CN"}
        return Desk(client=browser(self.app, self.service.settings.public_url, headers=headers), login=login)

    def signed_in(self, login: str) -> Desk:
        desk = self.desk(login)
        assert desk.sign_in().status_code == 200
        return desk

    def admits(self, cookie: str) -> bool:
        """Tell whether a cookie of the console lets anybody in."""
        service = self.service
        return ConsoleSessions(db=service.database, audit=service.audit, clock=self.clock).find(cookie) is not None

    def appoint(self, login: str, *rights: str) -> None:
        self.service.officers.appoint(self.people[login].id, rights, by="operator")

    def officer(self, login: str) -> Principal:
        return self.service.officers.principal(self.people[login].id)

    def propose(self, login: str, action: Action = Action.SUSPEND, **changes: Any) -> Affair:
        proposal = Proposal(action=action, seal=self.seal, payload={}, reason="换届", **changes)
        return self.service.affairs.propose(proposal, self.officer(login))

    @property
    def caller(self) -> Principal:
        """The department's system."""
        rights = frozenset({f"seal.use:{self.seal}"})
        return Principal(
            subject=self.department, kind=PrincipalKind.CLIENT, rights=rights, organisation="11990100MB0000000P"
        )


@pytest.fixture(scope="session")
def staffed(pattern: Town, tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A world to copy, with officers registered."""
    home = tmp_path_factory.mktemp("staffed") / "home"
    shutil.copytree(pattern.home, home)
    town = Town(settings=pattern.settings.model_copy(update={"home": home}), world=pattern.world)
    with cheap(), build.services(town.settings) as service:
        for login, name in (("zhao", "赵主任"), ("qian", "钱科长"), ("sun", "孙办事员")):
            service.registry.create_person(login=login, password=PASSWORD, name=name)
    return town


@pytest.fixture(scope="session")
def kept_open(staffed: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with opened(staffed, tmp_path_factory.mktemp("open") / "home") as made:
        yield made


@pytest.fixture
def office(kept_open: Office) -> Office:
    """One office for all tests: Zhao and Qian are officers, Sun is nobody's, the seal is in use."""
    for login in ("zhao", "qian"):
        kept_open.appoint(login, *EVERYTHING)
        kept_open.service.registry.set_person_active(kept_open.people[login].id, active=True)
    kept_open.appoint("sun")
    return kept_open


@contextmanager
def opened(staffed: Town, home: Path, **changed: Any) -> Iterator[Office]:
    """Open a copy of the staffed town, with other settings if they are given."""
    shutil.copytree(staffed.home, home)
    settings = staffed.settings.model_copy(update={"home": home, **changed})
    # Certificates are of today.
    clock = ManualClock(SystemClock().now())
    with ExitStack() as stack:
        with cheap():
            if changed:
                build.prepare(settings)
            service = stack.enter_context(build.services(settings, clock=clock))
        office = Office(
            service=service,
            clock=clock,
            seal=SealId(staffed.world.seal),
            department=staffed.world.department_id,
            people={login: service.registry.person(login) for login in ("zhao", "qian", "sun")},
            app=faces.application(service),
        )
        office.appoint("zhao", *EVERYTHING)
        office.appoint("qian", *EVERYTHING)
        yield office
