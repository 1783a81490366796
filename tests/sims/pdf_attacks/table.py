"""Every attack, a family after another."""

from tests.sims.pdf_attacks.emptied import EMPTIED
from tests.sims.pdf_attacks.family import Attack
from tests.sims.pdf_attacks.messages import MESSAGE
from tests.sims.pdf_attacks.saving import CHAIN, SAVING
from tests.sims.pdf_attacks.seals import DICTIONARY, PICTURE, WIDGET
from tests.sims.pdf_attacks.shadow import SHADOW
from tests.sims.pdf_attacks.showing import ANNOTATIONS, CATALOG_ENTRIES, FORMS, PAGE_TREE
from tests.sims.pdf_attacks.structure import CONTAINER, ENTRIES, STRUCTURE
from tests.sims.pdf_attacks.validation import FURTHER, STAMPS, STRANGERS, VALIDATION
from tests.sims.pdf_attacks.wrapping import WRAPPING

FAMILIES = (
    SAVING,
    CHAIN,
    WRAPPING,
    EMPTIED,
    SHADOW,
    ANNOTATIONS,
    FORMS,
    PAGE_TREE,
    CATALOG_ENTRIES,
    DICTIONARY,
    PICTURE,
    WIDGET,
    VALIDATION,
    STAMPS,
    FURTHER,
    STRANGERS,
    MESSAGE,
    ENTRIES,
    STRUCTURE,
    CONTAINER,
)
ATTACKS: tuple[Attack, ...] = tuple(attack for family in FAMILIES for attack in family)
