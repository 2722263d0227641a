"""Everything an instance is told from outside: environment variables, read once, checked at start.

On Google Cloud, Terraform sets them from `function.yaml` and its variables; locally the runner does. Secrets arrive as
environment variables mounted from Secret Manager. The `*_EMULATOR_HOST` variables are the only switch between the local
cloud and Google.
"""

import base64
import os
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

EMULATOR_VARIABLES = (
    "FIRESTORE_EMULATOR_HOST",
    "PUBSUB_EMULATOR_HOST",
    "FIREBASE_AUTH_EMULATOR_HOST",
    "STORAGE_EMULATOR_HOST",
    "CLOUD_TASKS_EMULATOR_HOST",
    "DOCUMENTAI_EMULATOR_HOST",
    "SPEECH_EMULATOR_HOST",
)


_SEALING_KEY_BYTES = 32


class Prices(BaseModel):
    """What recognition and storage cost, for analytics; list prices unless the platform's operator says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: str = "USD"
    page: Annotated[float, Field(ge=0)] = 0.0015
    """A page read (https://cloud.google.com/document-ai/pricing)."""
    minute: Annotated[float, Field(ge=0)] = 0.016
    """A minute transcribed (https://cloud.google.com/speech-to-text/pricing)."""
    gib_month: Annotated[float, Field(ge=0)] = 0.02
    """A GiB stored for a month (https://cloud.google.com/storage/pricing)."""


class Settings(BaseSettings):
    """The settings of every function. An unset one without a default stops the instance at its first request."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    google_cloud_project: Annotated[str, Field(description="Project id of the Google Cloud project.")]
    region: Annotated[str, Field(description="Region of functions and queues.")] = "europe-west1"
    bucket: Annotated[str, Field(description="Bucket of everything uploaded and everything recognised.")]
    public_url: Annotated[str, Field(description="Address at which clients reach the platform; used in links.")] = (
        "http://127.0.0.1:8000"
    )
    function_url: Annotated[
        str, Field(description="Address of a private function; `{name}` stands for its name. Tasks are sent there.")
    ]
    invoker_service_account: Annotated[
        str | None, Field(description="Service account whose OIDC token Cloud Tasks presents to private functions.")
    ] = None

    firebase_api_key: Annotated[str, Field(description="Web API key of Identity Platform (public by design).")] = (
        "local"
    )
    documentai_processor: Annotated[str, Field(description="OCR processor: projects/P/locations/L/processors/ID.")]
    speech_location: Annotated[str, Field(description="Location of Speech-to-Text v2, `global` or a region.")] = (
        "global"
    )
    speech_model: Annotated[str, Field(description="Recognition model of Speech-to-Text v2.")] = "long"
    default_languages: Annotated[
        tuple[str, ...], Field(description="BCP 47 languages expected in recordings, most likely first.")
    ] = ("en-US",)

    retention_days: Annotated[
        int, Field(description="Days for which what was deleted can be restored; then it is erased.", ge=1)
    ] = 30
    webhook_loopback: Annotated[
        bool, Field(description="Whether webhooks may go to loopback addresses: set by the local cloud alone.")
    ] = False
    prices: Annotated[Prices, Field(description="Prices that analytics reckons costs with, as JSON.")] = Prices()

    signing_account: Annotated[
        str | None,
        Field(description="Service account e-mail that signs URLs; unset: the instance's own, by IAM signBlob."),
    ] = None
    signing_key: Annotated[
        SecretStr | None,
        Field(description="Service account key as JSON. Set: URLs are signed in the process. Unset: by IAM signBlob."),
    ] = None
    cursor_key: Annotated[
        SecretStr, Field(description="Key that signs page tokens; at least 32 random characters.", min_length=32)
    ]
    sealing_keys: Annotated[
        SecretStr | None,
        Field(
            description="Keys that seal the secrets of webhooks: 32 random bytes each in Base64, separated by commas. "
            "The first seals, all of them open."
        ),
    ] = None

    smtp_host: Annotated[str, Field(description="Mail server.")] = "127.0.0.1"
    smtp_port: Annotated[int, Field(description="Port of the mail server.")] = 587
    smtp_user: Annotated[str | None, Field(description="User at the mail server; unset: no sign-in, no TLS.")] = None
    smtp_password: Annotated[SecretStr | None, Field(description="Password at the mail server.")] = None
    mail_from: Annotated[str, Field(description="Sender of the platform's mail.")] = "Alta <no-reply@localhost>"

    log_level: Annotated[str, Field(description="Least level that is logged.")] = "INFO"
    cors_origins: Annotated[tuple[str, ...], Field(description="Origins of web clients, exact.")] = ()
    trusted_proxies: Annotated[
        int, Field(description="Proxies in front of an instance that append to X-Forwarded-For.", ge=0)
    ] = 1
    address_quota_factor: Annotated[
        float, Field(description="Multiplies rate limits per client address, where many people share one.", gt=0)
    ] = 1.0
    allowed_hosts: Annotated[tuple[str, ...], Field(description="Host names that are answered; `*` for any.")] = ("*",)

    @field_validator("sealing_keys")
    @classmethod
    def _whole_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        for key in keys.get_secret_value().split(",") if keys else ():
            if len(base64.b64decode(key, validate=True)) != _SEALING_KEY_BYTES:
                raise ValueError("each of SEALING_KEYS is 32 bytes in Base64")
        return keys

    @model_validator(mode="after")
    def _no_loopback_on_cloud_run(self) -> "Settings":
        if self.webhook_loopback and on_cloud_run():
            raise ValueError("WEBHOOK_LOOPBACK set on Cloud Run: this instance refuses to start")
        return self

    @model_validator(mode="after")
    def _no_emulator_on_cloud_run(self) -> "Settings":
        # Emulator tokens are unsigned: with one of these variables set, anybody could be anybody.
        found = [name for name in EMULATOR_VARIABLES if os.environ.get(name)]
        if found and on_cloud_run():
            raise ValueError(f"{', '.join(found)} set on Cloud Run: this instance refuses to start")
        return self


def emulator(variable: str) -> str | None:
    """Address of an emulator from its `*_EMULATOR_HOST` variable; None when Google itself is meant."""
    return os.environ.get(variable) or None


def on_cloud_run() -> bool:
    """Whether this is an instance on Google Cloud (https://cloud.google.com/run/docs/container-contract#env-vars)."""
    return bool(os.environ.get("K_SERVICE"))


@lru_cache
def settings() -> Settings:
    """The settings of this instance, read on first use."""
    return Settings()
