"""Names: who stands behind a subject on record, for officers to read."""

from collections.abc import Iterable, Mapping

from idp.model import PersonId
from idp.store import clients, people
from kernel.db import Database


class Names:
    """Looks up people and client systems by their subject id; what is neither is shown as it stands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, subjects: Iterable[str]) -> Mapping[str, str]:
        """Give a name for each subject."""
        found: dict[str, str] = {}
        with self._database.read() as conn:
            for subject in set(subjects):
                person = people.find(conn, PersonId(subject))
                client = None if person else clients.find(conn, subject)
                named = person or client
                found[subject] = named.name if named else subject
        return found
