"""BouncyCastle as an independent judge of what is signed or encrypted, with SM2 above all; skips where it is absent."""

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

_JARS = tuple(Path("/usr/share/java") / f"{jar}.jar" for jar in ("bcprov", "bcpkix", "bcutil"))
_SOURCES = Path(__file__).parent / "java"


def judge_cms(message: bytes, content: bytes) -> str:
    """Judge one detached CMS over ``content``: "valid SUBJECT", "invalid WHY" or "error EXCEPTION"."""
    return judge_all([(message, content)])[0]


def judge_all(pairs: list[tuple[bytes, bytes]]) -> list[str]:
    """Judge many messages in one start of Java, in their order."""
    return _run_on_files("JudgeCms", [octets for pair in pairs for octets in pair])


def judge_pki(questions: list[tuple[str, bytes, bytes, bytes]]) -> list[str]:
    """Judge revocation lists, OCSP answers and time-stamp responses; JudgePki.java says what each kind is given."""
    return _run_on_files("JudgePki", [part for question in questions for part in question])


def _run_on_files(program: str, parts: list[bytes] | list[str | bytes]) -> list[str]:
    """Run one program, what is octets put into files."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        arguments = []
        for number, part in enumerate(parts):
            if isinstance(part, str):
                arguments.append(part)
                continue
            file = Path(folder) / f"part{number}"
            file.write_bytes(part)
            arguments.append(str(file))
        return run(program, *arguments)


def run(program: str, *arguments: str) -> list[str]:
    """Run one of the Java programs beside this file; give the lines it prints."""
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", _class_path(_compiled(program)), program, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return answer.stdout.splitlines()


@cache
def _compiled(program: str) -> Path:
    """Compile a program once a session."""
    missing = [str(jar) for jar in _JARS if not jar.is_file()] + [
        tool for tool in ("java", "javac") if shutil.which(tool) is None
    ]
    if missing:
        pytest.skip(f"no BouncyCastle judge: {', '.join(missing)} missing")
    folder = Path(tempfile.mkdtemp(prefix="xinyin-judge-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = ["javac", "-d", str(folder), "-cp", _class_path(), str(_SOURCES / f"{program}.java")]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    return folder


def _class_path(*more: Path) -> str:
    return ":".join(map(str, (*_JARS, *more)))
