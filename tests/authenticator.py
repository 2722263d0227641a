"""An authenticator in software: makes discoverable ES256 credentials and signs with them (WebAuthn level 3, 6)."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.registration.verify_registration_response import VerifiedRegistration

from shared.models.passkeys import Passkey
from shared.models.records import now

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encoded(raw: bytes) -> str:
    """Bytes as base64url without padding, as WebAuthn's JSON has them."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Authenticator:
    """One credential and what it signs. Change the fields to make it misbehave."""

    origin: str
    flags: int = USER_PRESENT | USER_VERIFIED
    count: int = 0
    counts: bool = True
    cross_origin: bool = False
    attestation: tuple[str, dict[str, Any]] = ("none", {})
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: bytes = b""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: dict[str, Any], *, challenge: str | None = None) -> dict[str, Any]:
        """What `navigator.credentials.create()` gives for these options."""
        self.user_handle = base64.urlsafe_b64decode(options["user"]["id"] + "==")
        client_data = self._client_data("webauthn.create", challenge or options["challenge"])
        form, statement = self.attestation
        made = {"fmt": form, "attStmt": statement, "authData": self._data(options["rp"]["id"], attested=True)}
        return self._credential({"clientDataJSON": client_data, "attestationObject": encoded(cbor2.dumps(made))})

    def get(self, options: dict[str, Any], *, challenge: str | None = None) -> dict[str, Any]:
        """What `navigator.credentials.get()` gives for these options."""
        self.count += int(self.counts)
        client_data = self._client_data("webauthn.get", challenge or options["challenge"])
        data = self._data(options["rpId"], attested=False)
        signed = data + hashlib.sha256(base64.urlsafe_b64decode(client_data + "==")).digest()
        return self._credential(
            {
                "clientDataJSON": client_data,
                "authenticatorData": encoded(data),
                "signature": encoded(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
                "userHandle": encoded(self.user_handle),
            }
        )

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        own = encoded(self.credential_id)
        return {"id": own, "rawId": own, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def _client_data(self, kind: str, challenge: str) -> str:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin}
        return encoded(json.dumps(data).encode())

    def _data(self, rp_id: str, *, attested: bool) -> bytes:
        flags = self.flags | (ATTESTED if attested else 0)
        head = hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")
        if not attested:
            return head
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        length = len(self.credential_id).to_bytes(2, "big")
        return head + bytes(16) + length + self.credential_id + cbor2.dumps(public)


def kept(verified: VerifiedRegistration) -> Passkey:
    """The record of a passkey that was registered."""
    return Passkey(
        id="psk_x",
        created_at=now(),
        updated_at=now(),
        user_id="usr_ada",
        name="Key",
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        backed_up=verified.credential_backed_up,
    )
