"""Settings: the only reader of the environment, and the only place that says what may run in production."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from tomllib import TOMLDecodeError
from types import MappingProxyType
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

DATABASES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")
_ORIGIN = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/?", re.ASCII
)


class SettingsRefused(Exception):
    """A setting is missing or wrong; the text names the option and the remedy."""


class Settings(BaseSettings):
    """Everything an operator may set, by ``XINYIN_…`` variables or in the TOML file ``XINYIN_HOME/xinyin.toml``."""

    model_config = SettingsConfigDict(env_prefix="XINYIN_", extra="forbid", frozen=True)

    home: Path = Path("xinyin-data")
    """Data folder: keys, objects, trust anchors and, unless ``database_url`` says otherwise, the database."""
    database_url: str = Field(default="", repr=False)
    """SQLAlchemy address; empty for SQLite in the data folder."""
    public_url: str = "http://127.0.0.1:8000"
    """Where people reach this service: issuer of tokens and host in every QR. No trailing slash."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    vault: Literal["soft", "sdf", "pkcs11"] = "soft"
    """Where private keys are: in sealed files, in a device with a GM/T 0018 library, in a PKCS #11 token."""
    vault_passphrase: SecretStr = SecretStr("")
    """Opens the software vault. Set by the operator's secret store, never written by us outside development."""
    vault_key_file: str = ""
    """Opens the software vault in the place of a passphrase: a file of 32 random octets, or of their hexadecimal."""
    vault_library: str = ""
    """The library of the device's or token's vendor."""
    vault_access: dict[Annotated[int, Field(ge=1, le=999_999_999)], SecretStr] = {}
    """SDF: the access password of each key that is used here, by its index; empty where the device wants none."""
    vault_failures: str = ""
    """SDF: the vendor's own return codes that mean the device has to be opened again, such as 0x01020001,0x01020002."""
    vault_token: str = ""
    """PKCS #11: the label of the token."""
    vault_pin: SecretStr = SecretStr("")
    """PKCS #11: the PIN of the token's user."""
    vault_sm2: str = ""
    """PKCS #11: the vendor's numbers for SM2, from its manual: CKK_ of keys, CKM_ to make a pair, CKM_ to sign."""
    vault_sessions: int = Field(default=8, ge=1, le=1024)
    """SDF and PKCS #11: how many sessions are open at once."""
    tsa: str = Field(default="", repr=False)
    """Addresses of time-stamp authorities (RFC 3161), with commas, in the order to ask; empty for no time stamps."""
    tsa_p256: str = Field(default="", repr=False)
    """The same for signatures that are not SM2, which other readers judge; empty: those of ``tsa`` are asked."""
    trust_hosts: str = ""
    """Hosts of authorities, with commas, that may be asked for revocation facts at private addresses too."""
    webhook_hosts: str = ""
    """Hosts, with commas, that may be told by webhooks at private addresses, other ports and without TLS too."""
    keep_sources_days: int = Field(default=90, ge=0, le=36_500)
    """For how many days the document of a completed sealing is kept as it was before it; 0 for ever."""
    docking_file: str = ""
    """A private TOML file: our account at the national seal platform; empty for no reports to it."""
    upstream_file: str = ""
    """A private TOML file: departments' own systems that sign for their seals, one table each; empty for none."""
    sm2_engine: str = ""
    """What computes SM2: "libbotan", "libcrypto" or a library's path; empty for the first that is found to work."""

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(DATABASES):
            # The value is not repeated: it may hold a password.
            raise ValueError("must be postgresql://user@host/name or sqlite:////path/to/file.db")
        return value

    @field_validator("vault_sm2")
    @classmethod
    def _three_numbers(cls, value: str) -> str:
        if value and len(numbers(value)) != _SM2_NUMBERS:
            raise ValueError(f"must be three numbers with commas between them, such as {_SM2_EXAMPLE}")
        return value

    @field_validator("vault_failures")
    @classmethod
    def _some_numbers(cls, value: str) -> str:
        numbers(value)
        return value

    @field_validator("tsa", "tsa_p256")
    @classmethod
    def _some_addresses(cls, value: str) -> str:
        found = addresses(value)
        if len(found) > _MOST_AUTHORITIES or len(set(found)) < len(found) or not all(map(_is_address, found)):
            # The value is not repeated: an address may hold a token.
            raise ValueError(
                f"must be up to {_MOST_AUTHORITIES} different addresses with commas between them, "
                "such as https://tsa.example.gov.cn/tsa, without a user"
            )
        return value

    @field_validator("public_url")
    @classmethod
    def _bare_origin(cls, value: str) -> str:
        origin = _ORIGIN.fullmatch(value)
        if origin is None or int(origin["port"] or 1) not in range(1, 65536):
            raise ValueError(
                "must be an origin such as https://id.example.gov.cn, in lower case ASCII, without a path or a user"
            )
        return value.removesuffix("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments win over the environment, and the environment over the file."""
        chosen = init_settings().get("home") or env_settings().get("home") or "xinyin-data"
        file = Path(str(chosen)) / "xinyin.toml"
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file))

    @property
    def database(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{self.home / 'xinyin.db'}"

    @property
    def secure(self) -> bool:
        """Whether people reach us by TLS."""
        return self.public_url.startswith("https://")


def addresses(text: str) -> tuple[str, ...]:
    """Split a list with commas; blanks around its members do not count."""
    return tuple(part.strip() for part in text.split(",")) if text.strip() else ()


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        return named and parts.port != 0 and not parts.fragment and text.isascii() and text.isprintable()
    except ValueError:
        return False


def numbers(text: str) -> tuple[int, ...]:
    """Read numbers with commas between them, decimal or 0x…; ValueError for anything else."""
    try:
        found = tuple(int(part, 0) for part in text.split(",")) if text else ()
    except ValueError:
        found = (-1,)
    if not all(0 <= number < 1 << 32 for number in found):
        raise ValueError(f"must be numbers with commas between them, such as {_SM2_EXAMPLE}")
    return found


def variable(name: str) -> SecretStr:
    """Read a secret from the variable an operator names; SettingsRefused if it is not set."""
    value = os.environ.get(name, "")
    if not value:
        raise SettingsRefused(f"There is nothing in the variable {name}: set it for this command.")
    return SecretStr(value)


def load(**given: object) -> Settings:
    """Read the settings; a wrong one is a SettingsRefused with one sentence, not a trace."""
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks what it is given
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        if first["type"] == "extra_forbidden":
            raise SettingsRefused(f"XINYIN_{name}: there is no such setting.") from error
        raise SettingsRefused(f"XINYIN_{name}: {first['msg'].removeprefix('Value error, ')}.") from error
    except SettingsError:
        # Only what is a table can be unreadable as such; the text of the error may hold the passwords in it.
        raise SettingsRefused(
            'XINYIN_VAULT_ACCESS: must be a JSON object, such as {"1": "password of key 1"}.'
        ) from None
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"xinyin.toml in the data folder cannot be read: {error}.") from error


