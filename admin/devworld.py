"""The invented world of development: a certificate authority, a department, its seal, a portal, a citizen.

Everything in it is marked: the data folder carries a file named DEVELOPMENT-ONLY, and `xinyin serve` refuses it.
A marked folder is made from an empty one, and only what was made is ever deleted.
"""

import fcntl
import json
import re
import secrets
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from admin import build
from admin import settings as configuration
from admin.settings import DEV_MARK, NO_DEVICE, Settings, SettingsRefused
from crypto.keys import KeyId, VaultSigner
from crypto.suites import SM2_SM3
from crypto.vaults.files import make_folder, write_once
from crypto.x509 import Certificate, make_csr, name
from idp.model import ConsentPolicy, Evidence, IdentityLevel
from idp.realname import DevPopulation
from kernel.clock import Clock
from seal.affairs.actions import APPLICATION, Action
from seal.affairs.dev import DevApprovers
from seal.affairs.model import Paper, Proposal
from seal.affairs.officers import RIGHTS
from seal.artwork import Design, draw
from seal.model import SealKind
from seal.pki.dev_ca import DevelopmentOnly
from seal.pki.policy import MAKER, SEAL_SIGNER
from seal.register import SealApplication, SigningKey

REGION = "990100"
"""No region has this code (GB/T 2260): what is made here cannot be taken for a real seal."""
DEPARTMENT = "云江市政务服务局"
DEPARTMENT_CODE = "11990100MB0000000P"
SEAL_BELOW = "审批专用章"
CITIZEN_LOGIN, CITIZEN_NAME = "zhangsan", "张三"
OFFICERS = (("zhouba", "周八"), ("wujiu", "吴九"))
"""Login and name of two people with every right over seals: what one proposes the other decides."""
RESIDENTS = {"990101199001010019": CITIZEN_NAME}
"""Invented residents of a region that does not exist, by number: what the development register knows."""
WORLD = "world.json"
"""The file of a marked folder that holds the invented names and secrets."""
PORTAL_FILE = "portal-secret"
ROOTS = "dev-roots"
INVENTED = "Xinyin Development"
"""Whose authorities these are, as every certificate says."""
_MARKED = "Everything in this folder is invented: people, keys, seals. `xinyin demo` deletes it without asking.\n"
_OURS = re.compile(
    rf"{DEV_MARK}|{re.escape(WORLD)}|{PORTAL_FILE}|vault|objects|trust|ca|{ROOTS}|(forms|webhooks|appkeys)\.key"
    r"|identity-key|console-client"
    r"|xinyin\.db(-wal|-shm|-journal)?|\..+\.new"
)
"""What stands in a marked folder; the last are left by a crash in the middle of writing."""
_SEAL_YEARS = 3
_PAPER = "开发环境：没有申请材料。Development: there are no papers.\n".encode()
_DEV_REASON = "development"
_DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class DevWorld:
    """The invented names and secrets; kept in the marked folder so that `dev` and `demo` find them again."""

    passphrase: str = field(repr=False)
    seal: str
    portal_id: str
    portal_secret: str = field(repr=False)
    department_id: str
    department_secret: str = field(repr=False)
    citizen_login: str
    citizen_password: str = field(repr=False)
    officer_password: str = field(default="", repr=False)
    """Of both officers; empty in folders that were made before there were any."""


def load(*, home: Path, port: int) -> Settings:
    """Load the settings for an invented world in ``home``: on this machine and in that folder, nowhere else."""
    # The database too: an address left in the environment may lead to real people.
    url = f"http://127.0.0.1:{port}"
    return configuration.load(home=home, port=port, host="127.0.0.1", public_url=url, database_url="", **NO_DEVICE)


def settings_of(settings: Settings) -> Settings:
    """Give ``settings`` with the passphrase the marked folder holds; a new folder gets a new one."""
    world = read(settings.home)
    phrase = world.passphrase if world else secrets.token_urlsafe(24)
    return settings.model_copy(update={"vault_passphrase": SecretStr(phrase)})


