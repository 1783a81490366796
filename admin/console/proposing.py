"""Proposing from a seal's page: the acts that need no more than a reason, a legal basis and a few words."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from admin.console.front import Visit, see
from admin.console.words import ACTION, EFFECT, SEAL_STATUS, USE_POLICY, explained
from crypto.errors import CryptoError
from kernel.errors import Refusal
from kernel.problem import problem_of
from seal.affairs.actions import RULES, Action
from seal.affairs.desk import SealDesk, SealFile
from seal.affairs.model import Proposal
from seal.affairs.service import AffairService
from seal.errors import UnknownSeal

FIELDS: Mapping[Action, tuple[str, ...]] = {
    Action.FILE: ("filing_number", "body", "code"),
    Action.ACTIVATE: (),
    Action.SUSPEND: (),
    Action.RESUME: (),
    Action.LOSE: (),
    Action.REVOKE: (),
    Action.DESTROY: (),
    Action.POLICY: ("use",),
}
"""What can be proposed here, and the fields of its payload; making and remaking need keys, which a command has."""


def offered(file: SealFile, visit: Visit) -> tuple[Action, ...]:
    """Give what this officer could propose for a seal now."""
    status, who = file.seal.status, visit.principal
    return tuple(
        action for action in FIELDS if status in RULES[action].moves and who.may(RULES[action].propose, file.seal.id)
    )


class ProposingRoom:
    """Shows the form of an act and puts it on record."""

    def __init__(self, *, affairs: AffairService, desk: SealDesk) -> None:
        self._affairs = affairs
        self._desk = desk

    def form(self, visit: Visit) -> Response:
        """Show the form."""
        return self._shown(visit, *self._asked(visit))

    def propose(self, visit: Visit) -> Response:
        """Put the proposal on record; what is refused is said above the form, with all that was typed in it."""
        file, action = self._asked(visit)
        payload = {name: visit.get(name) for name in FIELDS[action] if visit.get(name)}
        proposal = Proposal(
            action=action,
            seal=file.seal.id,
            payload=payload,
            reason=visit.get("reason"),
            legal_basis=visit.get("legal_basis"),
        )
        try:
            affair = self._affairs.propose(proposal, visit.principal)
        except (Refusal, CryptoError) as refusal:
            return self._shown(visit, file, action, refusal)
        return see(f"/console/affairs/{affair.id}?done={'proposed' if affair.outcome is None else 'carried'}")

    def _asked(self, visit: Visit) -> tuple[SealFile, Action]:
        file = self._desk.file(visit.path["seal"], visit.principal)
        try:
            action = Action(visit.path["action"])
        except ValueError:
            raise UnknownSeal("There is no such act.") from None
        if action not in FIELDS:
            raise UnknownSeal("This act is not proposed here.")
        return file, action

    def _shown(
        self, visit: Visit, file: SealFile, action: Action, refusal: Refusal | CryptoError | None = None
    ) -> Response:
        problem = problem_of(refusal, visit.request) if refusal else None
        return visit.page(
            "propose.html",
            problem.status if problem else HTTPStatus.OK,
            file=file,
            act=action,
            rule=RULES[action],
            after=RULES[action].moves.get(file.seal.status),
            possible=action in offered(file, visit),
            typed=visit.get,
            fields=FIELDS[action],
            problem=problem,
            words=explained(problem.code) if problem else None,
            action=ACTION,
            effect=EFFECT,
            statuses=SEAL_STATUS,
            policies=USE_POLICY,
        )
