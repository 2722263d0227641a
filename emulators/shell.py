"""What the parts of the local cloud take over from the shell that it is started in."""

from collections.abc import Mapping

from emulators.ports import HOST
from shared.settings import Settings

_NEAR = f"{HOST},localhost"
_NO_PROXY = ("no_proxy", "NO_PROXY")
"""Both are read by somebody; where both are set, the first counts, as for Python, curl and gRPC."""


def inherited(shell: Mapping[str, str]) -> dict[str, str]:
    """The shell's variables, but no setting of functions, and no proxy on the way to this machine.

    An operator's shell may hold the settings of a deployment (docs/runbook.md): with those that the local cloud does
    not set itself, its mail would go to the real server. As for pydantic, the case of a name does not count.
    """
    kept = {name: value for name, value in shell.items() if name.lower() not in Settings.model_fields}
    return kept | _without_proxy(shell)


def _without_proxy(shell: Mapping[str, str]) -> dict[str, str]:
    given = next((shell[name] for name in _NO_PROXY if shell.get(name)), "")
    return dict.fromkeys(_NO_PROXY, ",".join(filter(None, (given, _NEAR))))
