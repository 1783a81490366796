"""What holds a secret: nothing shows it, nothing copies it away."""

import copy
import pickle

import pytest

from crypto.encryption_keys import KeyPair
from crypto.engines import default_engine
from crypto.fields import BlindIndexes, FieldCipher, FieldKeys, KeyVersion, Place
from crypto.secrecy import Secret
from crypto.suites import ES256, SM2_SM3
from crypto.vaults.header import HeaderKey, KdfCost, KeyEncryptionKey, VaultKeys
from crypto.vaults.hidden import Hidden
from crypto.vaults.software import Decrypt, make_key

OCTETS = bytes(range(0x41, 0x61))
KEYS = FieldKeys(active=KeyVersion(1), secrets={KeyVersion(1): OCTETS})


def _cipher() -> FieldCipher:
    cipher = FieldCipher(KEYS)
    cipher.seal(Place(table="t", row="r", field="f"), b"value")  # Its derived keys are remembered now.
    return cipher


HOLDERS: dict[str, Secret] = {
    "password": Hidden(OCTETS),
    "key-encryption key": KeyEncryptionKey(OCTETS),
    "vault keys": VaultKeys(current=OCTETS, next=OCTETS),
    "header key": HeaderKey.fresh("a passphrase", KdfCost(passes=1, memory_kib=64, lanes=1)),
    "SM2 key": make_key(SM2_SM3, default_engine()),
    "P-256 key": make_key(ES256, default_engine()),
    "decrypting key": Decrypt(pkcs8=OCTETS, engine=default_engine()),
    "enveloped pair": KeyPair(scalar=OCTETS, point=OCTETS),
    "field keys": KEYS,
    "field cipher": _cipher(),
    "blind indexes": BlindIndexes(KEYS, "holder"),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_a_holder_of_a_secret_shows_only_what_it_is(name: str) -> None:
    holder = HOLDERS[name]
    for shown in (repr(holder), str(holder), f"{holder!r:>40}", repr([holder])):
        assert f"{type(holder).__name__}(…)" in shown
        assert OCTETS.decode() not in shown
        assert OCTETS.hex() not in shown


@pytest.mark.parametrize("name", HOLDERS)
def test_a_holder_of_a_secret_is_not_copied(name: str) -> None:
    for taken in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not copied"):
            taken(HOLDERS[name])