def read(home: Path) -> DevWorld | None:
    """Read the invented world of a folder; None if the folder is empty or not there yet."""
    if not home.exists() or not any(home.iterdir()):
        return None
    if not (home / DEV_MARK).is_file():
        raise SettingsRefused(f"{home} holds something else; name another folder with --home.")
    if not (home / WORLD).is_file():
        raise SettingsRefused(f"{home} was never finished: delete it, or name another folder with --home.")
    return DevWorld(**json.loads((home / WORLD).read_text("utf-8")))


def remove(home: Path) -> None:
    """Delete a marked folder; refuse one that is not marked, is in use, or holds anything that was not made here."""
    if not home.exists() and not home.is_symlink():
        return
    if home.is_symlink() or not home.is_dir():
        raise SettingsRefused(f"{home} is not a folder; name another with --home.")
    names = {entry.name for entry in home.iterdir()}
    if names:
        foreign = sorted(name for name in names if not _OURS.fullmatch(name))
        if foreign or not (home / DEV_MARK).is_file():
            raise SettingsRefused(f"{home} holds something else; name another folder with --home.")
        with _locked(home, fcntl.LOCK_EX):
            shutil.rmtree(home)


@contextmanager
def held(home: Path) -> Iterator[None]:
    """Keep a marked folder from being deleted by another `xinyin demo` while the block runs."""
    with _locked(home, fcntl.LOCK_SH):
        yield


