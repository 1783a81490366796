"""Commands of the operator's in the story: each a process of its own on the story's data folder."""

import subprocess
import sys

from admin.demo.story import Scene
from admin.demo.ticks import expect


def xinyin(scene: Scene, *arguments: str, **settings: str) -> str:
    """Run ``xinyin`` with further settings by their names; give what it printed, break the story if it refuses."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "admin", *arguments],
        env={
            **scene.environment(),
            "XINYIN_HOME": str(scene.settings.home),
            "XINYIN_PUBLIC_URL": scene.settings.public_url,
            "XINYIN_VAULT_PASSPHRASE": scene.settings.vault_passphrase.get_secret_value(),
            **settings,
        },
        capture_output=True,
        check=False,
        timeout=120,
    )
    expect(done.returncode == 0, f"xinyin {' '.join(arguments[:2])}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode()
