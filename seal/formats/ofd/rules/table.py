"""All rules by which an OFD document is judged, in one order, as the documents print them."""

from typing import Any

from seal.formats.ofd import rules
from seal.formats.ofd.gbt35275 import PLAIN_BARE, PLAIN_FORMAT, PLAIN_RULES
from seal.ses.rules import FORMAT, RULES, Rule

EVERY_RULE: tuple[Rule[Any], ...] = tuple(
    sorted(
        (
            rules.PACKAGE,
            *rules.LIST_RULES,
            rules.NAMED_ONCE,
            rules.SEALED,
            *rules.FILE_RULES,
            FORMAT,
            PLAIN_FORMAT,
            PLAIN_BARE,
            *rules.RULES,
            *RULES,
            *PLAIN_RULES,
        ),
        key=lambda rule: rule.step,
    )
)
