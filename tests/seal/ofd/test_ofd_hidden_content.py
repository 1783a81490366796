"""Content that comes after the seal and stays unseen by a verifier that reads less than readers do."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from seal.errors import DocumentRefused
from seal.formats.ofd import verify_ofd
from seal.formats.ofd.archive import write_archive
from seal.model import Report, Verdict
from tests.sims.ofd_writing import enclosed_hash

EVIL = b"<Page>something else</Page>"
LATE = "Doc_0/Annots/All.xml"
ROOT = "Doc_0/Document.xml"
LIST = "Doc_0/Signs/Signatures.xml"
FIRST = "Doc_0/Signs/Sign_0"
Unpack = Callable[[bytes], dict[str, bytes]]
Complaints = Callable[[Report], list[str]]


@pytest.mark.parametrize(
    "location",
    [
        "Annots/<!-- a note -->All.xml",
        "Annots/All<?a b?>.xml",
        "Annots/<!-- a -->A<!-- b -->ll.xml",
        "Annots/All.xml/",
        "Annots/All.xml/.",
        "Annots/All.xml/any/..",
        "Annots//All.xml//",
        "Annots/<b>A</b>ll.xml",
        "<b>Annots/A</b><b>ll.xml</b>",
        'Annots/A<b c=">"/>ll.xml',
        'Annots/A<b c="\uff1e"/>ll.xml',
        "Annots/<b>A</b>" + "<b/>" * 300 + "ll.xml",
        "Annots/%41ll.xml",
        "Annots/All.xml?version=1",
        "Annots/All.xml#1",
        "Annots/All.xml\ufeff",
        "Annots/A\u200cll.xml",
    ],
)
def test_a_name_written_so_that_only_readers_make_it_out_is_made_out_here(
    location: str, workshop: Any, plain: bytes, unpack: Unpack, complaints: Complaints
) -> None:
    files = unpack(plain)
    waiting = f"<ofd:Annotations>{location}</ofd:Annotations></ofd:Document>".encode()
    files[ROOT] = files[ROOT].replace(b"</ofd:Document>", waiting)
    sealed = workshop.bureau.sealed(write_archive(files))
    forged = write_archive({**unpack(sealed), LATE: EVIL})
    assert complaints(verify_ofd(forged, workshop.bureau.trust)) == ["SHOWN_CONTENT_UNCOVERED"]


@pytest.mark.parametrize(
    "resources",
    [
        b" " * 100 + b"<Res><MediaFile>All.xml</MediaFile></Res>",
        b"\xef\xbb\xbf" + b"\n" * 100 + b"<Res><MediaFile>All.xml</MediaFile></Res>",
        b"<!DOCTYPE Res><Res><MediaFile>All.xml</MediaFile></Res>",
        b"<!DOCTYPE Res><Res><MediaFile>&#65;ll.xml</MediaFile></Res>",
        b'<!DOCTYPE Res [<!ENTITY a "ml">]><Res><MediaFile>All.x&a;</MediaFile></Res>',
        "<!DOCTYPE Res><Res><MediaFile>All.xml</MediaFile></Res>".encode("utf-16"),
        b"<Res><MediaFile>All.xml</MediaFile></Res><unfinished",
        b'<?xml version="1.0"' + b" " * 300 + b'encoding="utf-7"?><Res><MediaFile>+AEE-ll.xml</MediaFile></Res>',
        b'<?xml a="encoding=\'utf-8\'" encoding="utf-7"?><Res><MediaFile>+AEE-ll.xml</MediaFile></Res>',
        '<?xml version="1.0" encoding="IBM037"?><Res><MediaFile>All.xml</MediaFile></Res>'.encode("cp037"),
        b"\xef\xbb\xbf" + '<?xml version="1.0" encoding="GBK"?><Res>文件</Res>'.encode(),
    ],
)
def test_a_file_that_is_read_by_others_alone_still_names_what_it_names(
    resources: bytes, workshop: Any, plain: bytes, unpack: Unpack, complaints: Complaints
) -> None:
    sealed = workshop.bureau.sealed(write_archive({**unpack(plain), "Doc_0/Res.xml": resources}))
    assert verify_ofd(sealed, workshop.bureau.trust).verdict is Verdict.VALID
    forged = write_archive({**unpack(sealed), LATE: EVIL})
    assert complaints(verify_ofd(forged, workshop.bureau.trust)) == ["SHOWN_CONTENT_UNCOVERED"]


def test_a_version_added_to_an_open_entry_file_keeps_the_seal_from_being_valid(
    workshop: Any, unpack: Unpack, complaints: Complaints
) -> None:
    def leave_open(xml: bytes) -> bytes:
        return re.sub(rb'<ofd:Reference FileRef="/OFD.xml">.*?</ofd:Reference>', b"", xml)

    files = unpack(workshop.resealed(signature_xml=leave_open))
    version = b'<ofd:Versions><ofd:Version ID="1" Index="1" Current="true" BaseLoc="/Doc_0/V/DocVersion.xml"/>'
    files["OFD.xml"] = files["OFD.xml"].replace(b"</ofd:DocBody>", version + b"</ofd:Versions></ofd:DocBody>")
    files["Doc_0/V/DocVersion.xml"] = b"<DocVersion><DocRoot>/Doc_0/V/Evil.xml</DocRoot></DocVersion>"
    files["Doc_0/V/Evil.xml"] = EVIL
    report = verify_ofd(write_archive(files), workshop.bureau.trust)
    assert complaints(report) == ["SHOWN_CONTENT_UNCOVERED"]


def test_a_plain_signature_that_shows_a_seal_nobody_used_is_invalid(
    workshop: Any, unpack: Unpack, complaints: Complaints
) -> None:
    """Anyone may copy a seal out of a document; readers draw it wherever a Signature.xml says."""
    bureau = workshop.bureau
    anybody = bureau.authority.certify("anybody")
    files = unpack(workshop.document)
    files[LIST] = files[LIST].replace(b'"Seal"', b'"Sign"')
    files[f"{FIRST}/SignedValue.dat"] = enclosed_hash(anybody)(files[f"{FIRST}/Signature.xml"])
    report = verify_ofd(write_archive(files), bureau.trust)
    assert complaints(report) == ["SEAL_FILE_MISMATCH"]


def test_one_signature_listed_again_under_another_name_is_noticed(
    workshop: Any, unpack: Unpack, complaints: Complaints
) -> None:
    files = unpack(workshop.document)
    (row,) = re.findall(rb"<ofd:Signature [^>]*/>", files[LIST])
    again = row.replace(b"Sign_0", b"Sign_1").replace(b"s001", b"s009")
    files[LIST] = files[LIST].replace(row, row + again)
    files["Doc_0/Signs/Sign_1/Signature.xml"] = files[f"{FIRST}/Signature.xml"]
    assert complaints(verify_ofd(write_archive(files), workshop.bureau.trust)) == ["PACKAGE_MALFORMED"]


@pytest.mark.parametrize("name", ["Doc_0/a\ufffe.xml", "Doc_0/\uffff"])
def test_a_name_that_no_xml_can_carry_is_refused_for_sealing_and_listing(
    name: str, workshop: Any, plain: bytes, unpack: Unpack
) -> None:
    with pytest.raises(DocumentRefused):
        workshop.bureau.sealed(write_archive({**unpack(plain), name: b"x"}))


def test_a_document_in_a_folder_with_a_chinese_name_is_sealed(workshop: Any, plain: bytes, unpack: Unpack) -> None:
    files = {name.replace("Doc_0", "文档"): content for name, content in unpack(plain).items()}
    files["OFD.xml"] = files["OFD.xml"].replace(b"Doc_0", "文档".encode())
    once = workshop.bureau.sealed(write_archive(files))
    twice = workshop.bureau.sealed(once)
    report = verify_ofd(twice, workshop.bureau.trust)
    assert (report.verdict, len(report.signatures)) == (Verdict.VALID, 2)


@pytest.mark.parametrize("added", [b"<Content><Layer/></Content>", b'<Page PageID="1"><FileLoc>/a</FileLoc></Page>'])
def test_a_list_of_signatures_that_is_a_drawing_too_is_invalid(
    added: bytes, workshop: Any, unpack: Unpack, complaints: Complaints
) -> None:
    """The list is open to change; a sealed document may name it as its template or its annotations."""
    files = unpack(workshop.document)
    files[LIST] = files[LIST].replace(b"</ofd:Signatures>", added + b"</ofd:Signatures>")
    assert complaints(verify_ofd(write_archive(files), workshop.bureau.trust)) == ["PACKAGE_MALFORMED"]


def test_a_row_of_the_list_that_holds_more_than_its_attributes_is_invalid(
    workshop: Any, unpack: Unpack, complaints: Complaints
) -> None:
    files = unpack(workshop.document)
    files[LIST] = re.sub(rb"(<ofd:Signature [^>]*)/>", rb"\1><Layer/></ofd:Signature>", files[LIST])
    assert complaints(verify_ofd(write_archive(files), workshop.bureau.trust)) == ["PACKAGE_MALFORMED"]


def test_a_signature_file_that_is_a_drawing_too_is_invalid(workshop: Any, complaints: Complaints) -> None:
    def drawing(xml: bytes) -> bytes:
        return xml.replace(b"</ofd:Signature>", b"<Content><Layer/></Content></ofd:Signature>")

    report = verify_ofd(workshop.resealed(signature_xml=drawing), workshop.bureau.trust)
    assert complaints(report) == ["PACKAGE_MALFORMED"]
