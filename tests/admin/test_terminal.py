"""What somebody wrote cannot change how the rest of a terminal's line is read."""

import pytest

from admin.cli.terminal import shown


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("启用[2026]", "启用[2026]"),
        ("[red]x[/]", "\\[red]x\\[/]"),
        ("x\x1b[2K", "x\\x1b[2K"),
        ("by one\nby two", "by one\\nby two"),
        ("\u202egnp", "\\u202egnp"),
    ],
)
def test_markup_commands_line_ends_and_turned_letters_are_spelled_out(text: str, printed: str) -> None:
    assert shown(text) == printed
