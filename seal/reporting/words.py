"""The words of the page for people, each in Chinese and in English."""

from collections.abc import Iterator, Mapping
from itertools import islice

from seal.model import Judgement, Report, SignatureReport, TimeSource, Verdict
from seal.reporting.reading import is_proved
from seal.wording import wording

Words = tuple[str, str]
_MOST_REASONS = 3

VERDICTS: Mapping[str, Words] = {
    "valid": ("有效", "valid"),
    "invalid": ("无效", "invalid"),
    "indeterminate": ("无法确认", "cannot be decided"),
    "unsigned": ("未签章", "unsigned"),
    "note": ("提示", "note"),
}
COLOURS: Mapping[str, str] = {
    "valid": "green",
    "invalid": "red",
    "indeterminate": "amber",
    "unsigned": "grey",
    "note": "grey",
}
ROLES: Mapping[str, Words] = {
    "SIGNER": ("签名者", "Signer"),
    "SEAL_MAKER": ("制章者", "Seal maker"),
    "TSA": ("时间戳机构", "Time-stamper"),
}
FORMATS: Mapping[str, Words] = {
    "pdf-pades": ("PDF 高级电子签名（PAdES）", "PDF advanced electronic signature (PAdES)"),
    "pdf-ses": ("PDF 电子签章（GB/T 38540）", "PDF e-seal signature (GB/T 38540)"),
    "pdf-gm-cms": ("PDF 数字签名（GB/T 35275）", "PDF digital signature (GB/T 35275)"),
    "pdf-pkcs7": ("PDF 签名（PKCS#7）", "PDF signature (PKCS#7)"),
    "doc-timestamp": ("PDF 文档时间戳（RFC 3161）", "PDF document time stamp (RFC 3161)"),
    "ofd-ses": ("OFD 电子签章（GB/T 38540）", "OFD e-seal signature (GB/T 38540)"),
    "ofd-gbt35275": ("OFD 数字签名（GB/T 35275）", "OFD digital signature (GB/T 35275)"),
    "ofd-gmt0099": ("OFD 文件清单签名（GM/T 0099）", "OFD list of files, signed (GM/T 0099)"),
    "ofd-sm2-value": ("OFD 数字签名（仅 SM2 签名值）", "OFD digital signature (a bare SM2 value)"),
    "ofd": ("OFD 签章（无法读取）", "OFD signature (cannot be read)"),
    "pdf": ("PDF 签名（不支持的类型）", "PDF signature (of no supported kind)"),
}
LEVELS: Mapping[str, Words] = {
    "b-b": ("B-B：基本签名", "B-B: basic"),
    "b-t": ("B-T：带可信时间戳", "B-T: with a trusted time stamp"),
    "b-lt": ("B-LT：带时间戳和日后核验所需的数据", "B-LT: with a time stamp and what it takes to judge it later"),
    "b-lta": (
        "B-LTA：带日后核验所需的数据，并由文档时间戳覆盖，可长期保存",
        "B-LTA: with what it takes to judge it later, under a document time stamp: for keeping",
    ),
}
STANDINGS: Mapping[str, Words] = {
    "good": ("未被吊销", "not revoked"),
    "revoked": ("已被吊销", "revoked"),
    "unknown": ("未知", "not known"),
}
SOURCES: Mapping[str, Words] = {
    "crl": ("吊销列表", "revocation list"),
    "ocsp": ("OCSP 应答", "OCSP answer"),
    "own": ("本机构的签发记录", "our own authority's records"),
}
_SENTENCES: Mapping[Verdict, tuple[Words, Words]] = {
    Verdict.VALID: (
        ("签章有效", "The seals and signatures are valid"),
        (
            "文件中的签章均由可信证书作出，受其保护的内容自签章后未被改动。",
            "Each was made with a trusted certificate, and what it protects has not been changed since.",
        ),
    ),
    Verdict.INVALID: (
        ("签章无效", "Not valid"),
        ("至少有一项已被证明不成立，请勿采信此文件。", "At least one thing is proved wrong: do not rely on this file."),
    ),
    Verdict.INDETERMINATE: (
        ("现在无法确认", "Cannot be decided now"),
        (
            "没有发现已被证明的问题，但缺少作出结论所需的信息。这不表示文件是假的，也不表示它是真的。",
            "Nothing is proved wrong, but something needed is not known. This means neither forged nor genuine.",
        ),
    ),
    Verdict.UNSIGNED: (
        ("文件没有签章", "The file is not sealed"),
        ("文件内容没有电子签章，无法据此判断其来源。", "No seal or signature answers for its content."),
    ),
}


def sentence(report: Report) -> tuple[Words, Words]:
    """Give the verdict on a file in one sentence, and what to make of it."""
    return _SENTENCES[report.verdict]