@contextmanager
def _locked(home: Path, kind: int) -> Iterator[None]:
    with (home / DEV_MARK).open("rb") as mark:
        try:
            fcntl.flock(mark, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsRefused(f"{home} is in use; name another folder with --home.") from None
        yield


def population() -> DevPopulation:
    """Give the development stand-in for the population register."""
    return DevPopulation(RESIDENTS)


def make(settings: Settings, *, portal_url: str, clock: Clock) -> DevWorld:
    """Make the world in an empty data folder; ``settings`` come from ``settings_of``."""
    make_folder(settings.home)
    try:
        # First of all: whatever is made after it, and however that ends, is marked.
        write_once(settings.home / DEV_MARK, _MARKED.encode())
    except FileExistsError:
        raise SettingsRefused(f"{settings.home} is being made by another; name another folder with --home.") from None
    with held(settings.home):
        return _made(settings, portal_url, clock)


def _made(settings: Settings, portal_url: str, clock: Clock) -> DevWorld:
    build.prepare(settings)
    home = build.Home(root=settings.home)
    with build.services(settings, clock=clock) as service:
        # The roots' keys lie in the service's own vault: everything here is invented, and nothing goes into a safe.
        service.authorities.found(home.root / ROOTS, service.vault, INVENTED)
        # Trust is read when a service is built: what follows must already believe the new roots.
        service.authorities.trusted_in(home.trust)
    with build.services(settings, clock=clock) as service:
        seal = _seal(service, clock)
        portal = service.registry.create_client(
            name="云江市政务服务网（示例门户）",
            client_id="demo-portal",
            redirect_uris=(f"{portal_url}/callback",),
            post_logout_uris=(f"{portal_url}/bye",),
            consent=ConsentPolicy.ASK,
        )
        department = service.registry.create_client(
            name=f"{DEPARTMENT}审批系统（示例）",
            client_id="demo-department",
            organisation=DEPARTMENT_CODE,
            rights=(f"seal.use:{seal}", "license.issue:*", "license.read:*", "license.revoke:*", "license.template:*"),
        )
        password = secrets.token_urlsafe(9)
        service.registry.create_person(
            login=CITIZEN_LOGIN,
            password=password,
            name=CITIZEN_NAME,
            level=IdentityLevel.MATCHED,
            evidence=Evidence.COUNTER,
        )
        officer_password = _appoint(service)
    world = DevWorld(
        passphrase=settings.vault_passphrase.get_secret_value(),
        seal=seal,
        portal_id=portal.client.id,
        portal_secret=portal.secret or "",
        department_id=department.client.id,
        department_secret=department.secret or "",
        citizen_login=CITIZEN_LOGIN,
        citizen_password=password,
        officer_password=officer_password,
    )
    write_once(settings.home / WORLD, json.dumps(asdict(world), ensure_ascii=False, indent=2).encode())
    return world


def _appoint(service: build.Service) -> str:
    """Make the officers; give their password."""
    password = secrets.token_urlsafe(9)
    for login, called in OFFICERS:
        person = service.registry.create_person(
            login=login, password=password, name=called, level=IdentityLevel.MATCHED, evidence=Evidence.COUNTER
        )
        service.officers.appoint(person.id, (f"{right}:*" for right in RIGHTS), by="operator")
    return password


def seal_keys(service: build.Service, number: str) -> tuple[SigningKey, ...]:
    """Make both keys a seal of the department signs with, and have our own authorities certify them."""
    subject = name(number, DEPARTMENT, DEPARTMENT_CODE)
    made = []
    for kind in service.authorities.names:
        authority = service.authorities.get(kind)
        signer = VaultSigner(service.vault, service.vault.generate(authority.suite))
        certificate = authority.issue(make_csr(subject, signer), SEAL_SIGNER)
        made.append(SigningKey(suite=authority.suite, key=signer.key, certificate=certificate, chain=authority.chain))
    return tuple(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultMaker:
    """A seal maker whose key is in the service's vault."""

    key: KeyId
    certificate: Certificate
    chain: tuple[Certificate, ...] = ()


def seal_maker(service: build.Service) -> VaultMaker:
    """Make the key and the certificate of a seal maker."""
    authority = service.authorities.get(SM2_SM3.key.value)
    signer = VaultSigner(service.vault, service.vault.generate(authority.suite))
    subject = name("Xinyin Development Seal Maker", INVENTED)
    return VaultMaker(key=signer.key, certificate=authority.issue(make_csr(subject, signer), MAKER))


def _seal(service: build.Service, clock: Clock) -> str:
    number = service.register.next_id(REGION)
    now = clock.now().replace(microsecond=0)
    application = SealApplication(
        id=number,
        kind=SealKind.BUSINESS,
        name=f"{DEPARTMENT}{SEAL_BELOW}",
        owner=DEPARTMENT_CODE,
        owner_name=DEPARTMENT,
        picture=draw(Design(kind="department", name=DEPARTMENT, line=SEAL_BELOW, code=number)),
        valid_from=now - timedelta(minutes=1),
        valid_to=now + timedelta(days=_DAYS_A_YEAR * _SEAL_YEARS - 1),
    )
    return put_into_use(service, application, keys=seal_keys(service, number), maker=seal_maker(service))


def put_into_use(
    service: build.Service, application: SealApplication, *, keys: Sequence[SigningKey], maker: VaultMaker
) -> str:
    """Have a seal made, filed and activated; invented people agree to every step, and the record says so."""
    affairs = service.affairs
    with warnings.catch_warnings():
        # The folder is marked, and the record names them: nothing more need be said here.
        warnings.simplefilter("ignore", DevelopmentOnly)
        approvers = DevApprovers(affairs)
    picture = application.picture
    making = {
        "kind": int(application.kind),
        "name": application.name,
        "owner": application.owner,
        "owner_name": application.owner_name,
        "picture": {
            "object_key": affairs.keep(picture.png),
            "width_mm": picture.width_mm,
            "height_mm": picture.height_mm,
        },
        "valid_from": application.valid_from,
        "valid_to": application.valid_to,
        "keys": parts_of(keys),
        "maker": parts_of([maker])[0],
    }
    filing = {"filing_number": f"DEV-{application.id}", "body": INVENTED}
    paper = Paper(kind=APPLICATION, object_key=affairs.keep(_PAPER))
    for action, payload, papers in (
        (Action.MAKE, making, (paper,)),
        (Action.FILE, filing, ()),
        (Action.ACTIVATE, {}, ()),
    ):
        approvers.settle(
            Proposal(action=action, seal=application.id, payload=payload, reason=_DEV_REASON, papers=papers)
        )
    return str(application.id)


def parts_of(keys: Sequence[SigningKey | VaultMaker]) -> list[dict[str, str]]:
    """Name keys of the vault with their certificates, as a proposal to make a seal does."""
    paths = ((each.key, (each.certificate, *each.chain)) for each in keys)
    return [{"key": key, "certificates": "".join(each.pem() for each in path)} for key, path in paths]
