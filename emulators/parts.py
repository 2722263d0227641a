"""The programs that the local cloud consists of: the command line of each, and how it shows that it is ready."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from emulators import java, node
from emulators.node import Say
from emulators.ports import HOST, Ports
from emulators.processes import READY_PATH, Part, accepts, answers
from emulators.state import INVOKER, PROJECT, SIGNER, State
from infra.catalog import ROOT, Function, ScheduleTrigger, functions

_JVM = ("-XX:+UseSerialGC", "-Xshare:auto", "-Xmx3g")
_QUICKLY = "-XX:TieredStopAtLevel=1"
"""For what does little: the least work at the start. Firestore passes over a whole collection for each query, and does
so in half the time once the JVM has compiled it well."""

FUNCTIONS = "functions"
"""Name of the part that serves the functions: the gateway, and in one process with it the functions themselves."""


def emulators(ports: Ports, state: State, say: Say) -> list[Part]:
    """Every emulator. Raises CannotStartError when one of Google's can't be had."""
    node.install_firebase_tools(say)
    program = java.java()
    return [
        _firestore(program, java.jar(java.FIRESTORE, say), ports, state),
        _pubsub(program, java.jar(java.PUBSUB, say), ports),
        _auth(ports, state),
        *_ours(ports, state),
    ]


def gateway(ports: Ports, environment: Mapping[str, str], upstreams: Mapping[str, int] | None = None) -> Part:
    """The functions behind one address; with `upstreams` (function to port), each in the process of its own."""
    others = [f"--upstream={name}={port}" for name, port in (upstreams or {}).items()]
    return Part(
        FUNCTIONS,
        _module("emulators.gateway", "--port", ports.gateway, "--internal-port", ports.internal, *others),
        answers(ports.internal, READY_PATH),
        environment,
        ROOT,
    )


def isolated(function: Function, port: int, environment: Mapping[str, str]) -> Part:
    """One function in its own process, started as it is deployed: by the functions-framework's own command."""
    framework = str(Path(sys.executable).with_name("functions-framework"))
    source = str(function.folder / "main.py")
    return Part(
        isolated_name(function.name),
        (framework, "--target=main", f"--source={source}", "--signature-type=http", "--asgi"),
        accepts(port),
        {**environment, "HOST": HOST, "PORT": str(port), "PYTHONPATH": str(ROOT)},
        ROOT,
    )


def isolated_name(function: str) -> str:
    """The part's name of a function with a process of its own."""
    return f"function-{function}"


def last_export(state: State) -> Path | None:
    """The Firestore export of the last clean stop."""
    return max(state.of("firestore").glob("*/*.overall_export_metadata"), default=None)


def _firestore(java: str, jar: Path, ports: Ports, state: State) -> Part:
    # The Google Cloud SDK's jar has no Main-Class.
    main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
    export = last_export(state)
    imported = ("--import-data", str(export)) if export else ()
    command = (java, *_JVM, "-cp", str(jar), main, "start", "--host", HOST, "--port", str(ports.firestore))
    return Part("firestore", (*command, *imported), answers(ports.firestore))


def _pubsub(java: str, jar: Path, ports: Ports) -> Part:
    command = (java, *_JVM, _QUICKLY, "-jar", str(jar), f"--host={HOST}", f"--port={ports.pubsub}")
    return Part("pubsub", command, answers(ports.pubsub))


def _auth(ports: Ports, state: State) -> Part:
    script = str(node.FIREBASE / "auth.js")
    command = (node.node(), script, str(ports.auth), PROJECT, str(state.of("auth")))
    return Part("auth", command, answers(ports.auth))


def _ours(ports: Ports, state: State) -> list[Part]:
    storage = _module(
        "emulators.storage", "--port", ports.storage, "--state", state.of("storage"),
        "--pubsub", ports.address("pubsub"), "--project", PROJECT,
        "--signer-public-key", f"{SIGNER}={state.signer_public_key}",
    )  # fmt: skip
    tasks = _module(
        "emulators.tasks", "--port", ports.tasks, "--control-port", ports.tasks_control, "--state", state.of("tasks"),
    )  # fmt: skip
    mail = _module("emulators.mail", "--smtp-port", ports.smtp, "--http-port", ports.mail)
    scheduler = _module("emulators.scheduler", "--port", ports.scheduler, "--jobs", _jobs(ports, state))
    return [
        Part("storage", storage, answers(ports.storage, READY_PATH), folder=ROOT),
        Part("tasks", tasks, accepts(ports.tasks), folder=ROOT),
        _engine("documentai", ports.documentai, ports.documentai_control, ports, state),
        _engine("speech", ports.speech, ports.speech_control, ports, state),
        Part("mail", mail, answers(ports.mail, READY_PATH), folder=ROOT),
        Part("scheduler", scheduler, answers(ports.scheduler, READY_PATH), folder=ROOT),
    ]


def _engine(name: str, port: int, control: int, ports: Ports, state: State) -> Part:
    command = _module(
        f"emulators.{name}", "--port", port, "--control-port", control,
        "--storage", ports.url("storage"), "--state", state.of(name),
    )  # fmt: skip
    return Part(name, command, accepts(port), folder=ROOT)


def _jobs(ports: Ports, state: State) -> Path:
    """The scheduler's file: every function that the clock wakes, with Cloud Scheduler's own deadline at the most."""
    jobs = [
        {
            "name": one.name,
            "cron": one.trigger.cron,
            "time_zone": one.trigger.time_zone,
            "url": f"{ports.url('internal')}/{one.name}",
            "service_account": INVOKER,
            "attempt_deadline_seconds": min(max(one.timeout_seconds, 15), 1800),
        }
        for one in functions()
        if isinstance(one.trigger, ScheduleTrigger)
    ]
    path = state.of("scheduler") / "jobs.json"
    path.write_text(json.dumps(jobs, indent=2))
    return path


def _module(name: str, *arguments: object) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *map(str, arguments))
