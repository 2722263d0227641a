"""Upload jobs: /api/uploads. Takes manifests, signs URLs, tells the progress."""

from shared.models.sessions import FreshUrls, ManifestPage, SessionView, UploadJob, UploadStart, UploadStatus
from shared.services import sessions, uploads
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional

router = router_at("/api/uploads")


@router.post("/start", status_code=201)
async def start_upload(caller: SignedIn, asked: UploadStart) -> UploadJob:
    """Announces up to 1,000 files of a session; the answer says where the bytes of each go."""
    return await uploads.add(caller, asked.session_id, asked)


@router.post("/{job_id}/files", status_code=201)
async def add_files(caller: SignedIn, job_id: str, asked: ManifestPage) -> UploadJob:
    """Announces further files of the job."""
    return await uploads.add(caller, job_id, asked)


@router.post("/{job_id}/urls")
async def renew_urls(caller: SignedIn, job_id: str, asked: FreshUrls) -> UploadJob:
    """Gives fresh addresses for files whose addresses have expired."""
    return await uploads.fresh_urls(caller, job_id, asked.asset_ids)


@router.post("/{job_id}/cancel")
async def cancel_upload(caller: SignedIn, job_id: str, etag: Conditional) -> SessionView:
    """Cancels the job: files that have not come fail as cancelled."""
    session = await uploads.cancel(caller, job_id)
    etag.answer(session.version)
    return sessions.view(session)


@router.get("/status/{job_id}")
async def get_upload_status(caller: SignedIn, job_id: str, etag: Conditional) -> UploadStatus:
    """Where the job stands, as of its last count."""
    status, version = await uploads.status(caller, job_id)
    etag.answer(version)
    return status


main = http_function("uploads", router)
