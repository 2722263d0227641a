"""What belongs to what: the one table that erasing goes by.

A collection that is missing here keeps its documents for good (`audit`), or the database deletes them in time
(`idempotency`, `rate_limits`), or they belong to nobody (`sweeps`). A test erases a company with one of everything in
it, and finds nothing left but its audit log.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.models.assets import AssetSummary
from shared.models.exports import Export
from shared.models.projects import Project
from shared.models.records import Record
from shared.store.assets import ASSETS
from shared.store.companies import COMPANIES
from shared.store.cycles import CYCLES
from shared.store.deadletters import DEAD_LETTERS
from shared.store.exports import EXPORTS
from shared.store.firestore import Condition
from shared.store.invitations import INVITATIONS
from shared.store.labels import ANNOTATIONS, LABEL_SETS
from shared.store.passkeys import PASSKEYS
from shared.store.projects import PROJECTS
from shared.store.reviews import REVIEWS
from shared.store.revisions import REVISIONS
from shared.store.rollups import ROLLUPS, STANDINGS
from shared.store.sessions import SESSIONS
from shared.store.tokens import TOKENS
from shared.store.users import ADDRESSES, USERNAMES, USERS
from shared.store.webhooks import DELIVERIES, WEBHOOKS


class Tenanted(Record):
    """A record of which no more needs to be known than whose it is."""

    company_id: str | None = None


def _none(_: Any) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Family:
    """The records of a collection, and what hangs on each of them.

    `owns` names collections and the field in which their records have its id; `same_id` collections in which its
    record has the same id; `below` its sub-collections; `objects` what it has in the bucket; `people`: they have
    accounts at the identity provider. `alone`: which of the deleted ones go by themselves, if not all.
    """

    collection: str
    model: type[Any] = Tenanted
    owns: tuple[tuple[str, str], ...] = ()
    same_id: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    objects: Callable[[Any], Sequence[str]] = _none
    people: bool = False
    alone: tuple[Condition, ...] = ()

    @property
    def is_leaf(self) -> bool:
        """Whether nothing hangs on its records."""
        return not (self.owns or self.same_id or self.below)

    @property
    def is_large(self) -> bool:
        """Whether each of its records may have a great deal hanging on it."""
        return any(FAMILIES[collection].owns for collection, _ in self.owns)


def _table(families: Iterable[Family]) -> dict[str, Family]:
    return {family.collection: family for family in families}


FAMILIES = _table(
    (
        Family(
            COMPANIES,
            owns=((PROJECTS, "company_id"), (USERS, "company_id"), (ROLLUPS, "company_id")),
            same_id=(STANDINGS,),
        ),
        Family(
            PROJECTS,
            Project,
            owns=(
                (SESSIONS, "project_id"),
                (ASSETS, "project_id"),
                (CYCLES, "project_id"),
                (EXPORTS, "project_id"),
                (WEBHOOKS, "project_id"),
                (INVITATIONS, "project_id"),
                (ROLLUPS, "project_id"),
            ),
            same_id=(LABEL_SETS, STANDINGS),
        ),
        Family(SESSIONS, owns=((ASSETS, "session_id"),)),
        Family(CYCLES),
        Family(
            ASSETS,
            AssetSummary,
            owns=((REVIEWS, "asset_id"), (DEAD_LETTERS, "asset_id")),
            same_id=(ANNOTATIONS,),
            below=(REVISIONS,),
            objects=lambda asset: asset.all_objects,
            alone=(("deleted_with", "==", None),),
        ),
        Family(EXPORTS, Export, objects=lambda export: (export.prefix,)),
        Family(WEBHOOKS, owns=((DELIVERIES, "webhook_id"),)),
        Family(INVITATIONS),
        Family(
            USERS,
            owns=((PASSKEYS, "user_id"), (TOKENS, "user_id"), (USERNAMES, "user_id"), (ADDRESSES, "user_id")),
            people=True,
        ),
        *map(Family, (REVIEWS, DEAD_LETTERS, DELIVERIES, ROLLUPS, PASSKEYS, TOKENS, USERNAMES, ADDRESSES)),
    )
)
"""Every collection whose documents are erased."""

DELETABLE = (COMPANIES, PROJECTS, SESSIONS, CYCLES, ASSETS, EXPORTS, WEBHOOKS, INVITATIONS, USERS)
"""The collections in which people delete, the largest things first."""
APART = frozenset({PROJECTS})
"""What is erased by itself when what it belongs to is: its books are closed first."""
