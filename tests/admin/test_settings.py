"""Settings: where they come from, which win, and the sentence that a wrong one gets."""

from collections.abc import Callable
from pathlib import Path

import pytest

from admin.settings import Settings, SettingsRefused, addresses, require_production
from tests.admin.conftest import Town, Xinyin

Load = Callable[..., Settings]


def test_without_any_setting_nobody_outside_this_machine_is_served(loaded: Load) -> None:
    settings = loaded({})
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.database == "sqlite:///xinyin-data/xinyin.db"
    assert not settings.secure


def test_the_file_of_the_data_folder_is_read(loaded: Load, tmp_path: Path) -> None:
    (tmp_path / "xinyin.toml").write_text('port = 9000\npublic_url = "https://id.example.test/"\n')
    settings = loaded({"XINYIN_HOME": str(tmp_path)})
    assert settings.port == 9000
    assert settings.public_url == "https://id.example.test"
    assert settings.secure


def test_an_argument_wins_over_the_environment_and_the_environment_over_the_file(loaded: Load, tmp_path: Path) -> None:
    (tmp_path / "xinyin.toml").write_text('port = 9000\nhost = "127.0.0.2"\nsm2_engine = "/file"\n')
    variables = {"XINYIN_HOME": str(tmp_path), "XINYIN_PORT": "9001", "XINYIN_HOST": "127.0.0.3"}
    settings = loaded(variables, host="127.0.0.4")
    assert (settings.host, settings.port, settings.sm2_engine) == ("127.0.0.4", 9001, "/file")


def test_authorities_are_asked_in_the_order_of_the_setting(loaded: Load) -> None:
    settings = loaded({"XINYIN_TSA": "https://one.example.test/tsa?key=k, http://[::1]:8318/tsa"})
    assert addresses(settings.tsa) == ("https://one.example.test/tsa?key=k", "http://[::1]:8318/tsa")
    assert addresses(loaded({"XINYIN_TSA": " "}).tsa) == ()
    assert "key=k" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "eight", "valid integer"),
        ("PORT", "65536", "less than or equal to 65535"),
        ("PUBLIC_URL", "https://id.example.test/path", "without a path"),
        ("PUBLIC_URL", "ftp://id.example.test", "origin such as"),
        ("PUBLIC_URL", "id.example.test", "origin such as"),
        ("PUBLIC_URL", "https://id.example.test/?a=b", "origin such as"),
        ("DATABASE_URL", "mysql://root:hunter2@db/x", "postgresql://"),
        ("DATABASE_URL", "hunter2", "sqlite:////"),
        ("TSA", "tsa.example.test", "different addresses"),
        ("TSA", "ftp://tsa.example.test", "different addresses"),
        ("TSA", "https://clerk:hunter2@tsa.example.test/", "different addresses"),
        ("TSA", "https://tsa.example.test:port/", "different addresses"),
        ("TSA", "https://tsa.example.test/,", "different addresses"),
        ("TSA", "https://tsa.example.test/,https://tsa.example.test/", "different addresses"),
        ("TSA", ",".join(f"https://tsa{number}.example.test/?key=hunter2" for number in range(9)), "up to 8"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_option(loaded: Load, name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        loaded({f"XINYIN_{name}": value})
    sentence = str(refused.value)
    assert sentence.startswith(f"XINYIN_{name}: ")
    assert said in sentence
    assert "\n" not in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 8000", "XINYIN_PROT: there is no such setting."),
        ("port = ", "xinyin.toml in the data folder cannot be read"),
        ('port = "eight"', "XINYIN_PORT: "),
    ],
)
def test_a_wrong_file_is_one_sentence_too(loaded: Load, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "xinyin.toml").write_text(text)
    with pytest.raises(SettingsRefused) as refused:
        loaded({"XINYIN_HOME": str(tmp_path)})
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_a_wrong_setting_ends_every_command_with_64(xinyin: Xinyin) -> None:
    done = xinyin("serve", port="eight")
    assert done.code == 64
    assert done.out == ""
    assert done.err.startswith("xinyin: XINYIN_PORT: ")
    assert done.err.endswith(" [settings]\n")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"public_url": "http://id.example.test", "vault_passphrase": "correct horse"}, "XINYIN_PUBLIC_URL"),
        ({"public_url": "http://127.0.0.1:8000", "vault_passphrase": "correct horse"}, "XINYIN_PUBLIC_URL"),
        ({"public_url": "https://id.example.test"}, "XINYIN_VAULT_PASSPHRASE"),
    ],
)
def test_production_is_refused_what_is_fit_for_development_only(
    loaded: Load, tmp_path: Path, given: dict[str, object], named: str
) -> None:
    with pytest.raises(SettingsRefused, match=named):
        require_production(loaded({}, home=tmp_path, **given))


def test_production_is_refused_the_invented_world(town: Town) -> None:
    settings = town.settings.model_copy(update={"public_url": "https://id.example.test"})
    with pytest.raises(SettingsRefused, match="invented"):
        require_production(settings)


def test_no_secret_is_in_the_text_of_the_settings(loaded: Load) -> None:
    variables = {
        "XINYIN_VAULT_PASSPHRASE": "open sesame",
        "XINYIN_DATABASE_URL": "postgresql://xinyin:hunter2@db.example.test/xinyin",
    }
    settings = loaded(variables)
    assert settings.vault_passphrase.get_secret_value() == "open sesame"
    for text in (repr(settings), str(settings)):
        assert "open sesame" not in text
        assert "hunter2" not in text
