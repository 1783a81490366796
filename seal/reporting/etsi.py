"""The report for programs: JSON with the element names of ETSI TS 119 102-2, a ValidationReport.

The standard defines XML; what is written here has its names and nesting, arrays where it allows repetition, digests by
``urn:oid:`` and instants as in RFC 3339. ``validation-report.schema.json`` beside this file says exactly what.
No indication promises more than our verdict: what stands against the file counts against each of its signatures.
"""

from base64 import b64encode
from datetime import UTC, datetime

from crypto.digests import SHA256, SM3
from seal.model import (
    Algorithm,
    CertificateEvidence,
    CertificateFacts,
    FileFacts,
    Finding,
    Judgement,
    RevocationFacts,
    SignatureReport,
    TimeSource,
)
from seal.reporting.indications import Indication, Main, gravest, indication
from seal.reporting.reading import DOCUMENT_STAMP, is_proved, signer_of
from seal.reporting.texts import fit
from seal.wording import wording

MEDIA_TYPE = "application/vnd.etsi.validation-report+json"
POLICY = "urn:xinyin:validation-policy:1"
_ETSI = "urn:etsi:019102"
_OWN = "urn:xinyin:validation-report"
_CONSTRAINT_MAINS = {Main.PASSED: "passed", Main.FAILED: "failed", Main.INDETERMINATE: "indeterminate"}
_FILE = "D-1"

Json = dict[str, object]


def etsi_report(judgement: Judgement) -> Json:
    """Write ``judgement`` as a ValidationReport; without any signature it holds none, and only ours says why."""
    report = judgement.report
    certificates: dict[str, CertificateFacts] = {}
    signatures = [
        _signature(judgement, number, each, certificates) for number, each in enumerate(report.signatures, start=1)
    ]
    return {
        "ValidationReport": {
            "SignatureValidationReport": signatures,
            "SignatureValidationObjects": {
                "ValidationObject": [
                    _file_object(judgement.file),
                    *(_certificate_object(key, facts) for key, facts in certificates.items()),
                ]
            },
        },
        "Document": {
            "Verdict": report.verdict.value,
            **({"Name": fit(judgement.file.name)} if judgement.file.name else {}),
            "MediaType": judgement.file.media_type,
            "Size": judgement.file.size,
            "JudgedAt": _instant(judgement.judged_at),
            **({"AsOf": _instant(judgement.as_of)} if judgement.as_of else {}),
            "RegisterAsked": judgement.register_asked,
            "Finding": [_finding(each) for each in report.findings],
        },
    }


def _signature(
    judgement: Judgement, number: int, signature: SignatureReport, certificates: dict[str, CertificateFacts]
) -> Json:
    told: Json = {
        "SignatureIdentifier": _identifier(number, signature),
        "ValidationConstraintsEvaluationReport": {
            "SignatureValidationPolicy": {
                "SignaturePolicyIdentifier": {"Identifier": POLICY},
                "PolicyName": "Xinyin: at the time of sealing, every finding told",
            },
            "ValidationConstraint": [_constraint(each) for each in signature.findings],
        },
        "ValidationTimeInfo": _times(judgement, signature),
        "SignersDocument": _document(signature),
    }
    if attributes := _attributes(signature):
        told["SignatureAttributes"] = attributes
    if signature.signer is not None:
        used = signer_of(signature)
        told["SignerInformation"] = {
            **({"SignerCertificate": _reference(_known(used, certificates))} if used else {}),
            "Signer": fit(signature.signer),
        }
    return told | {
        "SignatureValidationProcess": {
            "SignatureValidationProcessID": f"{_ETSI}:validationprocess:{_process(signature)}"
        },
        "SignatureValidationStatus": _status(judgement, signature, certificates),
    }


def _identifier(number: int, signature: SignatureReport) -> Json:
    evidence = signature.evidence
    told: Json = {"id": f"S-{number}", "HashOnly": False, "DocHashOnly": False}
    if evidence is not None:
        told["SignatureValue"] = _base64(evidence.value)
        if evidence.signed_digest is not None:
            told["DigestAlgAndValue"] = _digest(evidence.digest.oid, evidence.signed_digest)
    return told


