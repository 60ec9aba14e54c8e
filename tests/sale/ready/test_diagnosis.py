"""Why pods are not ready: each trouble is told from the others."""

from __future__ import annotations

import copy

import pytest

from flashsale.objects.models import Object, Pod
from flashsale.sale.ready.diagnosis import Diagnosis, newest_first, still_stopping
from flashsale.sale.ready.diagnosis import diagnose as diagnose_pods
from flashsale.sale.ready.log_patterns import listening_ports, listens_on_loopback_alone
from tests.sale.api_objects import event, pod_object

NAME = "flashsale-rs-aaaaa"
REFUSED = (
    'Readiness probe failed: Get "http://10.244.0.7:5000/health":'
    " dial tcp 10.244.0.7:5000: connect: connection refused"
)


def diagnose(pods: list[Object], events: list[Object], logs: dict[str, str]) -> Diagnosis:
    """What is said of pods as the API server sends them."""
    return diagnose_pods([Pod.from_object(pod) for pod in pods], events, logs)


def waiting(reason: str) -> dict[str, object]:
    """A container that waits."""
    return {"waiting": {"reason": reason}}


def test_missing_image_that_may_not_be_pulled() -> None:
    """The classic: built elsewhere, pull policy Never."""
    diagnosis = diagnose([pod_object(state=waiting("ErrImageNeverPull"))], [], {})
    assert "the image flashsale:1.0 is not on the node" in diagnosis.cause
    assert diagnosis.hint == "flashsale up --rebuild"


def test_image_that_cannot_be_pulled_comes_with_the_runtimes_words() -> None:
    """Only the event knows what the registry said."""
    message = 'Failed to pull image "flashsale:1.0": pull access denied'
    events = [event(NAME, "Failed", message), event("other", "Failed", "not this one")]
    diagnosis = diagnose([pod_object(state=waiting("ImagePullBackOff"))], events, {})
    assert "cannot be pulled (ImagePullBackOff)" in diagnosis.cause
    assert diagnosis.details == message


@pytest.mark.parametrize(
    ("why", "hint"),
    [
        ("1 Insufficient cpu.", "fewer pods"),
        ("1 node(s) didn't have free ports for the requested pod ports.", "hostPort"),
        ('persistentvolumeclaim "pvc" not found. not found.', "emptyDir"),
        ("1 node(s) didn't match Pod's node affinity/selector.", "nodeSelector"),
    ],
)
def test_pod_without_room_comes_with_the_schedulers_words(why: str, hint: str) -> None:
    """The sentence carries the reason, and the hint says what helps against it."""
    message = f"0/1 nodes are available: {why}"
    diagnosis = diagnose([pod_object(node="")], [event(NAME, "FailedScheduling", message)], {})
    assert message in diagnosis.cause
    assert hint in diagnosis.hint


def test_crashing_app_shows_its_last_lines() -> None:
    """An app that ends shows its exit code and what it said last."""
    ended = {"terminated": {"exitCode": 3, "reason": "Error"}}
    pod = pod_object(state=waiting("CrashLoopBackOff"), last=ended, restarts=2)
    log = "\n".join([*(f"line {n}" for n in range(30)), "ModuleNotFoundError: flask"])
    diagnosis = diagnose([pod], [], {NAME: log})
    assert "ends with exit code 3" in diagnosis.cause
    assert diagnosis.details.endswith("ModuleNotFoundError: flask")
    assert len(diagnosis.details.splitlines()) == 10


