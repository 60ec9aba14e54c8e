"""The states of a profile, and what `up`, `status`, `down --stop` and `doctor` do in each."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

from flashsale.clusters.minikube.start.unfinished_profiles import note_unfinished
from tests.clusters.minikube.double_world import STOPPED, World

SHOWN = "Shows the sale."
REMOVED = "Removes the sale, then stops minikube (data kept)."
UNTRIED = (SHOWN, REMOVED)  # these need a Kubernetes; the whole exercise is tested elsewhere


@dataclass(frozen=True)
class State:
    """One state: how it comes about, and a cell for each command."""

    name: str
    up: str
    status: str
    down: str
    doctor: str
    profile: dict[str, Any] | None = None  # in the double's world; None for no profile
    world: dict[str, Any] = field(default_factory=dict)
    docker: bool = True  # whether this machine's Docker answers
    cut_off: bool = False  # whether a first start of flashsale's was interrupted
    broken: str = ""  # what stands in the kubeconfig instead
    unwritable: bool = False  # the kubeconfig, for this user

    def make(self, world: World) -> None:
        """Put a world into this state."""
        world.set(**self.world)
        if self.profile is not None:
            world.has(**self.profile)
        if self.cut_off:
            with (
                contextlib.suppress(InterruptedError),
                note_unfinished(world.home / "home", "shop"),
            ):
                raise InterruptedError
        if self.broken:
            (world.home / "kubeconfig").write_text(self.broken)


HALF = {"kubelet": "Stopped", "apiserver": "Stopped", "kubeconfig": "Misconfigured"}
FOREIGN = {
    "status": "root-owned-home/status",
    "version": "root-owned-home/version",
    "profile light": "root-owned-home/profile-list-light",
}
LOST = (
    "has lost its node's container; the volume with its data may still be there, but minikube"
    " cannot make a working node of it"
)
STATES: tuple[State, ...] = (
    State(
        name="no profile",
        up="Creating minikube profile 'shop' (first start downloads about 1 GB)",
        status="No sale is open here: there is no minikube profile 'shop'. → `flashsale up`",
        down="There is no minikube profile 'shop' to stop.",
        doctor="no profile 'shop' yet → `flashsale up --profile shop`",
    ),
    State(
        name="its first start failed at once",
        world={"failed": ["shop"]},
        up="Creating minikube profile 'shop' (first start downloads about 1 GB)",
        status="No sale is open here: there is no minikube profile 'shop'. → `flashsale up`",
        down="There is no minikube profile 'shop' to stop.",
        doctor="no profile 'shop' yet → `flashsale up --profile shop`",
    ),
    State(
        name="its first start failed before there was a node",
        profile={"host": "Gone", "ip": "", "unfinished": True},
        up="Creating minikube profile 'shop' (first start downloads about 1 GB)",
        status=(
            "minikube 'shop' has no node yet: no start got that far. → `flashsale up "
            "--profile shop`"
        ),
        down=("minikube 'shop' has no node yet: no start got that far. There is nothing to stop."),
        doctor=(
            "profile 'shop' has no node yet: no start got that far → `flashsale up --profile shop`"
        ),
    ),
    State(
        name="its first start failed later, or was interrupted",
        profile={**HALF, "unfinished": True},
        up="Going on with the first start of minikube 'shop'",
        status=(
            "minikube 'shop' is half-made: no start of it has come to its end. → "
            "`flashsale up --profile shop`"
        ),
        down="minikube 'shop' stopped.",
        doctor=(
            "profile 'shop' is half-made: no start of it has come to its end → `flashsale "
            "up --profile shop`"
        ),
    ),
    State(
        name="`flashsale up` was interrupted while it made it",
        profile={**HALF, "unfinished": True},
        cut_off=True,
        up=(
            "Making minikube 'shop' anew: its first start was cut off, and minikube does "
            "not finish that"
        ),
        status=(
            "minikube 'shop' is half-made: no start of it has come to its end. → "
            "`flashsale up --profile shop`"
        ),
        down="minikube 'shop' stopped.",
        doctor=(
            "profile 'shop' is half-made: no start of it has come to its end → `flashsale "
            "up --profile shop`"
        ),
    ),
    State(
        name="`flashsale up` was interrupted, and what it began runs",
        profile={"unfinished": True},
        cut_off=True,
        up=(
            "Making minikube 'shop' anew: its first start was cut off, and minikube does "
            "not finish that"
        ),
        status=SHOWN,
        down=REMOVED,
        doctor="profile 'shop' is running",
    ),
    State(
        name="running",
        profile={},
        up="Goes on at once.",
        status=SHOWN,
        down=REMOVED,
        doctor="profile 'shop' is running",
    ),
    State(
        name="stopped",
        profile=STOPPED,
        up="Starting stopped minikube 'shop'",
        status="minikube 'shop' is stopped. → `flashsale up --profile shop`",
        down="minikube 'shop' was stopped already (data kept). The sale is still in it.",
        doctor="profile 'shop' is stopped → `flashsale up --profile shop`",
    ),
    State(
        name="paused (`minikube pause`)",
        profile={"apiserver": "Paused", "kubelet": "Stopped"},
        up="minikube 'shop' is paused; resuming",
        status="minikube 'shop' is paused. → `flashsale up --profile shop`",
        down="minikube 'shop' stopped (data kept). The sale is still in it.",
        doctor="profile 'shop' is paused → `flashsale up --profile shop`",
    ),
    State(
        name="frozen (`docker pause`)",
        profile={"frozen": True},
        up="minikube 'shop' is frozen by `docker pause`; unfreezing its node",
        status="minikube 'shop' is frozen by `docker pause`. → `docker unpause shop`",
        down="minikube 'shop' stopped (data kept). The sale is still in it.",
        doctor="PROBLEM: profile 'shop' is frozen by `docker pause` → `docker unpause shop`",
    ),
    State(
        name="its kubeconfig entry is missing or stale",
        profile={"kubeconfig": "Misconfigured"},
        up="Mending the kubeconfig entry of minikube 'shop'",
        status=(
            "minikube 'shop' runs, but its entry in the kubeconfig is missing or wrong. → "
            "`minikube update-context -p shop`"
        ),
        down="minikube 'shop' stopped (data kept). The sale is still in it.",
        doctor=(
            "PROBLEM: profile 'shop' runs, but its entry in the kubeconfig is missing or "
            "wrong → `minikube update-context -p shop`"
        ),
    ),
    State(
        name="the kubeconfig is broken",
        profile={"kubeconfig": "Misconfigured"},
        broken="{{{ nonsense",
        up=(
            "minikube cannot use the kubeconfig: ~/.kube/config is not YAML, line 1: did "
            "not find expected ',' or '}'. → `ls -l ~/.kube/config`"
        ),
        status=(
            "~/.kube/config is not YAML, line 1: did not find expected ',' or '}'. → `ls "
            "-l ~/.kube/config`"
        ),
        down="minikube 'shop' stopped (data kept). The sale is still in it.",
        doctor=(
            "PROBLEM: profile 'shop' cannot be judged: ~/.kube/config is not YAML, line 1: "
            "did not find expected ',' or '}' → `ls -l ~/.kube/config`"
        ),
    ),
    State(
        name="its Kubernetes does not answer",
        profile={"apiserver": "Stopped"},
        up="Kubernetes in 'shop' is not answering; repairing",
        status=(
            "minikube 'shop' runs, but its Kubernetes does not answer. → `flashsale up "
            "--profile shop`"
        ),
        down="minikube 'shop' stopped (data kept). The sale is still in it.",
        doctor=(
            "PROBLEM: profile 'shop' runs, but its Kubernetes does not answer → `flashsale "
            "up --profile shop`"
        ),
    ),
    State(
        name="its node's container is gone (`docker rm -f`)",
        profile={"host": "Gone", "leftover": True},
        up=(
            f"minikube 'shop' {LOST}. Only deleting it helps, and that loses what is in it. → "
            "`flashsale up --profile shop --recreate`"
        ),
        status=f"minikube 'shop' {LOST}. → `flashsale up --profile shop --recreate`",
        down=(f"minikube 'shop' {LOST}. There is nothing to stop. → `minikube delete -p shop`"),
        doctor=f"PROBLEM: profile 'shop' {LOST} → `flashsale up --profile shop --recreate`",
    ),
    State(
        name="Docker does not run",
        profile={},
        world={"docker_up": False},
        docker=False,
        up="Docker is not running. → `sudo systemctl start docker`",
        status=(
            "minikube 'shop' needs Docker, which is not running. → `sudo systemctl start docker`"
        ),
        down="Docker is not running. → `sudo systemctl start docker`",
        doctor=(
            "PROBLEM: profile 'shop' needs Docker, which is not running → `sudo systemctl "
            "start docker`"
        ),
    ),
    State(
        name="its config is damaged",
        world={"invalid": ["shop"]},
        up=(
            "minikube 'shop' is damaged: ~/.minikube/profiles/shop/config.json cannot be "
            "read (unexpected end of JSON input). Only deleting it helps, and that loses "
            "what is in it. → `flashsale up --profile shop --recreate`"
        ),
        status=(
            "minikube 'shop' is damaged: ~/.minikube/profiles/shop/config.json cannot be "
            "read (unexpected end of JSON input). → `flashsale up --profile shop "
            "--recreate`"
        ),
        down=(
            "minikube 'shop' is damaged: ~/.minikube/profiles/shop/config.json cannot be read "
            "(unexpected end of JSON input). → `flashsale up --profile shop --recreate`"
        ),
        doctor=(
            "PROBLEM: profile 'shop' is damaged: ~/.minikube/profiles/shop/config.json "
            "cannot be read (unexpected end of JSON input) → `flashsale up --profile shop "
            "--recreate`"
        ),
    ),
    State(
        name="minikube's files belong to somebody else",
        world={"replay": FOREIGN},
        up=(
            "minikube may not use its files in ~/.minikube. → `sudo chown -R $USER "
            "~/.minikube && chmod -R u+rwX ~/.minikube`"
        ),
        status=(
            "minikube may not use its files in ~/.minikube. → `sudo chown -R $USER "
            "~/.minikube && chmod -R u+rwX ~/.minikube`"
        ),
        down=(
            "minikube may not use its files in ~/.minikube. → `sudo chown -R $USER "
            "~/.minikube && chmod -R u+rwX ~/.minikube`"
        ),
        doctor=(
            "PROBLEM: minikube may not use its files in ~/.minikube → `sudo chown -R $USER "
            "~/.minikube && chmod -R u+rwX ~/.minikube`"
        ),
    ),
    State(
        name="made without Kubernetes (`minikube start --no-kubernetes`)",
        profile={**HALF, "unfinished": True, "kubernetes": "v0.0.0"},
        up=(
            "minikube 'shop' was made without Kubernetes, and stays so. → `flashsale up "
            "--profile sale`"
        ),
        status=(
            "minikube 'shop' was made without Kubernetes, and stays so. → `flashsale up "
            "--profile sale`"
        ),
        down="minikube 'shop' stopped.",
        doctor=(
            "PROBLEM: profile 'shop' was made without Kubernetes, and stays so → `flashsale up "
            "--profile sale`"
        ),
    ),
    State(
        name="the kubeconfig cannot be written",
        profile=STOPPED,
        unwritable=True,
        up=(
            "minikube cannot use the kubeconfig: ~/.kube/config cannot be written. → `ls "
            "-l ~/.kube/config`"
        ),
        status="minikube 'shop' is stopped. → `flashsale up --profile shop`",
        down="minikube 'shop' was stopped already (data kept). The sale is still in it.",
        doctor=(
            "PROBLEM: profile 'shop' is stopped; minikube cannot use the kubeconfig: "
            "~/.kube/config cannot be written → `ls -l ~/.kube/config`"
        ),
    ),
    State(
        name="its disk is full",
        profile={"host": "InsufficientStorage"},
        up=("minikube 'shop' has a full disk. → `minikube ssh -p shop -- docker system prune`"),
        status=("minikube 'shop' has a full disk. → `minikube ssh -p shop -- docker system prune`"),
        down="minikube 'shop' stopped (data kept). The sale is still in it.",
        doctor=(
            "PROBLEM: profile 'shop' has a full disk → `minikube ssh -p shop -- docker "
            "system prune`"
        ),
    ),
    State(
        name="minikube cannot look at its node",
        profile={"unseen": "host: state: VBoxManage not found"},
        up="minikube 'shop' has a node that does not answer (host: state: VBoxManage not found);"
        " starting it",
        status="minikube 'shop' has a node that does not answer (host: state: VBoxManage not"
        " found). → `flashsale up --profile shop`",
        down="minikube 'shop' stopped (data kept). The sale is still in it.",
        doctor="PROBLEM: profile 'shop' has a node that does not answer (host: state: VBoxManage"
        " not found) → `flashsale up --profile shop`",
    ),
    State(
        name="somebody else starts it",
        profile={**STOPPED, "host": "Starting", "busy": 3},
        up="Another minikube operation is running; waiting",
        status="minikube 'shop' is starting. → `minikube status -p shop`",
        down="minikube 'shop' stopped (data kept). The sale is still in it.",
        doctor="profile 'shop' is starting → `minikube status -p shop`",
    ),
)

HEAD = """# minikube, state by state

What `flashsale up`, `status`, `down --stop` and `doctor` do about a minikube profile `shop` with a
recorded sale, in each state that it can be in. `→` is the hint. Behind the states are replies of
minikube v1.38.1. This page is made from the parameters of the tests:
`python -m tests.clusters.minikube.states > docs/minikube-states.md`.
"""


def document() -> str:
    """Write the page."""
    parts = [HEAD]
    for state in STATES:
        rows = {
            "`up`": state.up,
            "`status`": state.status,
            "`down --stop`": state.down,
            "`doctor`": state.doctor,
        }
        lines = [f"| {command} | {text} |" for command, text in rows.items()]
        title = state.name[0].upper() + state.name[1:]
        parts.append("\n".join([f"## {title}", "", "| command | |", "|---|---|", *lines, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    print(document(), end="")
