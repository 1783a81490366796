"""The rules for an OFD package and for each signature of it, beside those for what is inside the signature value."""

from seal.formats.ofd.package import PackageError
from seal.formats.ofd.rules import container, coverage, references, stamps
from seal.formats.ofd.rules.case import Case, Files, Sealed, SignatureList, make_case, read_files, read_list
from seal.ses.rules import Rule

__all__ = [
    "FILE_RULES",
    "LIST_RULES",
    "NAMED_ONCE",
    "PACKAGE",
    "RULES",
    "SEALED",
    "Case",
    "Files",
    "Sealed",
    "SignatureList",
    "make_case",
    "read_files",
    "read_list",
]

PACKAGE: Rule[PackageError] = Rule(
    name="package",
    step=1,
    asks="The file is one ZIP archive, read alike by every reader, within limits, and OFD.xml names its documents.",
    codes=("PACKAGE_MALFORMED",),
    check=container.unreadable,
)
"""Asked of what could not be read; then there is no case for the others."""

LIST_RULES: tuple[Rule[SignatureList], ...] = (
    Rule(
        name="list",
        step=1,
        asks="The list of signatures that OFD.xml names is there and can be read.",
        codes=("SIGNATURE_FILE_MISSING", "PACKAGE_MALFORMED"),
        check=container.signature_list,
    ),
)

NAMED_ONCE: Rule[tuple[SignatureList, tuple[Files, ...]]] = Rule(
    name="named once",
    step=1,
    asks="The list names each signature once; no two have one value.",
    codes=("PACKAGE_MALFORMED",),
    check=container.named_once,
)

SEALED: Rule[Sealed] = Rule(
    name="documents",
    step=1,
    asks="There is a signature, and every document of the package bears one.",
    codes=("NO_SIGNATURE", "DOCUMENT_WITHOUT_SEAL"),
    check=container.sealed,
)

FILE_RULES: tuple[Rule[Files], ...] = (
    Rule(
        name="files",
        step=1,
        asks="Signature.xml and the file of the value are there and can be read.",
        codes=("SIGNATURE_FILE_MISSING", "SIGNED_VALUE_MISSING", "PACKAGE_MALFORMED"),
        check=container.signature_files,
    ),
    Rule(
        name="seal file there",
        step=1,
        asks="The seal file that Signature.xml names is there; a plain signature names none.",
        codes=("SEAL_FILE_MISMATCH",),
        check=container.seal_file,
    ),
)

RULES: tuple[Rule[Case], ...] = (
    Rule(
        name="check method",
        step=6,
        asks="The digest algorithm of the references is known and not weak (MD5, where none is named).",
        codes=("ALGORITHM_UNSUPPORTED", "WEAK_DIGEST"),
        check=references.method,
    ),
    Rule(
        name="references",
        step=6,
        asks="Every protected file is there and has its digest.",
        codes=("REFERENCE_MISMATCH", "REFERENCE_MISSING", "PACKAGE_MALFORMED"),
        check=references.check,
    ),
    Rule(
        name="pages",
        step=6,
        asks="The document's root and pages are there and are all protected.",
        codes=("PAGES_UNCOVERED", "PACKAGE_MALFORMED"),
        check=coverage.pages,
    ),
    Rule(
        name="uncovered",
        step=6,
        asks="Every other file is protected, but for those that no signature can protect.",
        codes=("UNCOVERED_CONTENT",),
        check=coverage.uncovered,
    ),
    Rule(
        name="doubles",
        step=6,
        asks="No open file has a name that some readers take for a protected one's.",
        codes=("PACKAGE_MALFORMED",),
        check=coverage.doubles,
    ),
    Rule(
        name="shown",
        step=6,
        asks="Neither OFD.xml nor a protected file leads to an open one; every open one can be read.",
        codes=("SHOWN_CONTENT_UNCOVERED", "PACKAGE_MALFORMED"),
        check=coverage.shown,
    ),
    Rule(
        name="removed",
        step=6,
        asks="Every earlier signature that is protected is still listed.",
        codes=("SIGNATURE_REMOVED",),
        check=coverage.removed,
    ),
    Rule(
        name="stamps",
        step=6,
        asks="Every stamp names one page of the document and shows something on it.",
        codes=("STAMP_PAGE_UNKNOWN", "STAMP_PAGE_AMBIGUOUS", "STAMP_SHOWS_NOTHING"),
        check=stamps.check,
    ),
)