@pytest.mark.parametrize(
    ("state", "last", "words", "hint"),
    [
        (waiting("CrashLoopBackOff"), {"terminated": {"exitCode": 3}}, "fails: it ends with exit"
         " code 3", "flashsale logs {pod} -c migrate"),
        ({"running": {"startedAt": ""}}, {}, "has not ended", "flashsale logs {pod} -c migrate"),
        (waiting("ImagePullBackOff"), {}, "the image busybox cannot be pulled", "flashsale up"),
    ],
)  # fmt: skip
def test_init_container_that_keeps_the_app_from_starting_is_named(
    state: Object, last: Object, words: str, hint: str
) -> None:
    """It has to end well before the app is started at all."""
    pod = pod_object(state=waiting("PodInitializing"))
    pod["spec"]["initContainers"] = [{"name": "migrate", "image": "busybox"}]
    status = {"name": "migrate", "ready": False, "restartCount": 2, "state": state}
    pod["status"]["initContainerStatuses"] = [{**status, "lastState": last}]
    diagnosis = diagnose([pod], [], {NAME: "no database"})
    assert words in diagnosis.cause
    assert "migrate" in diagnosis.cause or "busybox" in diagnosis.cause
    assert diagnosis.hint.startswith(hint.format(pod=NAME))


NOT_FOUND = 'exec: "gunicornn": executable file not found in $PATH'
RUNC = f"failed to create task: runc create failed: unable to start process: {NOT_FOUND}: unknown"


@pytest.mark.parametrize(
    ("state", "last"),
    [
        ({"waiting": {"reason": "RunContainerError", "message": RUNC}}, {}),
        ({"terminated": {"reason": "StartError", "message": RUNC, "exitCode": 128}}, {}),
        (
            waiting("CrashLoopBackOff"),
            {"terminated": {"reason": "ContainerCannotRun", "message": NOT_FOUND, "exitCode": 127}},
        ),
    ],
)
def test_container_that_cannot_be_started_comes_with_the_runtimes_words(
    state: dict[str, object], last: dict[str, object]
) -> None:
    """There is no log: the command itself is wrong."""
    diagnosis = diagnose([pod_object(state=state, last=last, restarts=2)], [], {})
    assert diagnosis.cause == f"the container of the pod {NAME} cannot be started: {NOT_FOUND}"
    assert "CMD in the Dockerfile" in diagnosis.hint


@pytest.mark.parametrize(
    "state",
    [
        {"waiting": {"reason": "CreateContainerError", "message": "Error: no command specified"}},
        {"terminated": {"reason": "ContainerCannotRun", "message": "no command specified"}},
    ],
)
def test_image_without_a_command_is_named(state: dict[str, object]) -> None:
    """Docker's and containerd's words, and the embedded cluster's."""
    diagnosis = diagnose([pod_object(state=state)], [], {})
    assert "the image flashsale:1.0 names no command to run" in diagnosis.cause
    assert diagnosis.hint.command == "flashsale up"


@pytest.mark.parametrize(
    ("code", "log", "cause", "hint"),
    [
        (0, "", "ends at once, with exit code 0 and without a word", "a command that stays: CMD"),
        (0, "bye", "ends with exit code 0", "flashsale logs"),
        (127, "", "ends with exit code 127 (command not found)", "mended CMD in the Dockerfile"),
        (127, "sh: gunicornn: not found", "exit code 127 (command not found)", "flashsale logs"),
        (1, "", "ends with exit code 1", ""),
    ],
)
def test_app_that_ends_without_a_log_has_a_hint_that_helps(
    code: int, log: str, cause: str, hint: str
) -> None:
    """A log is pointed to only where it says something."""
    pod = pod_object(state={"terminated": {"exitCode": code}}, restarts=1)
    diagnosis = diagnose([pod], [], {NAME: log})
    assert cause in diagnosis.cause
    assert hint in diagnosis.hint
    assert ("logs" in diagnosis.hint) == bool(log)


def test_memory_limit_is_named() -> None:
    """OOMKilled is no fault of the app's code."""
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    pod = pod_object(state=waiting("CrashLoopBackOff"), last=ended, restarts=1)
    assert "OOMKilled" in diagnose([pod], [], {}).cause


