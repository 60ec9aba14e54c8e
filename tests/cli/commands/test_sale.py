"""The whole sale on a real embedded cluster, one command after the other, as people type them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import PATIENCE, Flashsale, fetched

STATUS = {"cluster", "namespace", "url", "replicaset", "service", "pods"}
POD = {"name", "ready", "status", "restarts", "age_seconds", "ip", "node"}
HEALING = {"victim", "replacement", "cause", "created_seconds", "started_seconds"}
HEALING |= {"ready_seconds", "gone_seconds"}

AGE = re.compile(r"\d+[smh](\d+s)?")  # two programs, asked one after the other


def pods(sale: Flashsale) -> list[str]:
    """Names of the sale's pods, without those that are on their way out."""
    pods_shown = sale("status", "-o", "json").json["pods"]
    return [pod["name"] for pod in pods_shown if pod["status"] != "Terminating"]


class TestOpenSale:
    """Commands that leave an open sale as they found it: three ready pods."""

    def test_status_has_the_promised_keys(self, open_sale: Flashsale) -> None:
        """Machines can rely on every name."""
        document = open_sale("status", "-o", "json").json
        assert set(document) >= STATUS
        assert document["cluster"] == {"kind": "embedded", "context": "flashsale-embedded"}
        assert document["replicaset"] == {
            "name": "flashsale-rs",
            "desired": 3,
            "current": 3,
            "ready": 3,
        }
        assert set(document["service"]) == {"name", "type", "cluster_ip", "node_port"}
        assert all(set(pod) >= POD for pod in document["pods"])

    def test_status_is_what_kubectl_prints(self, open_sale: Flashsale) -> None:
        """Tables with kubectl's columns, blanks and words, and nothing on stderr."""
        done = open_sale("status")
        kubectl = Path(sys.executable).parent / "kubectl"
        config = open_sale("kubeconfig").out.strip()
        words = [str(kubectl), "--kubeconfig", config, "get", "rs,pods,svc", "--no-headers"]
        theirs = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
        ours = done.out.split()
        for line in theirs.stdout.replace("replicaset.apps/", "").splitlines():
            name, *cells = line.partition("/")[2].split() if "/" in line[:8] else line.split()
            if name != "kubernetes":
                assert name in ours
                assert [
                    cell for cell in cells if cell not in ours and not AGE.fullmatch(cell)
                ] == []
        assert done.err == ""

    def test_wide_adds_addresses(self, open_sale: Flashsale) -> None:
        """As `kubectl get pods -o wide`."""
        output = open_sale("status", "-o", "wide").out
        assert "IP" in output
        assert "NOMINATED NODE   READINESS GATES" in output
        assert "flashsale-container   flashsale:1.0   app=flashsale" in output

    def test_url_is_alone_and_sells(self, open_sale: Flashsale) -> None:
        """The address works at once, and every answer names a pod of the sale."""
        address = open_sale("url").out
        assert address.count("\n") == 1
        names = {fetched(address.strip() + "/buy")["served_by_pod"] for _ in range(40)}
        assert names <= set(pods(open_sale))
        assert len(names) > 1

    def test_up_again_changes_nothing(self, open_sale: Flashsale) -> None:
        """The same pods, no build, and the same address."""
        before = open_sale("status", "-o", "json").json
        manifest = str(open_sale.lean_manifest())
        document = open_sale("up", "--manifest", manifest, "-o", "json").json
        assert document["image"] == {"name": "flashsale:1.0", "built": False}
        assert [pod["name"] for pod in document["pods"]] == [pod["name"] for pod in before["pods"]]
        assert document["url"] == before["url"]
        assert document["seconds"] >= 0

    def test_scale_there_and_back(self, open_sale: Flashsale) -> None:
        """Up and down, waiting for readiness each time; `up` in between keeps the number."""
        document = open_sale("scale", "5", "-o", "json").json
        assert (document["from"], document["to"]) == (3, 5)
        kept = open_sale("up", "--manifest", str(open_sale.lean_manifest()), "-o", "json").json
        assert kept["replicaset"]["ready"] == 5
        assert open_sale("scale", "3").out.startswith(
            "replicaset.apps/flashsale-rs scaled from 5 to 3; 3 pods are ready after "
        )

    def test_kill_pod_tells_the_healing(self, open_sale: Flashsale) -> None:
        """A named victim, its replacement, and the seconds of each step."""
        victim = pods(open_sale)[0]
        (document,) = open_sale("kill-pod", victim, "-o", "json").json
        assert set(document) >= HEALING
        assert (document["victim"], document["cause"]) == (victim, "deleted")
        assert document["replacement"] in pods(open_sale)
        assert (
            0
            <= document["created_seconds"]
            <= document["started_seconds"]
            <= document["ready_seconds"]
        )
        assert victim not in pods(open_sale)

    def test_kill_all_hard(self, open_sale: Flashsale) -> None:
        """All at once without a goodbye, and all come back."""
        before = set(pods(open_sale))
        document = open_sale("kill-pod", "--all", "--hard", "-o", "json").json
        assert {healing["victim"] for healing in document} == before
        assert not before & set(pods(open_sale))

    def test_killed_process_restarts_in_its_pod(self, open_sale: Flashsale) -> None:
        """The same pod, one restart more."""
        if sys.platform != "linux":
            pytest.skip("the process of a pod is found through /proc")
        victim = pods(open_sale)[0]
        (document,) = open_sale("kill-pod", victim, "--process", "-o", "json").json
        assert (document["replacement"], document["cause"]) == (victim, "crashed")
        after = open_sale("status", "-o", "json").json["pods"]
        assert next(pod["restarts"] for pod in after if pod["name"] == victim) >= 1

    def test_restart_that_has_to_wait_is_told(self, open_sale: Flashsale) -> None:
        """A container that died before is held up by a back-off, and the kubelet says so."""
        if sys.platform != "linux":
            pytest.skip("the process of a pod is found through /proc")
        (fresh,) = open_sale("kill-pod", "--hard", "-o", "json").json
        victim = fresh["replacement"]
        words = ("kill-pod", victim, "--process", "--timeout", "4s")
        errors = [open_sale(*words).err for _ in range(2)]
        line = "Kubernetes waits 10 s before it restarts a container that died before"
        assert ([line in err for err in errors]) == [False, True]
        assert open_sale("kill-pod", victim, "--hard").code == 0

    def test_dry_run_kills_nobody(self, open_sale: Flashsale) -> None:
        """The same seed names the same pods, and they live on."""
        before = pods(open_sale)
        first = open_sale("kill-pod", "--count", "2", "--seed", "1", "--dry-run")
        assert first.out == open_sale("kill-pod", "--count", "2", "--seed", "1", "--dry-run").out
        assert first.out.count("would be killed (dry run)") == 2
        assert pods(open_sale) == before

    def test_logs_are_tagged(self, open_sale: Flashsale) -> None:
        """Every line names its pod; as JSON, one object a line."""
        names = pods(open_sale)
        lines = open_sale("logs").out.splitlines()
        assert {line.split()[0] for line in lines} == set(names)
        tagged = open_sale("logs", names[0], "--tail", "1", "-o", "json").out.splitlines()
        assert [json.loads(line)["pod"] for line in tagged] == names[:1]

    def test_mistakes_harm_nothing(self, open_sale: Flashsale) -> None:
        """The documented exit code, one sentence, one hint; the pods live on."""
        before = pods(open_sale)
        for words, code, sentence in (
            (("kill-pod", "nope"), 2, "There is no pod 'nope'"),
            (("kill-pod", "--count", "9"), 2, "Only 3 pods are ready"),
            (("logs", "nope"), 2, "There is no pod 'nope'"),
            (("status", "-n", "elsewhere"), 4, "no ReplicaSet flashsale-rs"),
            (("scale", "2", "-n", "elsewhere"), 4, "no ReplicaSet flashsale-rs"),
            (("up", "--push", "me/shop"), 2, "not from a registry"),
            (("open",), 1, "There is no browser"),
        ):
            done = open_sale(*words)
            assert (done.code, done.out) == (code, ""), words
            assert sentence in done.err
            assert done.err.splitlines()[-1].startswith("Hint: ")
        assert pods(open_sale) == before

    def test_refused_manifest_changes_nothing(self, open_sale: Flashsale) -> None:
        """Both objects are checked before either is touched."""
        before = pods(open_sale)
        for old, new, sentence in (
            ("replicas: 3", "replica: 3", "has the field spec.replica, which Kubernetes does not"),
            ('memory: "256Mi"', 'memory: "lots"', "The cluster refuses"),
            ("containerPort: 5000", "containerPort: 70000", "must be between 1 and 65535"),
            ("targetPort: 5000", "targetPort: 70000", "must be between 1 and 65535"),
            ("      port: 80", "      port: eighty", "The cluster refuses"),
        ):
            manifest = open_sale.lean_manifest(**{old: new})
            done = open_sale("up", "--manifest", str(manifest))
            assert done.code == 2, new
            assert sentence in done.err
            assert manifest.name in done.err
        assert pods(open_sale) == before

    @pytest.mark.parametrize(
        ("number", "code"),
        [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
        ids=["ctrl-c", "term", "hangup"],
    )
    def test_signals_end_a_command_cleanly(
        self, open_sale: Flashsale, number: signal.Signals, code: int
    ) -> None:
        """The documented exit code, and no traceback."""
        process = open_sale.start("logs", "-f")
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (code, "")


def test_sale_from_nothing_to_nothing(flashsale: Flashsale) -> None:
    """Open, see that it is open, close: neither a process nor a record is left."""
    opened = flashsale.apart("up", "--manifest", str(flashsale.quick_manifest()), "--replicas", "1")
    assert opened.code == 0, opened.err
    assert "1         1         1" in opened.out
    assert "replicaset.apps/flashsale-rs created" in opened.out
    assert flashsale.cluster_pid()
    closed = flashsale.apart("down")
    assert closed.code == 0, closed.err
    assert closed.out.splitlines() == [
        "replicaset.apps/flashsale-rs deleted",
        "service/flashsale-svc deleted",
        "The cluster is stopped.",
    ]
    assert not flashsale.cluster_pid()
    assert not flashsale.record.exists()
    assert flashsale("down").code == 4
