"""Unsigned identity tokens, as a local stand-in for those Google attaches to tasks and scheduled calls.

The claims are Google's; the algorithm is `none`, so nothing but a local function may accept one.
"""

import base64
import json
import time
import zlib
from collections.abc import Mapping

LIFETIME = 3600
"""Seconds that an identity token is valid, as Google's are."""


def identity_token(email: str, audience: str) -> str:
    """A token that says: this call comes from the service account `email` and is meant for `audience`."""
    now = int(time.time())
    account = str(zlib.crc32(email.encode()))
    claims = {
        "iss": "https://accounts.google.com",
        "aud": audience,
        "azp": account,
        "sub": account,
        "email": email,
        "email_verified": True,
        "iat": now,
        "exp": now + LIFETIME,
    }
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."


def _part(content: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
