"""The story's signature that lasts: time-stamped, with all it is judged by inside, and renewed."""

import json
from pathlib import Path

from admin.demo.commands import xinyin
from admin.demo.story import EXAMPLES, Scene
from admin.demo.ticks import Ticks, expect


def seal_to_last(ticks: Ticks, scene: Scene) -> Path:
    """Seal a PDF to level b-lta in both suites, renew it, and have it explained."""
    with ticks.step("长期有效  seal to last: PAdES B-LTA by SM2 and P-256, renewed, with a report") as step:
        source, report = EXAMPLES / "samples" / "approval.pdf", scene.out / "report.html"
        sealed, renewed = scene.out / "lasting.pdf", scene.out / "lasting-renewed.pdf"
        for made in (sealed, renewed, report):
            made.unlink(missing_ok=True)
        asked = {f"XINYIN_{name}": f"{scene.service}/pki/tsa/{kind}" for name, kind in _AUTHORITIES}
        options = ("--format", "pdf-pades-sm2", "--also", "pdf-pades-p256", "--level", "b-lta")
        xinyin(scene, "seal", str(source), "--seal", scene.world.seal, "--out", str(sealed), *options, **asked)
        xinyin(scene, "renew", str(sealed), "--out", str(renewed), **asked)
        said = json.loads(xinyin(scene, "verify", str(renewed), "--json", "--report", str(report)))
        levels = [one["level"] for one in said["signatures"] if one["level"]]
        expect(said["verdict"] == "valid" and levels == ["b-lta", "b-lta"], f"{said['verdict']}, levels {levels}")
        step.facts["file"] = f"{renewed} ({renewed.stat().st_size:,} octets), told in {report}"
    return renewed


_AUTHORITIES = (("TSA", "sm2"), ("TSA_P256", "p256"))
