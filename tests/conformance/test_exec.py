"""Commands in a running container: `kubectl exec` and `kubectl cp`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conformance.api import Object
from tests.conformance.conftest import Cluster
from tests.conformance.kubectl import KubectlResult
from tests.conformance.manifests import Maker
from tests.conformance.scene import Scene, container, names

pytestmark = pytest.mark.running_pods
Run = Callable[..., KubectlResult]


@pytest.fixture
def pod(a_pod: Object) -> str:
    """The name of a pod of the sale."""
    return str(a_pod["metadata"]["name"])


@pytest.fixture
def run(sale: Scene, pod: str) -> Run:
    """Runs a command in that pod."""

    def execute(command: str, options: str = "", **how: object) -> KubectlResult:
        return sale.kubectl(f"exec {options} {pod} -- {command}", **how)  # type: ignore[arg-type]

    return execute


def test_both_outputs_and_the_exit_code_come_through(run: Run) -> None:
    """Each stream on its own, and the code as kubectl's."""
    done = run("sh -c 'echo out; echo err >&2; exit 3'", code=3)
    assert done.out == "out\n"
    assert done.err == "err\ncommand terminated with exit code 3\n"


def test_clients_that_speak_spdy_are_understood(sale: Scene, pod: str) -> None:
    """As kubectl did before 1.31, and does where a proxy lets no WebSocket through."""
    older = {**sale.kubectl.env, "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false"}
    kubectl = replace(sale.kubectl, env=older)
    script = "cat; echo err >&2; exit 3"
    done = kubectl(f"exec -i {pod} -- sh -c '{script}'", stdin="in\n" * 9999, code=3)
    assert done.out == "in\n" * 9999
    assert done.err == "err\ncommand terminated with exit code 3\n"
    with kubectl.at_terminal(f"exec -it {pod} -- sh", size=(66, 22)) as person:
        person.types("until stty size | grep '22 66'; do sleep 0.1; done; exit 4\n")
        assert person.leaves() == 4
    done = kubectl(f"exec {pod} -c nobody -- ls", code=1)
    assert f"container nobody is not valid for pod {pod}" in done.err


def test_it_runs_where_the_app_runs(run: Run, pod: str) -> None:
    """In the container's folder, with its variables, in the name of its pod."""
    done = run("sh -c 'ls app.py; echo $HOSTNAME; echo $KUBERNETES_SERVICE_PORT'")
    assert done.lines == ["app.py", pod, "443"]


def test_input_goes_in_and_its_end_is_heard(run: Run) -> None:
    """Without an end, `cat` would wait for ever."""
    text = "".join(f"line {number}\n" for number in range(20_000))
    assert run("cat", "-i", stdin=text).out == text


def test_without_stdin_there_is_no_input(run: Run) -> None:
    """A command that reads finds the end at once."""
    assert run("cat").out == ""


def test_words_are_not_split(run: Run) -> None:
    """A word with blanks stays one word."""
    assert run("""python -c 'import sys; print(sys.argv[1:])' 'a  b' "" c""").out == (
        "['a  b', '', 'c']\n"
    )


def test_a_signal_is_an_exit_code(run: Run) -> None:
    """128 and its number."""
    run("sh -c 'kill -9 $$'", code=137)


def test_a_program_that_is_not_there(run: Run) -> None:
    """The runtime says so: Docker as the command's own end, others as an error of the cluster."""
    done = run("no-such-program", code=(1, 126, 127))
    assert 'exec: "no-such-program": executable file not found in $PATH' in done.out + done.err


def test_a_terminal(sale: Scene, pod: str) -> None:
    """A shell that is talked with has a terminal of the size of this one; `exit` ends it."""
    with sale.kubectl.at_terminal(f"exec -it {pod} -- sh", size=(77, 33)) as person:
        person.types("stty size; tty; exit 5\n")
        person.sees("33 77", "/dev/pts/")
        assert person.leaves() == 5


