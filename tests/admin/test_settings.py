"""Settings: what may be set, and what production refuses."""

from pathlib import Path

import pytest

from admin.settings import DEV_MARK, SettingsRefused, load, require_production


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://id.example.gov.cn", "https://id.example.gov.cn"),
        ("https://id.example.gov.cn/", "https://id.example.gov.cn"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://xn--fiqs8s.example", "https://xn--fiqs8s.example"),
    ],
)
def test_a_public_address_is_an_origin(tmp_path: Path, given: str, kept: str) -> None:
    assert load(home=tmp_path, public_url=given).public_url == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "https://",
        "https:///",
        "https://:443",
        "https://u:p@h.cn",
        "https://h.cn:0",
        "https://h.cn:",
        "https://h.cn:99999",
        "https://h.cn#f",
        "https://h.cn?",
        "https://h.cn//",
        "https://h.cn/x",
        "https://h.cn\n",
        "https://h\n.cn",
        "https:// h.cn",
        "https://h.cn\\evil",
        "https://h.cn;x",
        "https://h%2f.cn",
        "https://中国.example",
        "HTTPS://H.CN",
        "ftp://h.cn",
        "//h.cn",
    ],
)
def test_anything_else_is_refused_in_one_sentence(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsRefused, match=r"^XINYIN_PUBLIC_URL: .*origin"):
        load(home=tmp_path, public_url=given)


def test_production_refuses_plain_http_an_empty_passphrase_and_a_folder_made_for_development(tmp_path: Path) -> None:
    good = {"home": tmp_path, "public_url": "https://h.cn", "vault_passphrase": "long enough"}
    require_production(load(**good))
    for wrong in ({"public_url": "http://h.cn"}, {"vault_passphrase": ""}):
        with pytest.raises(SettingsRefused):
            require_production(load(**{**good, **wrong}))
    (tmp_path / DEV_MARK).touch()
    with pytest.raises(SettingsRefused, match="invented"):
        require_production(load(**good))
