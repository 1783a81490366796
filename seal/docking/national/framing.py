"""The frame around what is told: idA || randomB || JSON{taskCode, taskData, taskSignature} || signature.

Both signatures are SM2 over the fields joined by "|". The challenge is the platform's: no frame is of use twice.
"""

import base64
import json
import re
from typing import Final

from crypto.digests import sm3
from crypto.kdf import hmac_sm3
from crypto.keys import Signer
from seal.docking.errors import DockingDataRefused
from seal.docking.national.model import Task

JOINER: Final = "||"
FIELDS: Final = "|"
_IDENTITY = re.compile(r"[A-Za-z0-9._-]{1,64}")


def framed(task: Task, code: str, *, identity: str, random: str, signer: Signer) -> str:
    """Sign a task and frame it for one challenge."""
    if not _IDENTITY.fullmatch(identity):
        raise DockingDataRefused("The identity at the platform is 1 to 64 letters, digits, dots and dashes: mend it.")
    data = task.model_dump()
    if strange := sorted(name for name, value in data.items() if FIELDS in value):
        # What is signed would read the same with its parts shifted between the fields.
        raise DockingDataRefused(f"{strange[0]} holds a {FIELDS}, which parts the fields that are signed.")
    task_signature = _signed(signer, task_text(code, data, random))
    body = json.dumps(
        {"taskCode": code, "taskData": data, "taskSignature": task_signature},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return JOINER.join((identity, random, body, _signed(signer, frame_text(identity, random, body))))


def task_text(code: str, data: dict[str, str], random: str) -> bytes:
    """Give what ``taskSignature`` signs: the task's code, its members in their order, the challenge."""
    return FIELDS.join((code, *data.values(), random)).encode()


def frame_text(identity: str, random: str, body: str) -> bytes:
    """Give what the frame's signature signs."""
    return FIELDS.join((identity, random, body)).encode()


def envelope_sign(secret: str, fields: dict[str, str]) -> str:
    """Compute ``sign``: HMAC-SM3 under the client's secret over the other fields, by name, as name=value."""
    text = FIELDS.join(f"{name}={fields[name]}" for name in sorted(fields) if name != "sign")
    return hmac_sm3(secret.encode(), text.encode()).hex()


def password_hash(password: str, salt: str, timestamp: str) -> str:
    """Hash a password for one request: SM3(SM3(salt||password) in hexadecimal || timestamp), so that none is sent."""
    return sm3(sm3((salt + password).encode()).hex().encode(), timestamp.encode()).hex()


def _signed(signer: Signer, text: bytes) -> str:
    return base64.b64encode(signer.sign(text)).decode()
