"""Who may sign: public keys of service accounts, and the secrets of HMAC keys."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

RSA = "GOOG4-RSA-SHA256"
HMAC = "GOOG4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credential:
    """Who signed, and the scope: `DATE/LOCATION/storage/goog4_request`."""

    account: str
    scope: str


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An RSA key that one account signs with; without an account, it speaks for any."""

    key: RSAPublicKey
    account: str | None = None

    @classmethod
    def of(cls, key: object, account: str | None = None) -> "PublicKey":
        """From a public key of any kind. Raises TypeError for another kind than RSA."""
        if not isinstance(key, RSAPublicKey):
            raise TypeError(f"a service account signs with an RSA key, not {type(key).__name__}")
        return cls(key, account)

    def verifies(self, account: str, message: bytes, signature: bytes) -> bool:
        """Whether this key of this account made the signature."""
        if self.account not in (None, account):
            return False
        try:
            self.key.verify(signature, message, PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signers:
    """Everybody whose signature counts. `secrets` maps the access id of an HMAC key to its secret."""

    keys: tuple[PublicKey, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)

    def accept(self, algorithm: str, credential: Credential, text: str, signature: str) -> bool:
        """Whether `signature` (hexadecimal) over `text` was made with a key of the credential's account."""
        try:
            raw = bytes.fromhex(signature)
        except ValueError:
            return False
        if algorithm == RSA:
            return any(key.verifies(credential.account, text.encode(), raw) for key in self.keys)
        secret = self.secrets.get(credential.account)
        return secret is not None and hmac.compare_digest(_hmac_signature(secret, credential.scope, text), raw)


def read_signers(certificates: Iterable[str], public_keys: Iterable[str], hmac_keys: Iterable[str]) -> Signers:
    """Signers from the command line: `[ACCOUNT=]FILE` for certificates and public keys in PEM, `ID=SECRET` for HMAC.

    A certificate without an account is bound to its common name when that is an e-mail address.
    """
    keys = [_certificate(text) for text in certificates] + [_public_key(text) for text in public_keys]
    return Signers(tuple(keys), dict(text.split("=", 1) for text in hmac_keys))


def _certificate(text: str) -> PublicKey:
    account, pem = _read(text)
    certificate = x509.load_pem_x509_certificate(pem)
    names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return PublicKey.of(certificate.public_key(), account or next((name for name in names if "@" in name), None))


def _public_key(text: str) -> PublicKey:
    account, pem = _read(text)
    return PublicKey.of(serialization.load_pem_public_key(pem), account)


def _read(text: str) -> tuple[str | None, bytes]:
    account, separator, path = text.rpartition("=")
    return (account if separator else None), Path(path).read_bytes()


def _hmac_signature(secret: str, scope: str, text: str) -> bytes:
    """The chain of keys of https://cloud.google.com/storage/docs/authentication/signatures#derive-key."""
    key = f"GOOG4{secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key
