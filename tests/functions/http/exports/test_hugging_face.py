"""Our export in the library it is made for: `datasets` loads the folder as it is, without the network.

`python -m pytest -m tools -s` installs the library into an environment of its own; with
`DATASETS_PYTHON=/path/to/python` it uses that one.
"""

import asyncio
import json
import os
import subprocess
import venv
from pathlib import Path
from typing import Any

import pytest

from tests.functions.http.conftest import Staff
from tests.functions.http.exports.test_exports import LONG, _exported, _labelled

pytestmark = [pytest.mark.tools, pytest.mark.timeout(600)]

LOAD = """
import json, sys
import datasets

loaded = datasets.load_dataset(sys.argv[1])
train = loaded["train"]
one = next(row for row in train if row["revision"] == 2 and row["kind"] == "document")
print(json.dumps({
    "version": datasets.__version__,
    "splits": {name: len(split) for name, split in loaded.items()},
    "features": {name: str(feature) for name, feature in train.features.items()},
    "text": one["text"],
    "annotations": one["annotations"],
    "streamed": len(list(datasets.load_dataset(sys.argv[1], streaming=True)["train"])),
}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the library."""
    if "DATASETS_PYTHON" in os.environ:
        return Path(os.environ["DATASETS_PYTHON"])
    folder = tmp_path_factory.mktemp("datasets")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", "datasets"], check=True)
    return folder / "bin" / "python"


def _loaded(python: Path, folder: Path) -> dict[str, Any]:
    """What the library says of the dataset in this folder."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "home")}
    command: list[str | Path] = [python, "-c", LOAD, folder / "dataset"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


async def test_the_library_loads_what_we_export(staff: Staff, python: Path, tmp_path: Path) -> None:
    project_id = await _labelled(staff)
    for name, raw in (await _exported(staff.user.http, project_id, "hugging_face")).items():
        path = tmp_path / "dataset" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)

    told = await asyncio.to_thread(_loaded, python, tmp_path)

    print(f"\ndatasets {told['version']}: {told['splits']}, {told['features']}")
    assert (told["splits"], told["streamed"]) == ({"train": 3}, 3)
    assert told["features"]["size"] == "Value('int64')"
    assert told["features"]["created_at"] == "Value('timestamp[us, tz=UTC]')"
    assert told["text"] == LONG
    assert [one["labels"] for one in told["annotations"]] == [["Person"], ["river", "Ufer"], ["Stamp"]]