def require_production(settings: Settings) -> None:
    """Refuse to serve with anything that is fit for development only."""
    if not settings.secure:
        raise SettingsRefused(
            "XINYIN_PUBLIC_URL must be https:// in production; for a trial on this machine use `xinyin dev`."
        )
    require_vault(settings)
    _require_safe_secret(settings)
    if (settings.home / DEV_MARK).exists():
        raise SettingsRefused(
            f"{settings.home} was made by `xinyin dev`: its keys and people are invented. Point XINYIN_HOME elsewhere."
        )


def require_new_secret(settings: Settings, *, passphrase: str = "", key_file: str = "") -> None:
    """Refuse to close a vault with what production would not be opened with, or nobody can type or set again."""
    if not passphrase.isprintable():
        raise SettingsRefused(
            "The new passphrase holds characters that are not seen, such as a line's end: use others."
        )
    given = Settings.model_construct(
        home=settings.home, vault_passphrase=SecretStr(passphrase), vault_key_file=key_file
    )
    if not (settings.home / DEV_MARK).exists():
        _require_strong(given)


def require_vault(settings: Settings) -> None:
    """Refuse vault settings that are missing, contradict one another or belong to another kind of vault."""
    kind = settings.vault
    given = {name for name in _VAULT_SETTINGS if _is_given(settings, name)}
    for name in (name for name in _VAULT_SETTINGS if name in _VAULT_NEEDS[kind]):
        if name not in given:
            raise SettingsRefused(f"XINYIN_{name.upper()} is empty: XINYIN_VAULT={kind} needs {_VAULT_SETTINGS[name]}.")
    if strange := sorted(given - _VAULT_NEEDS[kind] - _VAULT_MAY[kind]):
        raise SettingsRefused(
            f"XINYIN_{strange[0].upper()} means nothing with XINYIN_VAULT={kind}: remove it, or name another vault."
        )
    if given >= _SOFT:
        raise SettingsRefused(
            "XINYIN_VAULT_PASSPHRASE and XINYIN_VAULT_KEY_FILE are both set: "
            "a vault opens with one of them, remove the other."
        )
    if kind != "pkcs11" and not _SOFT & given:
        where = (
            "the key vault" if kind == "soft" else "the software vault beside the device, for keys it does not make,"
        )
        raise SettingsRefused(
            f"XINYIN_VAULT_PASSPHRASE is empty: {where} cannot be opened. Set it, or XINYIN_VAULT_KEY_FILE."
            + (_INVENTED if (settings.home / DEV_MARK).exists() else "")
        )