def test_liveness_probe_that_restarts_is_named() -> None:
    """Exit code 0 alone would puzzle: Kubernetes stopped the app itself."""
    pod = pod_object(last={"terminated": {"exitCode": 0, "reason": "Completed"}}, restarts=1)
    events = [
        event(NAME, "Killing", "Container shop failed liveness probe, will be restarted"),
        event(NAME, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404"),
    ]
    assert "liveness probe fails: HTTP status 404" in diagnose([pod], events, {}).cause


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Readiness probe failed: HTTP probe failed with statuscode: 503", "HTTP status 503"),
        ("Readiness probe failed: HTTP probe failed with statuscode: 404", "HTTP status 404"),
        (REFUSED, "connection refused"),
        ("Readiness probe failed: context deadline exceeded (Client.Timeout ...)", "no answer in"),
    ],
)
def test_failing_readiness_probe_says_which_and_how(message: str, reason: str) -> None:
    """Path, port and the way it fails."""
    diagnosis = diagnose([pod_object()], [event(NAME, "Unhealthy", message)], {NAME: ""})
    assert "readiness probe (GET /health on port 5000) fails" in diagnosis.cause
    assert reason in diagnosis.cause
    assert ("that path" in diagnosis.hint) == ("404" in message)


@pytest.mark.parametrize(
    "line", ["[INFO] Listening at: http://0.0.0.0:8000 (1)", " * Running on http://127.0.0.1:8000"]
)
def test_app_on_another_port_is_found_in_its_log(line: str) -> None:
    """gunicorn and Flask both say where they listen."""
    diagnosis = diagnose([pod_object()], [event(NAME, "Unhealthy", REFUSED)], {NAME: line})
    assert "listens on port 8000" in diagnosis.cause
    assert "5000" in diagnosis.hint


def test_a_probes_port_that_no_container_names_is_no_number() -> None:
    """Nobody can be told to listen there."""
    pod = copy.deepcopy(pod_object())
    pod["spec"]["containers"][0]["readinessProbe"]["httpGet"]["port"] = "web"
    diagnosis = diagnose([pod], [event(NAME, "Unhealthy", REFUSED)], {NAME: "at: http://x:8000"})
    assert "on port web) asks a port that no container names" in diagnosis.cause
    assert "`name: web` beside containerPort" in diagnosis.hint


def test_quota_that_forbids_pods_is_told() -> None:
    """Without any pod, only the ReplicaSet's own event knows why."""
    message = '(combined from similar events): Error creating: pods "x" is forbidden: quota'
    cause = diagnose([], [event("flashsale-rs", "FailedCreate", message)], {}).cause
    assert cause == 'the ReplicaSet cannot create pods: pods "x" is forbidden: quota'


def test_slow_start_is_no_failure() -> None:
    """A pod that runs and was not probed yet gets a longer timeout as its hint."""
    diagnosis = diagnose([pod_object()], [], {})
    assert "begins only after 3 s" in diagnosis.cause
    assert "--timeout" in diagnosis.hint


def test_ready_pods_are_never_blamed() -> None:
    """The first unready pod is the one that is told about."""
    pods = [pod_object("one", ready=True), pod_object("two", state=waiting("ErrImageNeverPull"))]
    assert "ErrImageNeverPull" in diagnose(pods, [], {}).cause


def test_newest_event_counts() -> None:
    """What is said first may be over."""
    events = [
        event(NAME, "Unhealthy", "old", "2026-11-23T03:20:00Z"),
        event(NAME, "Unhealthy", "new", "2026-11-23T03:21:00Z"),
    ]
    assert [row["message"] for row in newest_first(events, NAME)] == ["new", "old"]


def test_ports_in_a_log() -> None:
    """Other numbers in a log are no ports."""
    assert listening_ports("took 8000 ms\nListening at: http://127.0.0.5:5000 (12)") == {5000}


@pytest.mark.parametrize(
    ("log", "inside"),
    [
        ("[INFO] Listening at: http://127.0.0.1:5000 (7)", True),
        (" * Running on http://127.0.0.1:5000\nPress CTRL+C to quit", True),
        ("Serving on http://localhost:5000", True),
        ("[INFO] Listening at: http://[::1]:5000 (7)", True),
        ("[INFO] Listening at: http://0.0.0.0:5000 (7)", False),
        (" * Running on http://127.0.0.1:5000\n * Running on http://10.244.0.7:5000", False),
        (" * Running on all addresses (0.0.0.0)\n * Running on http://127.0.0.1:5000", False),
        ("[INFO] Listening at: http://127.0.0.1:8000 (7)", False),
        ("nothing", False),
    ],
)
def test_an_app_that_only_its_own_pod_reaches_is_known(log: str, inside: bool) -> None:
    """By its own words, as gunicorn, Flask and waitress say them."""
    assert listens_on_loopback_alone(log, 5000) is inside


