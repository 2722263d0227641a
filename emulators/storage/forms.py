"""Uploads by HTML form: a POST of multipart/form-data to the bucket, under a signed policy."""

from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.requests import Request
from starlette.responses import Response

from emulators.storage.answers import entity_tag
from emulators.storage.checksums import Checksums
from emulators.storage.errors import InvalidArgument
from emulators.storage.multipart import MultipartReader
from emulators.storage.policy import Policy, verify_policy
from emulators.storage.requests import body_chunks
from emulators.storage.resources import StoredObject
from emulators.storage.storage import Storage
from emulators.storage.uploads import Settings, Upload

_SETTINGS = {
    "contentType": "content-type",
    "cacheControl": "cache-control",
    "contentDisposition": "content-disposition",
    "contentEncoding": "content-encoding",
}


async def receive_form(storage: Storage, bucket: str, request: Request) -> tuple[StoredObject, Response]:
    """Read the fields, verify the policy, then take the file, which comes last. Gives the object and the answer."""
    reader = MultipartReader(request.headers["content-type"], body_chunks(request))
    fields: dict[str, str] = {}
    while (part := await reader.next_part()) is not None:
        name = str(part.get_param("name", "", "content-disposition")).lower()
        if name == "file":
            key = fields.get("key", "").replace("${filename}", part.get_filename() or "")
            policy = verify_policy(fields, bucket, storage.config.signers, storage.config.clock())
            stored = await storage.store(_upload(bucket, key, fields, policy), reader.chunks())
            return stored, _answer(storage, stored, fields)
        fields[name] = (await reader.text()).decode()
    raise InvalidArgument("The form has no file.")


def _upload(bucket: str, key: str, fields: dict[str, str], policy: Policy) -> Upload:
    settings: Settings = {name: fields[field] for name, field in _SETTINGS.items() if field in fields}
    prefix = "x-goog-meta-"
    metadata: Settings = {name.removeprefix(prefix): value for name, value in fields.items() if name.startswith(prefix)}
    return Upload(
        bucket=bucket,
        name=key,
        settings=settings | ({"metadata": metadata} if metadata else {}),
        checksums=Checksums.of_headers([(name, value) for name, value in fields.items() if name == "content-md5"]),
        length=policy.length_range(),
    )


def _answer(storage: Storage, stored: StoredObject, fields: dict[str, str]) -> Response:
    """What the form asked for: a redirect, 200, 201 with a description, or 204."""
    redirect = fields.get("success_action_redirect")
    if redirect:
        asked = urlencode({"bucket": stored.bucket, "key": stored.name, "etag": entity_tag(stored)})
        separator = "&" if "?" in redirect else "?"
        return Response(status_code=303, headers={"Location": f"{redirect}{separator}{asked}"})
    status = fields.get("success_action_status")
    if status != "201":
        return Response(status_code=200 if status == "200" else 204)
    root = Element("PostResponse")
    SubElement(root, "Location").text = f"{storage.config.base_url}/{stored.bucket}/{stored.name}"
    SubElement(root, "Bucket").text = stored.bucket
    SubElement(root, "Key").text = stored.name
    SubElement(root, "ETag").text = entity_tag(stored)
    return Response(tostring(root), 201, media_type="application/xml")
