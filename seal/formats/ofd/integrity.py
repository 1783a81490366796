"""The integrity list of a package: a signed list of the names of all its files (GM/T 0099).

It says which files belong to the document, so that none can be smuggled in; what is in them is for signatures to say.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from lxml import etree

from crypto.digests import SM3
from seal.errors import DocumentRefused, UnsupportedDocument
from seal.formats.gbt35275 import signing_template
from seal.formats.ofd.gbt35275 import judge_signed_value
from seal.formats.ofd.package import (
    OfdPackage,
    PackageError,
    child,
    child_text,
    children,
    local_name,
    only_children,
    parse_xml,
)
from seal.formats.ofd.plan import INTEGRITY_LIST, open_package, root_file
from seal.formats.ofd.signature_xml import PROVIDER
from seal.formats.ofd.signing import PreparedMessage
from seal.formats.ofd.structure import read_bodies
from seal.model import Credential, Finding, Mark, PreparedDocument, SignatureReport, Verdict
from seal.ses import time_from_text
from seal.ses.model import CHINA_TIME
from seal.trust import Trust

FORMAT = "ofd-gmt0099"
_DAY = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}", re.ASCII)
MAX_FILES = 10_000
_NAMES_SHOWN, _NAME_SHOWN = 4, 200


class OfdIntegrity:
    """The ``SealFormat`` that closes a package by a signed list of its files: the last step, after all seals.

    Nothing of the mark counts. The list says nothing about what is in the files: a package with no other signature
    stays unsigned.
    """

    name = FORMAT
    media_type = "application/ofd"

    def prepare(self, document: bytes, mark: Mark, credential: Credential, at: datetime) -> PreparedDocument:
        """Lay the list of the files of ``document`` out for signing at ``at``.

        Refuses a certificate that is not SM2 or not valid at ``at``, and a package that cannot be read or has such
        a list already.
        """
        del mark
        at = at.astimezone(UTC).replace(microsecond=0)
        template = signing_template(credential, at)
        try:
            package = open_package(document)
            read_bodies(package)
            if package.find(INTEGRITY_LIST) is not None:
                raise UnsupportedDocument("The package has an integrity list (GM/T 0099) already.")
            value = _free_name(package)
            written = integrity_xml(package, value, at)
        except PackageError as error:
            raise DocumentRefused(f"The OFD document cannot be read: {error}.") from error
        return PreparedMessage(
            package=package,
            changes={INTEGRITY_LIST: written},
            value=value,
            template=template,
            credential=credential,
            at=at,
            document_digest=SM3.digest(written),
        )


def integrity_xml(package: OfdPackage, value: str, at: datetime) -> bytes:
    """Write OFDEntries.xml: every file of ``package``, and ``value``, where the signed value will lie."""
    namespace = etree.QName(package.xml(root_file(package))).namespace or ""
    prefix = f"{{{namespace}}}" if namespace else ""
    root = etree.Element(f"{prefix}DocEntries", nsmap={"ofd": namespace} if namespace else None)
    root.set("ID", "1")
    root.set("CreatorName", PROVIDER["ProviderName"])
    root.set("Version", PROVIDER["Version"])
    root.set("CreationDate", at.astimezone(CHINA_TIME).date().isoformat())
    etree.SubElement(root, f"{prefix}SignedValueLoc").text = f"/{value}"
    listed = etree.SubElement(root, f"{prefix}FileList")
    for number, path in enumerate(sorted(package.paths), 2):
        row = etree.SubElement(listed, f"{prefix}File")
        row.set("ID", str(number))
        row.set("FileLoc", f"/{path}")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _free_name(package: OfdPackage) -> str:
    taken = {path.casefold() for path in package.paths}
    number = 0
    while (name := f"signedvalue{number or ''}.dat") in taken:
        number += 1
    return name


# --- judging ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedList:
    """What was found out about an integrity list, and the files that came with it."""

    report: SignatureReport
    files: frozenset[str]
    """The list and its signed value, if the list holds; else nothing is known of what they are."""


def judge_integrity(package: OfdPackage, trust: Trust, at: datetime | None) -> JudgedList | None:
    """Judge the package's integrity list, if it has one: its signature, and that it lists these files and no others.

    Never raises for what the package holds.
    """
    path = package.find(INTEGRITY_LIST)
    if path is None:
        return None
    try:
        raw = package.read(path)
        read = _read_list(raw, path)
    except PackageError as error:
        return JudgedList(report=_unread(_invalid("INTEGRITY_LIST_MALFORMED", str(error))), files=frozenset())
    value = package.locate(read.value, path) if read.value else None
    own = frozenset(name for name in (path, value) if name is not None)
    faults = list(_compare(package, read.files, path, own))
    if value is None:
        missing = _invalid(
            "SIGNED_VALUE_MISSING", f"{(read.value or 'the location of its signature')[:_NAME_SHOWN]} is missing"
        )
        return JudgedList(report=_unread(*faults, missing), files=frozenset())
    try:
        octets = package.read(value)
    except PackageError as error:
        return JudgedList(report=_unread(*faults, _invalid("PACKAGE_MALFORMED", str(error))), files=frozenset())
    judged = judge_signed_value(octets, signed=raw, claimed=_claimed(read.created, trust), trust=trust, at=at)
    report = replace(judged, format=FORMAT, findings=(*faults, *judged.findings))
    # Nobody hides a file by calling it the list's signature: it must be one, and hold.
    return JudgedList(report=report, files=own if report.verdict is Verdict.VALID else frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    value: str | None
    files: tuple[str, ...]
    created: str


def _claimed(created: str, trust: Trust) -> datetime | None:
    """Read CreationDate, a day in China: its end counts, or now if that is earlier.

    Whoever signs on the day a certificate begins signs after it began, not at midnight.
    """
    start = time_from_text(created)
    if start is None or not _DAY.fullmatch(created.strip()):
        return start
    end = start + timedelta(days=1, seconds=-1)
    return end if trust.now is None else max(start, min(end, trust.now))


def _read_list(raw: bytes, path: str) -> _List:
    root = parse_xml(raw, path)
    if local_name(root) != "DocEntries":
        raise PackageError(f"{path} is no list of files")
    only_children(root, path, "SignedValueLoc", "FileList")
    listed = child(root, "FileList")
    files = tuple(row.get("FileLoc", "") for row in children(listed, "File")) if listed is not None else ()
    if len(files) > MAX_FILES:
        raise PackageError(f"{path} lists {len(files)} files, more than the {MAX_FILES} allowed")
    return _List(value=child_text(root, "SignedValueLoc"), files=files, created=root.get("CreationDate", ""))


def _compare(package: OfdPackage, files: Iterable[str], path: str, own: frozenset[str]) -> Iterator[Finding]:
    """Find what is here and not on the list, and the other way round."""
    found = {location: package.locate(location, path) for location in files}
    added = sorted(set(package.paths) - set(found.values()) - own)
    if added:
        yield _invalid("INTEGRITY_LIST_FILE_ADDED", _names(added))
    missing = sorted(location for location, stored in found.items() if stored is None)
    if missing:
        yield _invalid("INTEGRITY_LIST_FILE_MISSING", _names(missing))


def _unread(*findings: Finding) -> SignatureReport:
    return SignatureReport(format=FORMAT, signer=None, seal=None, time=None, time_source=None, findings=findings)


def _invalid(code: str, detail: str) -> Finding:
    return Finding(code=code, verdict=Verdict.INVALID, detail=detail)


def _names(paths: list[str]) -> str:
    rest = len(paths) - _NAMES_SHOWN
    return ", ".join(path[:_NAME_SHOWN] for path in paths[:_NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


OFD_INTEGRITY = OfdIntegrity()