@pytest.mark.parametrize(
    ("log", "option"),
    [
        ("INFO:     Uvicorn running on http://127.0.0.1:5000", "--host 0.0.0.0 --port 5000"),
        ("[INFO] Listening at: http://127.0.0.1:5000 (7)", "-b 0.0.0.0:5000"),
        (
            " * Serving Flask app 'x'\n * Running on http://127.0.0.1:5000",
            "flask run --host=0.0.0.0",
        ),
        (
            "WARNING: This is a development server.\n * Running on http://127.0.0.1:5000",
            'with `app.run(host="0.0.0.0", port=5000)` or',
        ),
        ("Starting development server at http://127.0.0.1:5000/", "runserver 0.0.0.0:5000"),
        ("Listening on http://127.0.0.1:5000/", "listen on 0.0.0.0:5000"),
    ],
)
def test_the_way_out_of_loopback_is_the_servers_own(log: str, option: str) -> None:
    """What helps gunicorn does not help uvicorn."""
    diagnosis = diagnose([pod_object()], [event(NAME, "Unhealthy", REFUSED)], {NAME: log})
    assert "listens on 127.0.0.1" in diagnosis.cause
    assert option in diagnosis.hint


def test_an_app_on_a_unix_socket_is_found_in_its_log() -> None:
    """Nobody outside of the pod can use one."""
    log = "[INFO] Listening at: unix:/tmp/app.sock (7)"
    diagnosis = diagnose([pod_object()], [event(NAME, "Unhealthy", REFUSED)], {NAME: log})
    assert "Unix socket /tmp/app.sock" in diagnosis.cause
    assert "-b 0.0.0.0:5000" in diagnosis.hint


def test_an_app_that_says_nothing_gets_a_hint_that_helps() -> None:
    """Its log would show nothing."""
    diagnosis = diagnose([pod_object()], [event(NAME, "Unhealthy", REFUSED)], {})
    assert "says nothing" in diagnosis.cause
    assert "listen on 0.0.0.0:5000" in diagnosis.hint


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ('configmap "shop" not found', "kubectl create configmap shop --from-literal"),
        ('secret "db" not found', "kubectl create secret generic db --from-literal"),
        ('secret "db" not found: the embedded cluster has no Secrets', "from a ConfigMap"),
        ("couldn't find key a in ConfigMap default/b", "flashsale status"),
    ],
)
def test_missing_configuration_comes_with_how_to_make_it(said: str, hint: str) -> None:
    """Where the cluster knows such objects."""
    state = {"waiting": {"reason": "CreateContainerConfigError", "message": said}}
    diagnosis = diagnose([pod_object(state=state)], [], {})
    assert said in diagnosis.cause
    assert hint in diagnosis.hint


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("permission denied: unknown", "chmod +x"),
        (r"its interpreter '/bin/sh\r' is not there", r"sed -i.bak 's/\r$//'"),
    ],
)
def test_a_script_that_cannot_be_run_is_mended_itself(words: str, hint: str) -> None:
    """Nothing is wrong with CMD then."""
    message = f'exec: "/app/run.sh": {words}'
    state = {"waiting": {"reason": "RunContainerError", "message": message}}
    assert hint in diagnose([pod_object(state=state)], [], {}).hint


def test_a_pod_that_takes_its_grace_period_is_named() -> None:
    """All others are ready: only the old one is not gone."""
    leaving = pod_object("old", ready=True)
    leaving["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    leaving["metadata"] |= {"deletionGracePeriodSeconds": 30}
    pods = [Pod.from_object(one) for one in (leaving, pod_object("new", ready=True))]
    problem = still_stopping(pods, 1)
    assert problem
    assert "old has not ended yet" in problem.cause
    assert "30 s" in problem.cause
    assert still_stopping(pods, 2) is None
