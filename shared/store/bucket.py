"""The platform's bucket. The client is synchronous: whoever uses it goes to a thread."""

from functools import lru_cache
from typing import Any

from shared.settings import emulator, settings

CONNECTIONS = 64
"""Connections that one instance keeps to Cloud Storage; as many threads may use it at once."""


@lru_cache
def bucket() -> Any:
    """The bucket's handle, made once; making it reads nothing."""
    import requests
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    project = settings().google_cloud_project
    credentials = AnonymousCredentials() if emulator("STORAGE_EMULATOR_HOST") else None  # type: ignore[no-untyped-call]  # google-auth publishes no types here
    client = Client(project=project, credentials=credentials)
    adapter = requests.adapters.HTTPAdapter(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS)
    client._http.mount("https://", adapter)
    client._http.mount("http://", adapter)
    return client.bucket(settings().bucket)
