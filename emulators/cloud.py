"""The local cloud as one thing that is started and stopped: all parts, provisioned and supervised."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from shutil import rmtree
from threading import Event, Thread
from typing import Self

import httpx
from google.api_core.exceptions import GoogleAPICallError

from emulators import parts, provision
from emulators.errors import CannotStartError
from emulators.ports import Ports, free_ports
from emulators.processes import Part, Process, end, end_of, guarded
from emulators.state import PROJECT, State, environment
from infra.catalog import ROOT, functions

Say = Callable[[str], None]

_RECORDS = ("firestore", "auth")
"""The parts that hold the default company and its user."""

_LAST = frozenset({"firestore", "auth", "pubsub", "storage", "mail"})
"""Stopped when all that writes to them has stopped, so that what is kept is whole."""

_EXPORT_LIMIT = 60.0
"""Seconds that Firestore may take to write down what it holds."""


class LocalCloud:
    """The whole platform on this machine. A context manager; or call `stop`, whatever happens.

    `fresh` forgets what the state keeps. `isolated` gives every function a process of its own, as deployed. `say` gets
    a line for the screen now and then.
    """

    def __init__(
        self, ports: Ports, state: State, *, fresh: bool = False, isolated: bool = False, say: Say = print
    ) -> None:
        self.ports = ports
        self.state = state
        self.timings: dict[str, float] = {}
        """Seconds from the start until each part answered and was provisioned."""
        self._fresh = fresh
        self._isolated = isolated
        self._say = say
        self._processes: dict[str, Process] = {}
        self._seeding: subprocess.Popen[bytes] | None = None
        self._stopping = Event()
        self._held = ExitStack()

    @property
    def environment(self) -> Mapping[str, str]:
        """What every function is told; the same for a test or a script that calls the emulators itself."""
        return environment(self.ports, self.state)

    @property
    def url(self) -> str:
        """Where the platform's API is."""
        return self.ports.url("gateway")

    def start(self) -> None:
        """Starts everything at once, provisions what comes up, and returns when the platform answers.

        Raises CannotStartError, with everything stopped again, when something is missing, taken, or fails.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops everything; what the state keeps is kept. May be called again."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._seeding:
            end(self._seeding)
        _at_once(one.stop for name, one in self._processes.items() if name not in _LAST)
        if "firestore" in self.timings:
            self._export_firestore()
        _at_once(one.stop for one in self._processes.values())
        self._held.close()

    def kill(self, part: str) -> None:
        """Kills a part as hard as can be. It is started again."""
        self._processes[part].kill()

    def restart(self, part: str) -> None:
        """Kills a part and waits until it answers again."""
        self._processes[part].restart()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        began = time.monotonic()
        self._held.enter_context(self.state.held(fresh=self._fresh))
        self.ports.refuse_if_busy()
        upstreams = self._isolate() if self._isolated else {}
        first = [
            *parts.emulators(self.ports, self.state, self._say),
            self._gateway(upstreams),
        ]
        for part in first:
            self._add(part)
        pool = ThreadPoolExecutor(len(first) + 1, thread_name_prefix="start")
        try:
            for part in first:
                self._processes[part.name].start()
            coming = {part.name: pool.submit(self._bring_up, part.name, began) for part in first}
            coming["seed"] = pool.submit(self._seed_after, [coming[name] for name in _RECORDS], began)
            for done in as_completed(coming.values()):
                done.result()
        finally:
            # Those that still wait end as soon as their part is stopped.
            pool.shutdown(wait=False, cancel_futures=True)
        self.timings["everything"] = time.monotonic() - began
        if self._isolated:
            Thread(target=self._start_isolated, args=[list(upstreams), began], daemon=True).start()

    def _gateway(self, upstreams: Mapping[str, int]) -> Part:
        return parts.gateway(self.ports, self.environment, upstreams)

    def _add(self, part: Part) -> None:
        self._processes[part.name] = Process(part, self.state.log(part.name), self._say, self._provision_again)

    def _isolate(self) -> dict[str, int]:
        """A part for each function; returns their ports by name."""
        served = functions()
        ports = dict(zip((one.name for one in served), free_ports(len(served)), strict=True))
        for one in served:
            self._add(parts.isolated(one, ports[one.name], self.environment))
        return ports

    def _start_isolated(self, names: Sequence[str], began: float) -> None:
        """Starts the functions a few at a time, after all else.

        Each costs a second of processor time or two. Meanwhile the gateway lets requests wait, as Google Cloud does
        while an instance starts.
        """

        def start(name: str) -> None:
            process = self._processes[parts.isolated_name(name)]
            process.start()
            process.wait_until_ready()

        with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="isolated") as pool:
            for done in as_completed([pool.submit(start, name) for name in names]):
                if done.exception() and not self._stopping.is_set():
                    self._say(str(done.exception()))
        if not self._stopping.is_set():
            self._say(f"All {len(names)} functions run, after {time.monotonic() - began:.1f} s.")

    def _bring_up(self, part: str, began: float) -> None:
        self._processes[part].wait_until_ready()
        if part not in _RECORDS:
            self._provision(part)
        self.timings[part] = time.monotonic() - began

    def _seed_after(self, records: Iterable[Future[None]], began: float) -> None:
        for one in records:
            one.result()
        self._seed()
        self.timings["seed"] = time.monotonic() - began

    def _provision_again(self, part: str) -> None:
        """For a part that was started again, and may have forgotten everything."""
        try:
            self._provision(part)
        except (httpx.HTTPError, GoogleAPICallError, CannotStartError) as error:
            if not self._stopping.is_set():
                self._say(f"{part} could not be made what it was: {error}")

    def _provision(self, part: str) -> None:
        """Makes in a part that answers what has to be there."""
        match part:
            case "pubsub":
                provision.topics_and_subscriptions(functions(), self.ports)
            case "storage":
                provision.bucket_and_notifications(functions(), self.ports)
            case "tasks":
                provision.queues(functions(), self.ports)
            case "firestore" | "auth":
                self._seed()

    def _seed(self) -> None:
        """The default company and its user, made by the platform's own code, in a process that has its environment."""
        log = self.state.log("seed")
        log.write_bytes(b"")
        command = (sys.executable, "-m", "emulators.seed")
        self._seeding = guarded(command, log, self.environment, ROOT)
        if self._seeding.wait() and not self._stopping.is_set():
            raise CannotStartError(f"The default company could not be made. {end_of(log)}")

    def _export_firestore(self) -> None:
        """What Firestore holds, written down: its emulator keeps everything in memory."""
        folder = self.state.of("firestore")
        before = list(folder.iterdir())
        address = f"{self.ports.url('firestore')}/emulator/v1/projects/{PROJECT}:export"
        wanted = {"database": f"projects/{PROJECT}/databases/(default)", "export_directory": str(folder)}
        try:
            httpx.post(address, json=wanted, timeout=_EXPORT_LIMIT, trust_env=False).raise_for_status()
        except httpx.HTTPError as error:
            self._say(f"What Firestore held could not be kept: {error}")
            return
        for old in before:
            rmtree(old)


def _at_once(stops: Iterable[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(thread_name_prefix="stop") as pool:
        for done in [pool.submit(stop) for stop in stops]:
            done.result()
