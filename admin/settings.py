"""Settings: the only reader of the environment, and the only place that says what may run in production."""

import re
from pathlib import Path
from tomllib import TOMLDecodeError

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

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
    vault_passphrase: SecretStr = SecretStr("")
    """Opens the software vault. Set by the operator's secret store, never written by us outside development."""
    trust_hosts: str = ""
    """Hosts of authorities, with commas, that may be asked for revocation facts at private addresses too."""
    sm2_engine: str = ""
    """What computes SM2: "libbotan", "libcrypto" or a library's path; empty for the first that is found to work."""

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(DATABASES):
            # The value is not repeated: it may hold a password.
            raise ValueError("must be postgresql://user@host/name or sqlite:////path/to/file.db")
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
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"xinyin.toml in the data folder cannot be read: {error}.") from error


def require_production(settings: Settings) -> None:
    """Refuse to serve with anything that is fit for development only."""
    if not settings.secure:
        raise SettingsRefused(
            "XINYIN_PUBLIC_URL must be https:// in production; for a trial on this machine use `xinyin dev`."
        )
    if not settings.vault_passphrase.get_secret_value():
        raise SettingsRefused("XINYIN_VAULT_PASSPHRASE is empty: the key vault cannot be opened.")
    if (settings.home / DEV_MARK).exists():
        raise SettingsRefused(
            f"{settings.home} was made by `xinyin dev`: its keys and people are invented. Point XINYIN_HOME elsewhere."
        )


DEV_MARK = "DEVELOPMENT-ONLY"
"""A file of this name marks a data folder whose keys, people and seals are invented, from before the first of them."""