def _times(judgement: Judgement, signature: SignatureReport) -> Json:
    # A claimed time proves nothing: what is known is that the signature is there now.
    proved = signature.time if is_proved(signature) else None
    return {
        "ValidationTime": _instant(judgement.judged_at),
        "BestSignatureTime": {
            "POETime": _instant(proved or judgement.judged_at),
            "TypeOfProof": f"{_ETSI}:poetype:validation",
        },
    }


def _process(signature: SignatureReport) -> str:
    return "LTVM" if is_proved(signature) and signature.format != DOCUMENT_STAMP else "Basic"


def _document(signature: SignatureReport) -> Json:
    evidence = signature.evidence
    told: Json = {"SignersDocumentRef": _reference(_FILE)}
    if evidence is not None and evidence.content_digest is not None:
        told["DigestAlgAndValue"] = _digest(evidence.digest.oid, evidence.content_digest)
    return told


def _attributes(signature: SignatureReport) -> Json:
    evidence = signature.evidence
    told: Json = {}
    if signature.time is not None and signature.time_source is TimeSource.CLAIMED:
        told["SigningTime"] = [{"Time": _instant(signature.time)}]
    if evidence is not None and evidence.content_digest is not None:
        told["MessageDigest"] = [{"Signed": True, "Digest": _base64(evidence.content_digest)}]
    if signature.reason:
        told["Reason"] = [{"Signed": True, "ReasonElement": fit(signature.reason)}]
    return told


def _status(judgement: Judgement, signature: SignatureReport, certificates: dict[str, CertificateFacts]) -> Json:
    evidence = signature.evidence
    found = gravest((*signature.findings, *judgement.report.findings))
    data: list[Json] = []
    if evidence is not None:
        data += [_certificate_data(each, certificates) for each in evidence.certificates]
        data.append({"CryptoInformation": _crypto(evidence.signature)})
        data.append({"CryptoInformation": _crypto(evidence.digest)})
    data.append(_additional(judgement, signature))
    return _indicated(found) | {"AssociatedValidationReportData": data}


def _certificate_data(evidence: CertificateEvidence, certificates: dict[str, CertificateFacts]) -> Json:
    keys = [_known(each, certificates) for each in (evidence.certificate, *evidence.chain)]
    chain: Json = {"SigningCertificate": _reference(keys[0])}
    if len(keys) > 1:
        chain["IntermediateCertificate"] = [_reference(key) for key in keys[1:-1]]
        chain["TrustAnchor"] = _reference(keys[-1])
    told: Json = {"CertificateChain": chain}
    revoked = [(key, each) for key, each in zip(keys, evidence.revocation, strict=False) if each.revoked_at is not None]
    if revoked:
        told["RevocationStatusInformation"] = [
            {
                "ValidationObjectId": _reference(key),
                "RevocationTime": _instant(each.revoked_at or evidence.at),
                "RevocationReason": each.reason or "unspecified",
            }
            for key, each in revoked
        ]
    told["AdditionalValidationReportData"] = {
        "ReportData": [
            {"Type": f"{_OWN}:role", "Value": evidence.role},
            {"Type": f"{_OWN}:judged-as-of", "Value": _instant(evidence.at)},
            *({"Type": f"{_OWN}:revocation", "Value": _revocation(each)} for each in evidence.revocation),
        ]
    }
    return told


def _revocation(facts: RevocationFacts) -> Json:
    told: Json = {"Subject": fit(facts.subject), "Standing": facts.standing}
    if facts.source is not None:
        told["Source"] = facts.source
    if facts.speaker is not None:
        told["Speaker"] = fit(facts.speaker)
    if facts.issued is not None:
        told["Issued"] = _instant(facts.issued)
    if facts.why:
        told["Why"] = fit(facts.why)
    return told


