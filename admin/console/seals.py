"""The seal register: finding seals, and one seal's whole file."""

from starlette.responses import Response

from admin.console.front import Visit, with_query
from admin.console.names import Names
from admin.console.papers import picture
from admin.console.proposing import offered
from admin.console.words import ACTION, SEAL_KIND, SEAL_STATUS, STANDING, USE_POLICY, kind_called
from seal.affairs.desk import SealDesk
from seal.affairs.roll import SOON, SealFilter, SealRoll
from seal.affairs.service import AffairService
from seal.model import SealStatus

PATH = "/console/seals"
_PAGE = 20
_AFFAIRS = 10
_CODE_LENGTH, _TEXT_MAX = 18, 100


class SealRooms:
    """Lists seals and shows one."""

    def __init__(self, *, roll: SealRoll, desk: SealDesk, affairs: AffairService, names: Names) -> None:
        self._roll = roll
        self._desk = desk
        self._affairs = affairs
        self._names = names

    def register(self, visit: Visit) -> Response:
        """List the seals that fit the filter."""
        wanted = _filter(visit)
        page = self._roll.page(wanted, visit.principal, after=visit.get("after"), limit=_PAGE + 1)
        shown, asked = page[:_PAGE], {name: visit.get(name) for name in ("text", "status", "kind", "owner", "ending")}
        following = with_query(PATH, {**asked, "after": shown[-1].id}) if len(page) > _PAGE else None
        return visit.page(
            "seals.html",
            rows=shown,
            following=following,
            first=not visit.get("after"),
            asked=asked,
            narrowed=any(asked.values()),
            soon=visit.now + SOON,
            kind=kind_called,
            kinds=SEAL_KIND,
            statuses=SEAL_STATUS,
        )

    def show(self, visit: Visit) -> Response:
        """Show a seal's file."""
        file = self._desk.file(visit.path["seal"], visit.principal)
        affairs = self._affairs.list(visit.principal, seal=file.seal.id, limit=_AFFAIRS)
        grants = self._desk.grants(file.seal.id, visit.principal)
        people = (
            {each.subject for each in grants if each.subject}
            | {each.actor for each in file.changes}
            | {each.made_by for each in file.versions}
        )
        return visit.page(
            "seal.html",
            file=file,
            seal=file.seal,
            grants=grants,
            acts=offered(file, visit),
            affairs=[(each, each.standing(visit.now)) for each in affairs],
            names=self._names.of(people.union(each.proposed_by for each in affairs)),
            soon=visit.now + SOON,
            kind=kind_called(file.seal.kind),
            action=ACTION,
            statuses=SEAL_STATUS,
            standing=STANDING,
            policy=USE_POLICY,
        )

    def picture(self, visit: Visit) -> Response:
        """Give a seal's picture as it is stored."""
        return picture(self._desk.file(visit.path["seal"], visit.principal).seal.picture.png)


def _filter(visit: Visit) -> SealFilter:
    """Read the filter; what makes no sense does not narrow."""
    status, kind = visit.get("status"), visit.get("kind")
    return SealFilter(
        text=visit.get("text")[:_TEXT_MAX],
        status=SealStatus(status) if status in set(SealStatus) else None,
        kind=int(kind) if kind.isascii() and kind.isdigit() and len(kind) <= len(str(max(SEAL_KIND))) else None,
        owner=visit.get("owner")[:_CODE_LENGTH] or None,
        ending=visit.get("ending") == "1",
    )
