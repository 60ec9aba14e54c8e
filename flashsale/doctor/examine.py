"""All checks, in the order in which `doctor` prints them. Nothing is started or changed."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

from flashsale.base.errors import FlashsaleError
from flashsale.clusters import select
from flashsale.clusters.minikube.profile.profile import asked_once
from flashsale.clusters.select import ClusterOptions
from flashsale.doctor import cluster_checks, machine_checks, sale_checks
from flashsale.doctor.finding import Finding

SLOW = 12.0  # seconds for `minikube status`, which a wrong entry in the kubeconfig makes slow


async def examine(wanted: ClusterOptions, home: Path) -> list[Finding]:
    """Look at everything, side by side where that can take long."""
    async with asked_once(SLOW):
        docker = asyncio.ensure_future(machine_checks.check_docker())
        minikube, (sale, asleep), engine = await asyncio.gather(
            cluster_checks.check_minikube(select.profile_of_interest(wanted, home), docker),
            sale_checks.check_sale(home),
            docker,
        )
        if not await _docker_is_needed(wanted, home):
            engine = [without_need(finding) for finding in engine]
        choice = await sale_checks.check_choice(wanted, home, asleep=asleep)
    return [
        machine_checks.check_python(sys.version_info[:3]),
        machine_checks.check_state_folder(home),
        machine_checks.check_disk(home),
        cluster_checks.check_embedded(),
        *engine,
        minikube,
        machine_checks.check_proxies(os.environ),
        machine_checks.list_tools(),
        *cluster_checks.list_contexts(),
        sale,
        choice,
    ]


async def _docker_is_needed(wanted: ClusterOptions, home: Path) -> bool:
    """Whether `up` would take a cluster that Docker runs, or whose images it builds."""
    try:
        chosen = await select.select_for_up(wanted, home=home)
    except FlashsaleError:
        return True  # what was asked for by name cannot be used: Docker may be why
    return not chosen.cluster.stops_with_sale


def without_need(finding: Finding) -> Finding:
    """Call what is wrong with something that nothing needs here no problem."""
    if finding.grade != "problem":
        return finding
    text = f"{finding.text}; not needed: `up` would use the embedded cluster"
    return replace(finding, grade="absent", text=text)
