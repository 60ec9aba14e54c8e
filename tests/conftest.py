"""Options of the whole run, and what many tests need: a state folder, a sale of their own."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from flashsale.base.aio import without_authorities
from tests.browser import chromium, page
from tests.command import Flashsale, opened_sale

__all__ = ["chromium", "page"]  # fixtures

gc.disable()  # until all tests are collected: nothing of that is garbage
atexit.register(gc.freeze)  # at the end all is: Python would look through it, for half a second

with without_authorities():  # many tests import it, and none uses its own TLS contexts
    import_module("aiohttp")

# Many images of Python set this for what runs once. Each worker, and each process of each test,
# would compile all of it again: two thirds of what the collection costs.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How fast examples come says something about the machine, not about what is tested. Each run tries
# others, and those that failed are kept; where CI is set, Hypothesis tries the same ones each time.
settings.register_profile(
    "usual", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("usual"), max_examples=300)
settings.load_profile("usual")

# A shell that starts us in the background has us ignore Ctrl-C, and `nohup` the hang-up; our
# children would, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)  # still deaf to it, but children are not


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the conformance tests run on any cluster: `pytest tests/conformance --context NAME`."""
    group = parser.getgroup("flashsale")
    group.addoption(
        "--thorough",
        action="store_true",
        help="take minutes more: the longest tests as well, and more generated examples (CI does)",
    )
    group.addoption(
        "--context",
        default="",
        metavar="NAME",
        help="kubeconfig context for tests/conformance (default: an embedded cluster of its own)",
    )
    group.addoption(
        "--control-plane",
        action="store_true",
        help="run those of tests/conformance that need no running pods on a real control plane",
    )
    group.addoption(
        "--image",
        default="flashsale:1.0",
        metavar="NAME:TAG",
        help="the exercise's image, as that cluster knows it (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Take more examples of each generated kind, where all is asked for."""
    if config.option.thorough:
        settings.load_profile("thorough")


HERE = Path(__file__).parent
A_CORE, MOST = 3, 8  # workers: most tests wait, but each worker collects all of them
STARTS_A_CLUSTER = {  # fixtures, whoever asks for them
    "cluster",
    "embedded_cluster",
    "flashsale",
    "home",
    "image_name",
    "lively_sale",
    "minikube",
    "open_sale",
    "own_sale",
    "sale",
}
CLUSTER_ROOMS = (
    "cli/commands",
    "clusters/minikube",
    "conformance",
    "docker",
    "drill/test_preflight.py",
    "embedded/kubelet",
    "embedded/process",
    "kube/transport/test_transports.py",
    "load",
    "peers",
)
LONGEST = (  # files that take the longest: nobody is to begin one when all others are done
    "embedded/kubelet/images/test_real_installs.py",
    "embedded/kubelet/images/test_package_layers.py",
    "peers/differential",
    "dashboard/test_browser.py",
    "cli/commands/test_up_broken_app.py",
    "cli/commands/test_learn_course.py",
    "cli/commands/test_up_own_app.py",
    "cli/commands/test_nodes.py",
    "test_json.py",
    "drill/test_runner.py",
    "clusters/minikube/test_whole_exercise.py",
    "dashboard/test_lost_clusters.py",
    "cli/commands/test_sale.py",
    "cli/commands/test_watch.py",
    "cli/commands/test_learn.py",
    "load/in_cluster/test_crowd.py",
    "cli/commands/test_up_renamed.py",
    "sale/up/test_rollback.py",
    "cli/commands/test_nodes_under_load.py",
    "cli/test_stdio.py",
    "drill/test_graceful.py",
    "peers",
    "cli/commands",
    "dashboard",
    "drill",
    "clusters",
    "doctor",
    "conformance",
    "cli/test_program.py",  # from here on those of the quick ones
    "embedded",
    "test_private_names.py",
    "test_hints.py",
)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Some workers a core; one where the quick ones run, which do not wait."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    cores = os.cpu_count() or 1
    return min(cores, MOST // 2) if _is_quick(config) else min(A_CORE * cores, MOST)


def _is_quick(config: pytest.Config) -> bool:
    """Whether no test that starts a cluster is asked for."""
    return "not cluster" in config.option.markexpr and " or " not in config.option.markexpr


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the rooms of which no test is asked for: nobody has to import them."""
    return True if _is_quick(config) and _starts_a_cluster(collection_path) else None


@cache
def _starts_a_cluster(path: Path) -> bool:
    """Whether all tests of a file or a folder do."""
    return str(path).startswith(tuple(str(HERE / room) for room in CLUSTER_ROOMS))


def pytest_collection(session: pytest.Session) -> None:
    """Compile a share of the tests in each worker; the other shares are found compiled."""
    found = getattr(session.config, "workerinput", None)
    if not found:
        return
    number, count = int(found["workerid"].removeprefix("gw")), found["workercount"]
    here = session.config.invocation_params.dir
    given = [here / arg.partition("::")[0] for arg in session.config.args]
    files = sorted(file for path in given for file in path.rglob("test_*.py"))
    if _is_quick(session.config):
        files = [file for file in files if not _starts_a_cluster(file)]
    for file in files[number * len(files) // count : (number + 1) * len(files) // count]:
        name = ".".join(file.relative_to(session.config.rootpath).with_suffix("").parts)
        with suppress(Exception, pytest.skip.Exception, pytest.fail.Exception):  # said later
            import_module(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark `cluster` what starts a cluster, pods, buyers or Docker; the rest is quick.

    The longest come first (and `--no-loadscope-reorder` leaves them there).
    """
    for item in items:
        asked_for = STARTS_A_CLUSTER.intersection(getattr(item, "fixturenames", ()))
        if asked_for or item.get_closest_marker("browser") or _starts_a_cluster(item.path):
            item.add_marker("cluster")
        if item.get_closest_marker("thorough") and not item.config.option.thorough:
            item.add_marker(pytest.mark.skip(reason="takes long: pytest --thorough, as CI does"))
    items.sort(key=lambda item: _place(item.path))


@cache
def _place(path: Path) -> int:
    """Return the place of a file's tests; equal ones stay in the order they have."""
    longest = enumerate(LONGEST)
    return next((i for i, name in longest if str(path).startswith(str(HERE / name))), len(LONGEST))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """From here on there is garbage."""
    gc.enable()


@pytest.fixture
def sale_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty state folder, no kubeconfig and no minikube: nothing of this machine gets in."""
    program = Flashsale(tmp_path / "home")
    for name in os.environ:
        if name.startswith(("FLASHSALE", "KUBE", "MINIKUBE", "DOCKER")):
            monkeypatch.delenv(name)
    for name, value in program.environment.items():
        monkeypatch.setenv(name, value)
    return program.home


@pytest.fixture
def flashsale(sale_home: Path) -> Iterator[Flashsale]:
    """The program on a state folder of its own; whatever it started is ended afterwards."""
    program = Flashsale(sale_home)
    yield program
    program.stop_cluster()


@pytest.fixture(scope="session")
def open_sale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flashsale]:
    """A sale of lean pods on an embedded cluster, for tests that leave it as it was."""
    program = Flashsale(tmp_path_factory.mktemp("sale") / "home")
    with opened_sale(program, program.lean_manifest()) as sale:
        yield sale
