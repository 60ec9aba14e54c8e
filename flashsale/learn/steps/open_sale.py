"""Open the sale: Pod, ReplicaSet and Service, pointed at in the learner's own manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flashsale.base.text import counted
from flashsale.learn.facts import Facts, relative
from flashsale.learn.step import Check, Prediction, Seen, Step
from flashsale.learn.wording import names
from flashsale.sale.files.manifest import FILE, shipped_text

POINTS = (
    ("kind: ReplicaSet", "the ReplicaSet: it keeps pods alive"),
    ("replicas:", "how many pods it keeps"),
    ("template:", "what each new pod is made from"),
    ("kind: Service", "the Service: one address for all pods"),
)


def pods_ready(facts: Facts) -> Seen:
    if facts.numbers is None:
        return Seen(False, facts.why or "there is no ReplicaSet")
    return Seen(facts.whole, f"{len(facts.ready)} of {facts.desired} pods are ready")


def service_routes(facts: Facts) -> Seen:
    if facts.service is None:
        return Seen(False, "there is no Service")
    ready = {pod.name for pod in facts.ready}
    count = len(facts.routed & ready)
    return Seen(
        facts.whole and ready <= facts.routed, f"it sends buyers to {counted(count, 'pod')}"
    )


def reveal(facts: Facts) -> Sequence[str]:
    file = Path(facts.folder) / FILE if facts.folder else None
    own = file is not None and file.is_file()
    text = file.read_text() if file and own else shipped_text()
    shown = relative(str(file)) if own else "the manifest (flashsale manifest)"
    lines = [f"In {shown}:"]
    for number, line in enumerate(text.splitlines(), 1):
        for words, meaning in POINTS:
            if line.strip().startswith(words):
                lines.append(f"  line {number:>2}  {line.strip():<17} {meaning}")
    lines.append(f"Its pods here: {names([pod.name for pod in facts.own])}.")
    if facts.own:
        lines.append(facts.quote("SuccessfulCreate", facts.own[0].name))
    return lines


STEP = Step(
    name="open",
    title="Open the sale",
    goal=(
        "A shop must stay open whatever breaks. Its program runs in pods: each pod is one\n"
        "running copy. A ReplicaSet keeps a number of pods alive. A Service is the one\n"
        "address in front of them. A file, the manifest, describes all three."
    ),
    prediction=Prediction(
        "The manifest asks for 3 pods. What is there one second after you open the sale?",
        (
            "3 pods that sell",
            "3 pods that exist, but are not ready yet",
            "1 pod; the others follow one by one",
        ),
        2,
    ),
    task=(
        "In another terminal, in this folder (or press a, and the course types it):",
        "$ flashsale init my-sale",
        "$ flashsale up my-sale",
    ),
    checks=(
        Check("All the pods that the ReplicaSet wants are ready", pods_ready),
        Check("The Service sends buyers to them", service_routes),
    ),
    hints=(
        "You need the files of the shop first; then a command that opens the sale from them.",
        "`flashsale init` writes the files, and `flashsale up` opens the sale.",
    ),
    commands=("flashsale init my-sale", "flashsale up my-sale"),
    reveal=reveal,
    needs_sale=False,
)
