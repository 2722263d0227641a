"""Writes `schema.json`: what the Google provider accepts, for the resource types that infra/ uses.

Two sources give the same shape, that of `terraform providers schema -json`:

- where the provider can be installed: `terraform providers schema -json | python -m tests.infra.provider.bindings -`
- where it cannot: the npm package `@cdktf/provider-google`, whose bindings are generated from the provider's schema:
  `npm pack @cdktf/provider-google && tar xf *.tgz && python -m tests.infra.provider.bindings package`

The bindings tell neither which optional attributes Google fills in, nor what is sensitive: those of `FILLED_IN` and of
`SENSITIVE` are marked.
"""

import json
import re
import sys
from pathlib import Path
from typing import TypeAlias, TypedDict

from infra.catalog import ROOT

SCHEMA = Path(__file__).with_name("schema.json")

# Optional attributes that the provider computes when they are not given.
FILLED_IN = {"id", "project", "region", "location", "fingerprint", "ack_deadline_seconds", "default_uri_port"}

# Attributes that the provider marks as sensitive, of those that infra/ reads.
SENSITIVE = {"api_key"}

# Simple types of the bindings → Terraform's.
SIMPLE = {"string": "string", "number": "number", "boolean": "bool", "cdktf.IResolvable": "bool", "any": "dynamic"}

Type: TypeAlias = "str | list[object]"


class Attribute(TypedDict, total=False):
    type: Type
    required: bool
    optional: bool
    computed: bool
    sensitive: bool


class Nested(TypedDict, total=False):
    nesting_mode: str
    block: "Block"
    min_items: int
    max_items: int


class Block(TypedDict):
    attributes: dict[str, Attribute]
    block_types: dict[str, Nested]


class Bindings:
    """One resource type's module of the npm package."""

    def __init__(self, folder: Path) -> None:
        self._code = (folder / "index.js").read_text().split("//# sourceMappingURL")[0]
        self._types = (folder / "index.d.ts").read_text()
        self._class = re.findall(r"class (\w+) extends cdktf\.Terraform(?:Resource|DataSource)", self._code)[0]

    def resource(self) -> Block:
        """The schema of the resource type itself."""
        synthesized = self._code.split("synthesizeHclAttributes()")[1]
        return self._block(synthesized.split("\n    }\n")[0], f"{self._class}Config", self._class)

    def _block(self, attributes: str, interface: str, reader: str) -> Block:
        required = self._required(interface)
        block = Block(attributes={}, block_types={})
        for name, value, is_block, kind, storage in re.findall(
            r'(\w+): \{\s+value: (.*),\s+isBlock: (\w+),\s+type: "(\w+)",\s+storageClassType: "([\w.]+)"', attributes
        ):
            camel = re.findall(r"(?:struct|this)\.(\w+)", value)[-1].lstrip("_") if "internalValue" not in value else ""
            camel = camel or re.findall(r"this\._(\w+)\.internalValue", value)[0]
            if is_block == "true":
                block["block_types"][name] = self._nested(value, kind, required=camel in required)
            else:
                block["attributes"][name] = _configurable(name, kind, storage, required=camel in required)
        for name, computed in self._computed(reader).items():
            attribute = Attribute(type=computed, computed=True)
            block["attributes"].setdefault(name, attribute | {"sensitive": True} if name in SENSITIVE else attribute)
        return block

    def _nested(self, value: str, kind: str, *, required: bool) -> Nested:
        function = re.findall(r"(\w+)ToHclTerraform", value)[0]
        many = "listMapperHcl" in value
        pascal = function[0].upper() + function[1:]
        body = self._code.split(f"function {function}ToHclTerraform(struct)")[1].split("\n}")[0]
        nested = Nested(block=self._block(body, pascal, f"{pascal}OutputReference"))
        nested["nesting_mode"] = {"struct": "single"}.get(kind, kind)
        if nested["nesting_mode"] != "single":
            nested |= {"min_items": 1} if required else {}
            nested |= {} if many else {"max_items": 1}
        return nested

    def _required(self, interface: str) -> set[str]:
        body = re.search(rf"export interface {interface}(?: extends [\w.]+)? \{{(.*?)\n\}}", self._types, re.DOTALL)
        return set(re.findall(r"^    readonly (\w+): ", body[1], re.MULTILINE)) if body else set()

    def _computed(self, reader: str) -> dict[str, Type]:
        """Attributes that only Google sets, from the getters that the class marks so."""
        body = self._code.split(f"class {reader} extends")[1].split(f"exports.{reader} = ")[0]
        types = self._types.split(f"class {reader} extends")[1].split("\n}")[0]
        names = re.findall(r"// (\w+) - computed: true, optional: false, required: false", body)
        return {name: self._type(types, name) for name in names}

    def _type(self, types: str, name: str) -> Type:
        camel = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
        stated = re.search(rf"get {camel}\(\): ([\w.\[\]]+);", types)
        if stated is None or stated[1].endswith("Map"):
            return ["map", "string"]
        if stated[1] in SIMPLE:
            return SIMPLE[stated[1]]
        if stated[1].endswith("[]"):
            return ["list", SIMPLE[stated[1][:-2]]]
        if stated[1].endswith("List") and f"class {stated[1][:-4]}OutputReference" in self._code:
            return ["list", ["object", self._computed(f"{stated[1][:-4]}OutputReference")]]
        return "dynamic"


