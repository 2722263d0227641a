"""A copy of the Terraform root module that runs on its own: no state bucket, no credentials, no real provider."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.catalog import ROOT, functions

INFRA = ROOT / "infra"

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """What `terraform plan` would make, from its JSON form."""

    resources: Mapping[str, Mapping[str, Values]]
    """Type → address within the type (`this["ocr"]`) → planned values; what is known after apply is missing."""
    changes: tuple[Values, ...]
    project: str

    def of(self, kind: str, name: str = "this") -> dict[str, Values]:
        """The instances of one resource with `for_each`, by their key."""
        prefix = f'{name}["'
        found = self.resources.get(kind, {})
        return {
            key.removeprefix(prefix).removesuffix('"]'): value for key, value in found.items() if key.startswith(prefix)
        }

    def one(self, kind: str, name: str = "this") -> Values:
        """The only instance of a resource."""
        return self.resources[kind][name]


class Workspace:
    """The copy in `folder`, and Terraform run in it. The environment attaches the stand-in provider."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._infra = folder / "infra"
        self._environment = {**os.environ, **environment, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        shutil.copytree(INFRA, self._infra, ignore=shutil.ignore_patterns("*.py", "__pycache__", ".terraform*"))
        # The state is not Google's here.
        for backend in self._infra.rglob("backend.tf"):
            backend.unlink()
        packages = folder / "build" / "functions"
        packages.mkdir(parents=True)
        for function in functions():
            described = folder / function.folder.relative_to(ROOT) / "function.yaml"
            described.parent.mkdir(parents=True)
            shutil.copy(function.folder / "function.yaml", described)
            (packages / f"{function.name}-000000000000.zip").touch()
        self.run("init")

    def run(self, *arguments: str, module: str = ".") -> str:
        """What Terraform prints, run in the root module or in another one below it.

        Raises:
            AssertionError: Terraform failed; with all that it said.
        """
        command = ["terraform", arguments[0], "-no-color", *arguments[1:]]
        done = subprocess.run(
            command, cwd=self._infra / module, env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"terraform {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def validate_with(self, text: str) -> str:
        """What `terraform validate` says of the configuration with this text added."""
        added = self._infra / "added.tf"
        added.write_text(text)
        try:
            return self.run("validate")
        finally:
            added.unlink()

    def plan(self, environment: str) -> Plan:
        """The plan of an empty project with the variables of this environment."""
        self.run("plan", f"-var-file=environments/{environment}.tfvars", f"-out={environment}.plan")
        shown = json.loads(self.run("show", "-json", f"{environment}.plan"))
        resources: dict[str, dict[str, Values]] = {}
        for resource in shown["planned_values"]["root_module"]["resources"]:
            address = resource["address"].removeprefix(f"{resource['type']}.")
            resources.setdefault(resource["type"], {})[address] = resource["values"]
        return Plan(resources, tuple(shown["resource_changes"]), shown["variables"]["project_id"]["value"])
