"""Each state that a profile can be in, and what each command does about it.

The table in `docs/minikube-states.md` is made from these parameters:
`python -m tests.clusters.minikube.states > docs/minikube-states.md`.
"""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

import pytest

from flashsale.base.errors import FlashsaleError
from flashsale.clusters.minikube import MinikubeCluster, cluster, current_context
from flashsale.clusters.minikube.profile import usability
from flashsale.clusters.select import ClusterOptions, select_for_down
from flashsale.clusters.state.sale_record import SaleRecord
from flashsale.clusters.state.sale_store import SaleStore
from flashsale.docker import EngineError, EngineProblem
from flashsale.doctor.cluster_checks import check_minikube
from flashsale.doctor.finding import Finding
from flashsale.sale.down import close
from flashsale.sale.session import connect_to_sale
from tests.clusters.minikube.conftest import QUICK
from tests.clusters.minikube.double_world import World
from tests.clusters.minikube.states import STATES, UNTRIED, State, document

pytestmark = pytest.mark.usefixtures("docker_program")
WHERE = ClusterOptions(profile="shop")


@pytest.fixture(params=STATES, ids=lambda state: state.name)
def state(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> State:
    """A machine with the profile `shop` in one state, and a sale recorded on it."""
    found: State = request.param
    SaleStore(world.home / "home").write(SaleRecord("minikube", "shop", profile="shop"))
    monkeypatch.setattr(Path, "home", lambda: Path("/home/u"))
    found.make(world)
    if found.unwritable:  # root may write anything
        refused = lambda file: (f"{file} cannot be written", file)  # noqa: E731
        monkeypatch.setattr(current_context, "_unwritable", refused)

    async def trouble() -> EngineError | None:
        return None if found.docker else EngineError(EngineProblem.ABSENT, "this machine", "")

    monkeypatch.setattr(usability, "is_root", lambda: False)
    for module in (cluster, usability):
        monkeypatch.setattr(module, "host_docker_trouble", trouble)
    return found


async def cell(what: Awaitable[str], world: World) -> str:
    """What came of a command: its own words, or the error's with what to type."""
    try:
        text = await what
    except FlashsaleError as error:
        text = f"{error} → `{error.hint}`"
    return text.replace(str(world.home / "kubeconfig"), "~/.kube/config").replace(
        "/home/u/.minikube", "~/.minikube"
    )


async def test_up(state: State, world: World) -> None:
    """The steps about the profile, or the error."""

    async def up() -> str:
        await MinikubeCluster("shop", patience=QUICK).start(world.progress)
        steps = [step for step in world.progress.steps if not step.startswith("minikube: ")]
        return ". ".join(steps) or "Goes on at once."

    assert await cell(up(), world) == state.up


async def test_status(state: State, world: World) -> None:
    """What is said of a sale that cannot be shown."""

    async def status() -> str:
        async with connect_to_sale(WHERE, None) as sale:
            return str(await sale.api.version())

    if state.status not in UNTRIED:
        assert await cell(status(), world) == state.status


async def test_down(state: State, world: World) -> None:
    """`down --stop`, which starts nothing only to remove what is in it."""

    async def down() -> str:
        closed = await close(await select_for_down(WHERE), None, world.progress, stop=True)
        return " ".join(world.progress.notes) + " The sale is still in it." * closed.kept

    if state.down not in UNTRIED:
        assert await cell(down(), world) == state.down


async def test_doctor(state: State, world: World) -> None:
    """Its line about minikube, less how the profile was made."""

    async def engine() -> list[Finding]:
        return [Finding("docker", "ok" if state.docker else "absent", "")]

    async def doctor() -> str:
        finding = await check_minikube("shop", engine())
        text = finding.text.replace(" (driver docker, runtime docker, 1 node)", "")
        mark = "PROBLEM: " if finding.grade == "problem" else ""
        hint = f" → `{finding.hint}`" if finding.hint else ""
        return f"{mark}{text.removeprefix('v1.38.1, ')}{hint}"

    assert await cell(doctor(), world) == state.doctor


@pytest.mark.parametrize(
    ("root", "trouble", "why"),
    [
        (True, None, "minikube's docker driver does not run as root"),
        (False, EngineError(EngineProblem.ABSENT, "this machine", ""), "Docker is not running"),
    ],
)
async def test_doctor_advises_nothing_that_would_fail(
    world: World, monkeypatch: pytest.MonkeyPatch, root: bool, trouble: EngineError | None, why: str
) -> None:
    """A profile that is not there yet is no use where none can be made."""

    async def docker() -> EngineError | None:
        return trouble

    async def engine() -> list[Finding]:
        return [Finding("docker", "absent" if trouble else "ok", "")]

    monkeypatch.setattr(usability, "is_root", lambda: root)
    monkeypatch.setattr(usability, "host_docker_trouble", docker)
    finding = await check_minikube("shop", engine())
    assert finding.text == f"v1.38.1, no profile 'shop' yet, and `up` could not make one: {why}"
    assert finding.hint == ""


@pytest.mark.usefixtures("docker_runs")
async def test_profile_without_a_node_is_nothing_to_stop(world: World) -> None:
    """What was wanted is so; a sale on an earlier profile of that name went with it."""
    store = SaleStore(world.home / "home")
    store.write(SaleRecord("minikube", "shop", profile="shop"))
    world.has(host="Gone", ip="", unfinished=True)
    closed = await close(await select_for_down(WHERE), None, world.progress, stop=True)
    assert (closed.stopped, closed.kept) == (False, False)
    assert store.read() is None
    assert world.acts() == []


def test_table_in_the_documentation_is_that_of_these_tests() -> None:
    """Nobody writes it by hand."""
    file = Path(__file__).parents[3] / "docs" / "minikube-states.md"
    assert file.read_text() == document()