def _additional(judgement: Judgement, signature: SignatureReport) -> Json:
    rows: list[Json] = [
        {"Type": f"{_OWN}:verdict", "Value": signature.verdict.value},
        {"Type": f"{_OWN}:format", "Value": signature.format},
    ]
    if signature.level is not None:
        rows.append({"Type": f"{_OWN}:level", "Value": signature.level})
    when = judgement.as_of or signature.time
    if when is not None:
        rows.append({"Type": f"{_OWN}:judged-as-of", "Value": _instant(when)})
    if signature.time is not None and signature.time_source is not None:
        rows.append({"Type": f"{_OWN}:time-source", "Value": signature.time_source.value})
    if signature.seal is not None:
        seal = signature.seal
        told = {"Id": fit(seal.id), "Name": fit(seal.name), "Kind": seal.kind}
        until = {"ValidFrom": _instant(seal.valid_from), "ValidTo": _instant(seal.valid_to)}
        rows.append({"Type": f"{_OWN}:seal", "Value": told | until})
    covers = signature.evidence.coverage if signature.evidence else None
    if covers is not None:
        value = {"Unit": covers.unit, "Part": covers.part, "Of": covers.of, "Whole": covers.whole}
        rows.append({"Type": f"{_OWN}:coverage", "Value": value})
    rows += [{"Type": f"{_OWN}:finding", "Value": _finding(each)} for each in signature.findings]
    return {"AdditionalValidationReportData": {"ReportData": rows}}


def _constraint(finding: Finding) -> Json:
    found = indication(finding)
    status: Json = {"MainIndication": f"{_ETSI}:mainindication:{_CONSTRAINT_MAINS[found.main]}"}
    if found.sub is not None:
        status["SubIndication"] = [f"{_ETSI}:subindication:{found.sub}"]
    return {
        "ValidationConstraintIdentifier": f"urn:xinyin:finding:{finding.code}",
        "ConstraintStatus": {"Status": f"{_ETSI}:constraintStatus:applied"},
        "ValidationStatus": status,
    }


def _finding(finding: Finding) -> Json:
    chinese, english = wording(finding.code)
    told = {"Code": finding.code, "Verdict": finding.verdict.value, "Detail": fit(finding.detail)}
    return {**told, "zh": chinese, "en": english, **_indicated(indication(finding))}


def _indicated(found: Indication) -> Json:
    told: Json = {"MainIndication": f"{_ETSI}:mainindication:{found.main}"}
    if found.sub is not None:
        told["SubIndication"] = [f"{_ETSI}:subindication:{found.sub}"]
    return told


def _crypto(algorithm: Algorithm) -> Json:
    return {"Algorithm": f"urn:oid:{algorithm.oid}", "AlgorithmName": algorithm.name}


def _known(facts: CertificateFacts, certificates: dict[str, CertificateFacts]) -> str:
    key = f"C-{facts.sha256.hex()}"
    certificates[key] = facts
    return key


def _certificate_object(key: str, facts: CertificateFacts) -> Json:
    return {
        "id": key,
        "ObjectType": f"{_ETSI}:validationObject:certificate",
        "ValidationObjectRepresentation": {"DigestAlgAndValue": [_digest(SHA256.oid, facts.sha256)]},
        "Certificate": {
            "Subject": fit(facts.subject),
            "Issuer": fit(facts.issuer),
            "SerialNumber": facts.serial,
            "NotBefore": _instant(facts.not_before),
            "NotAfter": _instant(facts.not_after),
            "Key": facts.key,
        },
    }


def _file_object(file: FileFacts) -> Json:
    digests = [_digest(SHA256.oid, file.sha256), _digest(SM3.oid, file.sm3)]
    return {
        "id": _FILE,
        "ObjectType": f"{_ETSI}:validationObject:signedData",
        "ValidationObjectRepresentation": {"DigestAlgAndValue": digests},
    }


def _digest(oid: str, value: bytes) -> Json:
    return {"DigestMethod": {"Algorithm": f"urn:oid:{oid}"}, "DigestValue": _base64(value)}


def _reference(key: str) -> Json:
    return {"VOReference": [key]}


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
