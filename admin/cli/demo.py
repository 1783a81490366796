"""`xinyin demo`: the whole story in one command."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from admin import devworld
from admin.demo import certificates, lasting, office, story
from admin.demo.processes import ProcessFailed, claimed_port
from admin.demo.ticks import StoryBroken, Ticks
from admin.settings import SettingsRefused
from license_store.qr import matrix, terminal

_PORT, _PORTAL_PORT = 8000, 8100


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    *,
    leave: Annotated[bool, typer.Option("--exit", help="End after the last step instead of serving.")] = False,
    out: Annotated[Path, typer.Option(help="Where the sealed files, pictures and report.json go.")] = Path("demo-out"),
    home: Annotated[Path, typer.Option(help="Data folder; made anew each time.")] = Path("demo-data"),
) -> None:
    """Walk through the whole story on this machine, a tick per step, then serve until Ctrl-C.

    A portal login and logout, sealed PDF and OFD, verification, an e-licence, its QR, forgeries refused, a revocation.
    With --exit the exit code is 0 only if every step held.
    """
    console = Console()
    if not (story.EXAMPLES / "portal").is_dir():
        raise SettingsRefused("The example portal is in the project's checkout: run `make demo` there.")
    devworld.remove(home)
    out.mkdir(parents=True, exist_ok=True)
    ticks = Ticks(console)
    console.print(
        "\n[bold]信印 Xinyin[/]  演示 demonstration - 人物、印章、证照均为虚构 everything is invented\n", soft_wrap=True
    )
    with _ended_in_order(), ExitStack() as stack:
        try:
            address, scene = _tell(ticks, stack, home=home, out=out)
        except (StoryBroken, ProcessFailed) as broken:
            console.print(f"\n[red]The story broke:[/] {broken}", soft_wrap=True)
            raise typer.Exit(1) from None
        finally:
            ticks.write(out / "report.json")
        _farewell(console, scene, address)
        if not leave:
            _serve(console)


def _tell(ticks: Ticks, stack: ExitStack, *, home: Path, out: Path) -> tuple[str, story.Scene]:
    port, portal_port = (stack.enter_context(claimed_port(wish)) for wish in (_PORT, _PORTAL_PORT))
    settings = devworld.settings_of(devworld.load(home=home, port=port))
    scene = story.set_stage(ticks, settings, portal_url=f"http://127.0.0.1:{portal_port}", out=out)
    stack.enter_context(devworld.held(home))
    story.start(ticks, scene, stack)
    story.login_and_logout(ticks, scene)
    sealed = story.seal_documents(ticks, scene)
    sealed |= story.seal_over_edges(ticks, scene)
    story.verify_documents(ticks, scene, sealed)
    licence = story.issue_licence(ticks, scene)
    address = story.scan(ticks, scene, licence)
    story.forge(ticks, scene, sealed)
    story.revoke(ticks, scene, licence, address)
    certificates.certify_and_revoke(ticks, scene)
    certificates.stamp_time(ticks, scene)
    lasting.seal_to_last(ticks, scene)
    office.four_eyes(ticks, scene)
    office.seal_a_batch(ticks, scene)
    office.seal_through_a_gateway(ticks, scene)
    office.stamp_late(ticks, scene)
    office.write_the_ledger(ticks, scene)
    return address, scene


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """End on SIGTERM as on Ctrl-C: with the service and the portal, not before them."""

    def end(signum: int, _: object) -> None:
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _farewell(console: Console, scene: story.Scene, address: str) -> None:
    console.print()
    console.print(Text.from_ansi(terminal(matrix(address))))
    console.print()
    officers = ", ".join(login for login, _ in devworld.OFFICERS)
    console.print(
        Panel.fit(
            f"公众核验 scan   {address}\n"
            f"示例门户 portal {scene.portal_url}   {scene.world.citizen_login} / {scene.world.citizen_password}\n"
            f"控制台 console  {scene.service}/console   {officers} / {scene.world.officer_password}\n"
            f"服务首页 service {scene.service}\n"
            f"文件 files      {scene.out.resolve()}",
            title="全部成立 every step held",
            border_style="green",
        ),
        highlight=False,
    )


def _serve(console: Console) -> None:
    console.print("\n服务运行中，按 Ctrl-C 结束  serving until Ctrl-C\n")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("\n再见 goodbye\n")
