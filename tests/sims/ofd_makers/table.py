"""Every maker by the rule and the code its document fails by."""

from collections.abc import Mapping

from tests.sims.ofd_makers import packages, plain, signatures
from tests.sims.ofd_makers.maker import Maker, Names

MAKERS: Mapping[Names, Maker] = {**packages.MAKERS, **signatures.MAKERS, **plain.MAKERS}
WITHOUT: Mapping[Names, str] = {
    ("plain value", "WEAK_DIGEST"): "SM2 goes with SM3 alone; tests/crypto has messages of other keys over SHA-1",
    ("plain value", "ALGORITHM_WEAK"): "an RSA key too short to be made here: tests/crypto has messages under one",
}
"""Codes that no document made here can give, and why."""
