"""X.509 in one place to import from: reading certificates, issuing them, requests, names."""

from crypto.certificate import Certificate, pem_bodies
from crypto.issuing import (
    ENCRYPTION,
    OCSP_RESPONDER,
    PROFILES,
    ROOT,
    SEAL_MAKER,
    SIGNER,
    SUB_CA,
    TSA,
    CertificateProfile,
    Csr,
    algorithm_identifier,
    make_certificate,
    make_csr,
    parse_csr,
    random_serial,
    spki_key_id,
)
from crypto.keys import Signer
from crypto.names import NameParts, name, name_text, same_name

__all__ = [
    "ENCRYPTION",
    "OCSP_RESPONDER",
    "PROFILES",
    "ROOT",
    "SEAL_MAKER",
    "SIGNER",
    "SUB_CA",
    "TSA",
    "Certificate",
    "CertificateProfile",
    "Csr",
    "NameParts",
    "Signer",
    "algorithm_identifier",
    "make_certificate",
    "make_csr",
    "name",
    "name_text",
    "parse_csr",
    "pem_bodies",
    "random_serial",
    "same_name",
    "spki_key_id",
]
