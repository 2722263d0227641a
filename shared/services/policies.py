"""What a project and its company have decided of recognition: budgets, and whether equal content is recognised once.

Read with every event, so kept in the instance for as long as every cache may be: it costs a file no read of its own.
"""

from dataclasses import dataclass

from cachetools import TTLCache

from shared.models.assets import AssetSummary
from shared.models.limits import Limits
from shared.services.access import CACHED_SECONDS
from shared.store import companies, projects


@dataclass(frozen=True)
class Policy:
    """What holds for the assets of one project."""

    project: Limits
    company: Limits
    recognise_once: bool


_policies: TTLCache[tuple[str, str], Policy] = TTLCache(maxsize=10_000, ttl=CACHED_SECONDS)


async def policy(asset: AssetSummary) -> Policy:
    """The policy that an asset falls under; two reads for each project in 30 s, whatever the number of files."""
    key = (asset.company_id, asset.project_id)
    known = _policies.get(key)
    if known is None:
        project = await projects.get(asset.project_id)
        company = await companies.get(asset.company_id)
        known = _policies[key] = Policy(
            project=project.limits if project else Limits(),
            company=company.limits if company else Limits(),
            recognise_once=project.recognise_once if project else False,
        )
    return known
