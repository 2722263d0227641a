"""Python environments of their own, with what they are asked for and nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

BUILD = {"SOURCE_DATE_EPOCH": "315532800"}
"""What Terraform tells Google's build, which binds bytecode to content: an image keeps no file times."""


def environment(folder: Path, *requirements: str, compiled: bool = False) -> str:
    """Makes an environment in `folder`, by uv where it is, and installs what pip would be told; gives its Python.

    With `compiled`, packages are compiled, as Google's build does and a single start has no use for.
    """
    python = str(folder / "bin" / "python")
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv:
        compiling = ["--compile-bytecode"] if compiled else []
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
        _run(uv, "pip", "install", "--quiet", "--python", python, *compiling, *requirements)
    else:
        compiling = [] if compiled else ["--no-compile"]
        _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        _run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *compiling, *requirements)
    return python


def _run(*command: str) -> None:
    # The first is for pip, the second for uv (https://docs.astral.sh/uv/reference/environment).
    told = {**os.environ, **BUILD, "PYC_INVALIDATION_MODE": "CHECKED_HASH"}
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
