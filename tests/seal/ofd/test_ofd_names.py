"""What a file of a package says: names are found however they are written."""

import pytest

from seal.formats.ofd.archive import write_archive
from seal.formats.ofd.package import OfdPackage
from seal.formats.ofd.said import names_in
from seal.formats.ofd.structure import is_signature

WANTED = frozenset({"tpl_0.xml"})


def said(data: bytes, wanted: frozenset[str] = WANTED) -> frozenset[str]:
    return names_in(OfdPackage(write_archive({"OFD.xml": b"<OFD/>", "a.xml": data})), ["a.xml"], wanted)


@pytest.mark.parametrize(
    "data",
    [
        b"<a>Tpls/Tpl_0.xml</a>",
        b"\xef\xbb\xbf<a b='Tpl_0.xml'/>",
        b"<a><![CDATA[Tpl]]><![CDATA[_0.xml]]></a>",
        b"<a>Tpl&#x5f;0.xml</a>",
        "<a>..\\Tpls\\TPL＿0.ＸＭＬ. </a>".encode(),
        "<?xml version='1.0' encoding='UTF-16'?><a>Tpl_0.xml</a>".encode("utf-16"),
        "<?xml version='1.0' encoding='GB18030'?><a n='模板'>/Doc_0/Tpls/Tpl_0.xml</a>".encode("gb18030"),
        "<a>模板 \u0338</a>".encode().replace(b"</a>", b"<b c='\xcc\xb8/Tpl_0.xml'/></a>"),
        b"<a>\n  Tpl_0.xml:stream\n</a>",
        b"<a>Tpl<!-- -->_0.xml</a>",
        b"<a>Tpl_0.xml",
        b"<a>Tpl<b>xx</b>_0.xml</a>",
        b"<a>T<b/>PL<c>xx</c>_0.Xml</a>",
        b"<a b='&lt;'><c>Tpl</c><c>_0.xml</c></a>",
        b"<a b='&lt;'>",
        b"<a>&tpl;</a>",
        b"<a><?xml version='1.0'?></a>",
        b"<!DOCTYPE a><a/>",
    ],
)
def test_a_name_is_found_in_every_writing(data: bytes) -> None:
    assert said(data) == WANTED


@pytest.mark.parametrize(
    "data",
    [
        b"<a>Tpl_1.xml</a>",
        b"<a>Tpl<!-- -->_1.xml</a>",
        b"no xml: Tpl_0.xml",
        b"<a>xTpl_0.xml</a>",
        b"<a>Tpl_1.xml",
        b"<a>Tpl&lt;_0.xml</a>",
        "<a>Tpl<b/>０<c/>.xml 　模板</a>".encode(),
    ],
)
def test_what_is_not_said_is_not_found(data: bytes) -> None:
    assert said(data) == frozenset()


def test_a_name_outside_ascii_is_found_too() -> None:
    assert said("<a>Res/é图.png</a>".encode(), frozenset({"é图.png"})) == {"é图.png"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_a_signature_is_known_in_every_encoding(encoding: str) -> None:
    head = f"<?xml version='1.0' encoding='{encoding}'?>"
    text = f"{head}<Signature><SignedInfo/></Signature>".encode(encoding)
    package = OfdPackage(write_archive({"OFD.xml": b"<OFD/>", "a.xml": text, "b.xml": b"<Signature/>"}))
    assert is_signature(package, "a.xml")
    assert not is_signature(package, "b.xml")