def test_the_terminals_size_follows(sale: Scene, pod: str) -> None:
    """A window that is made smaller is smaller inside."""
    with sale.kubectl.at_terminal(f"exec -it {pod} -- sh", size=(77, 33)) as person:
        person.types("stty size\n")
        person.sees("33 77")
        person.resizes(60, 20)
        person.types("until stty size | grep '20 60'; do sleep 0.1; done; exit\n")
        assert person.leaves() == 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("exec no-such-pod -- ls", '(NotFound): pods "no-such-pod" not found'),
        ("exec {pod} -c nobody -- ls", "container nobody is not valid for pod {pod}"),
        ("exec {pod}", "you must specify at least one command for the container"),
    ],
)
def test_mistakes(sale: Scene, pod: str, command: str, words: str) -> None:
    """Each has its sentence."""
    done = sale.kubectl(command.format(pod=pod), code=1)
    assert words.format(pod=pod) in done.err


def test_a_container_that_does_not_run(stage: Scene, maker: Maker) -> None:
    """One that waits for its image has nothing to run a command in."""
    pod = maker.pod("waits")
    pod["spec"]["containers"][0] |= {"image": "localhost/no-such:1", "imagePullPolicy": "Never"}
    stage.create(pod)
    stage.until(
        lambda: "waiting" in container(stage.pods.now["waits"]).get("state", {}), "it waits"
    )
    done = stage.kubectl("exec waits -- ls", code=1)
    name = pod["spec"]["containers"][0]["name"]
    why = f'error: unable to upgrade connection: container not found ("{name}")'
    assert why in done.err.splitlines()


def test_one_of_several_containers(stage: Scene, maker: Maker) -> None:
    """The first is taken, and kubectl says so, unless another is named."""
    pod = maker.pod("both", grace=1)
    first = pod["spec"]["containers"][0]
    sleeps = {"name": "beside", "image": maker.image, "command": ["sleep", "1000"]}
    pod["spec"]["containers"].append(sleeps | {"env": [{"name": "WHO", "value": "beside"}]})
    stage.create(pod)
    stage.kubectl("wait --for=condition=Ready pod/both --timeout=60s")
    done = stage.kubectl("exec both -- sh -c 'echo [$WHO]'")
    assert done.out == "[]\n"
    assert f'Defaulted container "{first["name"]}" out of: {first["name"]}, beside' in done.err
    assert stage.kubectl("exec both -c beside -- sh -c 'echo [$WHO]'").out == "[beside]\n"


def test_files_are_copied_both_ways(sale: Scene, pod: str, tmp_path: Path) -> None:
    """`kubectl cp` is tar in the container."""
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(bytes(range(256)) * 4000)
    sale.kubectl(f"cp {there} {pod}:/tmp/copied")
    sale.kubectl(f"cp {pod}:/tmp/copied {back}")
    assert back.read_bytes() == there.read_bytes()


def test_kill_1_ends_the_container_and_kubernetes_starts_it_again(
    stage: Scene, maker: Maker, cluster: Cluster
) -> None:
    """The app is process 1 of its container, whoever else runs on the machine.

    Slim images have no program `kill`, but where containers have no process numbers of their own, a
    shell's would end the machine's first process.
    """
    kill = "kill 1" if cluster.embedded else "sh -c 'kill 1'"
    stage.create(maker.pod("killed"))
    stage.kubectl("wait --for=condition=Ready pod/killed --timeout=60s")
    stage.kubectl(f"exec killed -- {kill}", code=(0, 137))  # it may end with it
    stage.until(lambda: container(stage.pods.now["killed"])["restartCount"] == 1, "it came back")


def test_a_command_ends_with_its_container(stage: Scene, maker: Maker) -> None:
    """Nothing outlives the pod that it ran in."""
    stage.create(maker.pod("ending", grace=1))
    stage.kubectl("wait --for=condition=Ready pod/ending --timeout=60s")
    with stage.kubectl.following("exec ending -- sh -c 'echo begun; sleep 1000'") as followed:
        stage.until(lambda: followed.lines == ["begun"], "it runs")
        stage.kubectl("delete pod ending --now")
        stage.until(lambda: followed.code is not None, "it has ended")
        assert followed.code == 137
    stage.until(lambda: "ending" not in names(stage.pods.now.values()), "the pod is gone")
