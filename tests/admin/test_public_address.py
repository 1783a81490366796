"""The public address: an origin and nothing else, for it goes into every token and QR code."""

from pathlib import Path

import pytest

from admin.settings import SettingsRefused, load


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