def reasons(report: Report) -> Iterator[Words]:
    """Give, in a few words each, the first findings that make the verdict what it is; none where all is well."""
    verdict = report.verdict  # once: it is worked out anew each time
    if verdict in {Verdict.VALID, Verdict.UNSIGNED}:
        return
    found = (*report.findings, *(each for one in report.signatures for each in one.findings))
    grave = dict.fromkeys(each.code for each in found if each.verdict is verdict)
    yield from map(wording, islice(grave, _MOST_REASONS))


def format_name(name: str) -> Words:
    """Name a signature's format by the one of ``FORMATS`` that it is, or is a kind of; else by itself."""
    if name in FORMATS:
        return FORMATS[name]
    known = max((each for each in FORMATS if "-" in each and name.startswith(f"{each}-")), key=len, default=None)
    return FORMATS[known] if known else (name, name)


def time_words(signature: SignatureReport) -> Words:
    """Say what the time of a signature is worth."""
    if is_proved(signature):
        return "由可信时间戳证明", "proved by a trusted time stamp"
    if signature.time_source is TimeSource.TIMESTAMP:
        return "时间戳所载，该时间戳未被采信", "stated by a time stamp that is not relied on"
    return "仅为签名者自述，未经时间戳证明", "only claimed by the signer, not proved by a time stamp"


def coverage_words(signature: SignatureReport) -> Words:
    """Say how much a signature protects."""
    covers = signature.evidence.coverage if signature.evidence else None
    if covers is None:
        return "未能确定", "could not be determined"
    if covers.unit == "revision":
        if covers.whole:
            return "整个文件（全部字节，签名值本身除外）", "the whole file (every octet but the signature value itself)"
        return (
            f"文件的第 {covers.part} 版，共 {covers.of} 版；其后追加的内容另行检查",
            f"revision {covers.part} of {covers.of}; what was added later is looked at apart",
        )
    if covers.whole:
        return f"全部 {covers.part} 个可保护的文件", f"all {covers.part} files that a signature can protect"
    return f"{covers.of} 个文件中的 {covers.part} 个", f"{covers.part} of {covers.of} files"


def held(signature: SignatureReport) -> Iterator[Words]:
    """Say what held, of a signature of which all that is needed held."""
    if signature.verdict is not Verdict.VALID or signature.evidence is None:
        return
    yield "受保护的内容自签章后未被改动", "What it protects has not been changed since"
    yield "签名值与签名者证书相符", "The signature value is the signer's"
    yield (
        "证书可追溯到受信任的根证书，签章时在有效期内",
        "The certificate leads to a trusted root and was in force then",
    )
    if signature.seal is not None:
        yield "印章由可信的制章者制作，签名者有权使用", "The seal is of a trusted maker, and its signer may use it"


def unchecked(judgement: Judgement) -> Iterator[Words]:
    """Say what was not checked, and so must not be read into the verdict."""
    signatures = judgement.report.signatures
    codes = {each.code for one in signatures for each in one.findings}
    if any(each.time is not None and not is_proved(each) for each in signatures):
        yield (
            "签章时间未经证明：采用的是签名者自述的时间。",
            "The time of sealing is not proved: the signer's own claim was taken.",
        )
    if "REVOCATION_UNKNOWN" in codes:
        yield (
            "证书是否被吊销未能查明。",
            "Whether the certificate was revoked could not be found out.",
        )
    if "REVOCATION_NOT_OFFERED" in codes:
        yield (
            "证书没有提供吊销查询，因此没有查询。",
            "The certificate offers no way to ask for its revocation, so nobody was asked.",
        )
    yield (
        "核验时没有联网查询，只依据手头的吊销列表、应答和文件自带的信息。",
        "Nobody was asked over the network: lists and answers at hand, and what the file brought along, had to do.",
    )
    if not judgement.register_asked:
        yield (
            "没有向印章登记系统查询印章当时的状态。",
            "No register was asked for the status of the seals.",
        )
    if "SEAL_UNKNOWN" in codes:
        yield (
            "印章不在本系统登记，其状态须向登记机关查询。",
            "A seal is not registered here: its status must be asked for where it is.",
        )
    if any(
        each.evidence is not None and each.evidence.coverage and not each.evidence.coverage.whole for each in signatures
    ):
        yield (
            "签章没有保护的内容，其来源和真实性不作判断。",
            "What a signature does not protect is named, not judged.",
        )
    yield (
        "文件所写内容是否属实、合法，以及签章人是否有权就此事项签章，不在核验范围内。",
        "Whether what the file says is true or lawful, or its signer was entitled to say so, is not for software.",
    )


def octets(count: int) -> str:
    """Write a size."""
    for unit, size in (("MiB", 1024**2), ("KiB", 1024)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
