"""Secrets that must be readable again, sealed: what is stored, and every copy of it, is of no use without the key.

AES-256-GCM under a key that the environment holds (`Settings.sealing_keys`). A sealed secret is bound to the record it
belongs to, so that it opens nowhere else, and names its key, so that keys can be changed: the first one seals, all of
them open.
"""

import base64
import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.settings import settings

_NONCE_BYTES = 12
_NAME_BYTES = 4


class Unsealable(Exception):
    """No key that we have opens it, or it belongs to another record."""


def seal(secret: str, owner_id: str) -> str:
    """The secret as it is stored with the record of this id."""
    name, key = next(iter(_keys().items()))
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, secret.encode(), owner_id.encode())
    return f"{name}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def opened(sealed: str, owner_id: str) -> str:
    """The secret that was sealed for the record of this id; raises Unsealable."""
    name, _, text = sealed.partition(".")
    key = _keys().get(name)
    if key is None:
        raise Unsealable("It was sealed with a key that is not among the sealing keys.")
    raw = base64.urlsafe_b64decode(text)
    try:
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner_id.encode()).decode()
    except InvalidTag:
        raise Unsealable("It was changed, or sealed for another record.") from None


def is_current(sealed: str) -> bool:
    """Whether it was sealed with the key that seals now."""
    return sealed.partition(".")[0] == next(iter(_keys()))


def _keys() -> dict[str, bytes]:
    """The keys by their names, in their order."""
    given = settings().sealing_keys
    if given is None:
        raise Unsealable("SEALING_KEYS is not set.")
    keys = [base64.b64decode(one) for one in given.get_secret_value().split(",")]
    return {hashlib.sha256(key).hexdigest()[: 2 * _NAME_BYTES]: key for key in keys}
