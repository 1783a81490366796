"""What a signature leaves open.

A file left open that nothing leads to is a note: real signers leave OFD.xml out. The document's own root and pages
are another matter: were they open, what is shown would not be what was sealed. Between the two are files that a
protected one names: whoever adds or exchanges a template, an annotation or a picture changes what is shown, and
nobody can tell whether that was done.
"""

from collections.abc import Iterator

from seal.formats.ofd.package import ROOT_FILE, PackageError, alias, is_short, short_key
from seal.formats.ofd.rules.case import Case, names
from seal.formats.ofd.said import names_in
from seal.formats.ofd.structure import is_signature
from seal.model import Finding
from seal.ses.rules import invalid, note, undecided


def pages(case: Case) -> Iterator[Finding]:
    """Ask that the document's root and pages be readable and all protected."""
    if case.pages_fault:
        yield invalid("PACKAGE_MALFORMED", case.pages_fault)
    if case.exposed:
        yield invalid("PAGES_UNCOVERED", names(case.exposed))


def uncovered(case: Case) -> Iterator[Finding]:
    """Ask that every file be protected, but for those that cannot be."""
    if left := [path for path in case.uncovered if path not in case.apart]:
        yield note("UNCOVERED_CONTENT", names(left))


def doubles(case: Case) -> Iterator[Finding]:
    """Ask for names alike: a reader that folds them finds the one file in the place of the other."""
    if found := _doubles(case):
        yield invalid("PACKAGE_MALFORMED", f"another name for a protected file: {names(found)}")


def shown(case: Case) -> Iterator[Finding]:
    """Ask that no protected file lead to an open one, nor OFD.xml, and that every open one be readable."""
    rest = [path for path in case.uncovered if path not in case.exposed]
    if not rest:
        return
    # A list of files and its signature are nothing to show, whatever the name of one is the name of.
    apart = {*_doubles(case), *case.apart}
    wanted = {
        path: frozenset(alias(name).rpartition("/")[2] for name in case.package.names(path))
        for path in rest
        if path not in apart
    }
    try:
        for path in rest:
            case.package.read(path)  # what nobody reads may hold records for those who read as they go
        named = names_in(case.package, _leading(case), frozenset().union(*wanted.values()))
    except PackageError as error:
        yield invalid("PACKAGE_MALFORMED", str(error))
        return
    if found := [path for path, any_of in wanted.items() if any_of & named]:
        yield undecided("SHOWN_CONTENT_UNCOVERED", names(found))


def removed(case: Case) -> Iterator[Finding]:
    """Ask that each signature that this one protects still be listed."""
    gone = sorted(path for path in case.covered - case.listed if is_signature(case.package, path))
    if gone:
        yield invalid("SIGNATURE_REMOVED", names(gone))


def _leading(case: Case) -> list[str]:
    """Give the files that lead a reader on: those protected, and OFD.xml, where reading begins, be it open or not."""
    entry = case.package.find(ROOT_FILE)
    return sorted(case.covered | ({entry} if entry is not None else set()))


def _doubles(case: Case) -> list[str]:
    known = {alias(path) for path in case.covered}
    exposed = set(case.exposed)
    folded = {path: [alias(name) for name in case.package.names(path)] for path in case.uncovered}
    short = {short_key(name) for each in folded.values() for name in each if is_short(name)}
    short = short and short & {short_key(path) for path in known}
    return [
        path
        for path, each in folded.items()
        if path not in exposed and any(name in known or (is_short(name) and short_key(name) in short) for name in each)
    ]
