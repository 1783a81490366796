"""A certificate authority for development: two roots, a seal maker, and signer certificates for the asking."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from crypto.keys import KeyId, KeyVault, VaultSigner
from crypto.names import name
from crypto.suites import ES256, SM2_SM3, SUITES, Suite
from crypto.x509 import Certificate, CertificateProfile, make_certificate
from kernel.clock import Clock
from kernel.ids import new_serial
from seal.register import SealMaker, SigningKey
from seal.trust import Trust
