"""The console's addresses: one row each."""

from starlette.routing import Route

from admin.build import Service
from admin.console.affairs import AffairRooms
from admin.console.batches import BatchRooms
from admin.console.front import HOME, SIGN_IN, Front
from admin.console.home import HomeRoom
from admin.console.ledger import LedgerRoom
from admin.console.names import Names
from admin.console.party import RelyingParty
from admin.console.proposing import ProposingRoom
from admin.console.registration import CALLBACK, GOODBYE
from admin.console.seals import SealRooms
from admin.console.sessions import ConsoleSessions
from admin.console.unsealed import UnsealedRoom
from admin.console.uses import UseRooms
from seal.affairs.desk import SealDesk
from seal.affairs.roll import SealRoll


def routes(service: Service) -> list[Route]:
    """Give the console's routes, to be mounted at the root of the public address."""
    client, clock, deferred = service.console_client, service.clock, service.deferred
    front = Front(
        pages=service.pages,
        sessions=ConsoleSessions(db=service.database, audit=service.audit, clock=clock),
        party=RelyingParty(idp=service.idp, client=client, clock=clock) if client else None,
        officers=service.officers,
        clock=clock,
        secure=service.settings.secure,
    )
    desk, roll = SealDesk(db=service.database, register=service.register), SealRoll(db=service.database, clock=clock)
    names = Names(service.database)
    home = HomeRoom(
        affairs=service.affairs,
        uses=service.uses,
        roll=roll,
        unsealed=deferred.unsealed,
        batches=deferred.batches,
        names=names,
    )
    uses = UseRooms(uses=service.uses, desk=desk, names=names)
    affairs = AffairRooms(affairs=service.affairs, desk=desk, names=names)
    seals = SealRooms(roll=roll, desk=desk, affairs=service.affairs, names=names)
    proposing = ProposingRoom(affairs=service.affairs, desk=desk)
    unsealed = UnsealedRoom(unsealed=deferred.unsealed, sealing=service.sealing, names=names)
    batches = BatchRooms(batches=deferred.batches, names=names)
    ledger = LedgerRoom(ledger=service.ledger, names=names)
    asked = {
        HOME: home.show,
        "/console/affairs": affairs.queue,
        "/console/affairs/{affair}": affairs.show,
        "/console/affairs/{affair}/papers/{key}": affairs.paper,
        "/console/uses": uses.queue,
        "/console/uses/{use}": uses.show,
        "/console/uses/{use}/document": uses.document,
        "/console/seals": seals.register,
        "/console/seals/{seal}": seals.show,
        "/console/seals/{seal}/picture.png": seals.picture,
        "/console/seals/{seal}/propose/{action}": proposing.form,
        "/console/ledger": ledger.show,
        "/console/unsealed": unsealed.show,
        "/console/batches": batches.list,
        "/console/batches/{batch}": batches.show,
    }
    sent = {
        "/console/affairs/{affair}/decisions": affairs.decide,
        "/console/uses/{use}/decisions": uses.decide,
        "/console/seals/{seal}/proposals/{action}": proposing.propose,
        "/console/ledger/exports": ledger.export,
        "/console/unsealed/{sealing}/retries": unsealed.retry,
        "/console/batches/{batch}/steps": batches.steer,
    }
    return [
        *(Route(path, front.room(room), methods=["GET"]) for path, room in asked.items()),
        *(Route(path, front.deed(room), methods=["POST"]) for path, room in sent.items()),
        Route(SIGN_IN, front.sign_in, methods=["GET"]),
        Route(CALLBACK, front.callback, methods=["GET"]),
        Route("/console/sign-out", front.sign_out, methods=["POST"]),
        Route(GOODBYE, front.goodbye, methods=["GET"]),
    ]