def _configurable(name: str, kind: str, storage: str, *, required: bool) -> Attribute:
    element = {"string": "string", "number": "number", "boolean": "bool"}
    if kind == "simple":
        found: Type = element[storage]
    elif kind in {"list", "set", "map"}:
        found = [kind, element.get(storage.removesuffix(kind.capitalize()), "string")]
    else:
        found = "dynamic"
    if required:
        return {"type": found, "required": True}
    attribute = Attribute(type=found, optional=True)
    if name in FILLED_IN:
        attribute["computed"] = True
    return attribute


def used() -> tuple[set[str], set[str]]:
    """Types of resources and of data sources that the configuration names."""
    text = "\n".join(path.read_text() for path in (ROOT / "infra").rglob("*.tf"))
    resources = set(re.findall(r'^resource "(google_\w+)"', text, re.MULTILINE))
    return resources, set(re.findall(r'^data "(google_\w+)"', text, re.MULTILINE))


def main() -> None:
    """The command line: `-` for Terraform's own JSON on standard input, else the folder of the npm package."""
    resources, data = used()
    if sys.argv[1] == "-":
        described = next(iter(json.load(sys.stdin)["provider_schemas"].values()))
        kinds = [("resource_schemas", resources), ("data_source_schemas", data)]
        schema = {kind: {name: described[kind][name]["block"] for name in sorted(names)} for kind, names in kinds}
    else:
        lib = Path(sys.argv[1]) / "lib"
        folders = {_resource_type(path): path.parent for path in sorted(lib.glob("*/index.js"))}
        schema = {
            "resource_schemas": {name: Bindings(folders[name, False]).resource() for name in sorted(resources)},
            "data_source_schemas": {name: Bindings(folders[name, True]).resource() for name in sorted(data)},
        }
    SCHEMA.write_text(_one_line_each(schema))


def _one_line_each(schema: dict[str, dict[str, Block]]) -> str:
    """The JSON with one type a line, so that a newer provider shows as the lines that it changes."""
    kinds = []
    for kind, types in schema.items():
        lines = [f"  {json.dumps(name)}: {json.dumps(block, sort_keys=True)}" for name, block in types.items()]
        kinds.append(f' "{kind}": {{\n' + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(kinds) + "\n}\n"


def _resource_type(path: Path) -> tuple[str, bool]:
    found = re.search(r'tfResourceType = "(\w+)"', path.read_text())
    return (found[1] if found else "", path.parent.name.startswith("data-"))


if __name__ == "__main__":
    main()
