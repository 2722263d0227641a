"""The files of a session, which are deleted with it and come back with it.

The session's record says how it should be, and each call brings some of the files there. The commit demands that the
session still is as it was read, so that a deletion and a restoration that meet can't leave half of the files behind.
"""

from shared.models.records import now
from shared.models.sessions import Session
from shared.services import rollups
from shared.store import assets, firestore, sessions

AT_ONCE = 400
"""Files that follow in one commit."""


async def follow(session: Session) -> bool:
    """Deletes or restores some files of a session, as the session itself is; whether there may be more.

    What was deleted by itself before stays deleted. Raises firestore.Conflict when a file, or the session, is changed
    at the same moment.
    """
    hides = session.deleted_at is not None
    some = await (assets.living(session.id, AT_ONCE) if hides else assets.deleted_with(session.id, AT_ONCE))
    moment = now() if hides else None
    fields = {"deleted_at": moment, "deleted_with": session.id if hides else None}
    if some:
        # Before the commit, or whoever dies between the two leaves the deletions in the books.
        await rollups.again(session.project_id, (one.deleted_at for one in some))
        await firestore.commit(sessions.unchanged(session), *(assets.change(one, fields) for one in some))
        await rollups.soon(session.project_id)
    if len(some) == AT_ONCE:
        return True
    if session.files_behind:
        await firestore.commit(sessions.change(session, {"files_behind": False}))
    return False
