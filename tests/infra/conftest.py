"""One plan of each environment for all tests of the deployment."""

import shutil
from collections.abc import Iterator

import pytest

from tests.infra.provider.standin import attached
from tests.infra.workspace import Plan, Workspace


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A copy of infra/ in which Terraform runs against the stand-in provider."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    with attached() as environment:
        yield Workspace(tmp_path_factory.mktemp("terraform"), environment)


@pytest.fixture(scope="session")
def prod(workspace: Workspace) -> Plan:
    """What would be made in an empty prod project."""
    return workspace.plan("prod")


@pytest.fixture(scope="session")
def dev(workspace: Workspace) -> Plan:
    """What would be made in an empty dev project."""
    return workspace.plan("dev")