def _is_given(settings: Settings, name: str) -> bool:
    value = getattr(settings, name)
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def _require_safe_secret(settings: Settings) -> None:
    """Refuse what keeps vault and key in one place, and a passphrase that can be guessed."""
    _require_strong(settings)
    source = TomlConfigSettingsSource(Settings, settings.home / "xinyin.toml")
    if written := sorted(_SECRETS & source().keys()):
        raise SettingsRefused(
            f"XINYIN_{written[0].upper()} stands in {settings.home / 'xinyin.toml'}, beside the vault it opens: "
            "give it as a variable, from a secret store."
        )


def _require_strong(settings: Settings) -> None:
    phrase = settings.vault_passphrase.get_secret_value()
    if phrase and len(phrase) < _SHORTEST_PASSPHRASE:
        raise SettingsRefused(
            f"XINYIN_VAULT_PASSPHRASE has fewer than {_SHORTEST_PASSPHRASE} characters: "
            "choose a longer one with `xinyin key change-passphrase`."
        )
    home = settings.home.resolve()
    if settings.vault_key_file and Path(settings.vault_key_file).resolve().is_relative_to(home):
        raise SettingsRefused(
            f"XINYIN_VAULT_KEY_FILE lies in {settings.home}, where every copy of the vault would hold its key: "
            "move it elsewhere."
        )


_MOST_AUTHORITIES: Final = 8
"""Time-stamp authorities: all of them may be silent for their time, and a sealing still end within its lease."""
_SM2_NUMBERS: Final = 3
_SM2_EXAMPLE: Final = "0x80000001,0x80000002,0x80000003"
_SHORTEST_PASSPHRASE: Final = 12
_SOFT: Final = frozenset({"vault_passphrase", "vault_key_file"})
_INVENTED: Final = " This folder's passphrase is in its world.json, as everything invented for development."
_SECRETS: Final = frozenset({"vault_passphrase", "vault_pin", "vault_access"})
_VAULT_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "vault_passphrase": "a passphrase",
        "vault_key_file": "a key file",
        "vault_library": "the path of the vendor's library",
        "vault_access": 'the keys that are used here with their passwords, such as {"1": "password of key 1"}',
        "vault_failures": "return codes",
        "vault_token": "the label of the token",
        "vault_pin": "the PIN of the token's user",
        "vault_sm2": "numbers",
    }
)
# An SDF device has SM2 keys only: those that sign tokens stay in a software vault beside it.
_VAULT_NEEDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "soft": frozenset(),
        "sdf": frozenset({"vault_library", "vault_access"}),
        "pkcs11": frozenset({"vault_library", "vault_token", "vault_pin"}),
    }
)
_VAULT_MAY: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"soft": _SOFT, "sdf": _SOFT | {"vault_failures"}, "pkcs11": frozenset({"vault_sm2"})}
)

NO_DEVICE: Final[Mapping[str, object]] = MappingProxyType(
    {"vault": "soft", "vault_access": {}, "docking_file": "", "upstream_file": ""}
    | {name: "" for name in _VAULT_SETTINGS if name not in {"vault_access", "vault_passphrase"}}
)
"""The settings of a software vault, whatever the environment says of devices and of other bodies' systems."""

DEV_MARK = "DEVELOPMENT-ONLY"
"""A file of this name marks a data folder whose keys, people and seals are invented, from before the first of them."""
