"""Mend a broken folder: the Service sends buyers to a port on which nobody listens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flashsale.learn.facts import Facts
from flashsale.learn.step import Check, Prediction, Seen, Step
from flashsale.objects.fields import sections, text
from flashsale.sale.files import app_folder
from flashsale.sale.files.manifest import FILE

FOLDER = "broken-sale"
MARK = ("course", "mend")  # a label of the ReplicaSet in the folder that is handed out
RIGHT, WRONG = "targetPort: 5000", "targetPort: 5001"
QUICK = (
    ("initialDelaySeconds: 3", "initialDelaySeconds: 0"),
    ("periodSeconds: 5", "periodSeconds: 1"),
)


def hand_out(where: Path) -> Path:
    """Write the broken folder; one that is there already is left as it is."""
    folder = where / FOLDER
    number = 2
    while folder.exists():
        folder, number = where / f"{FOLDER}-{number}", number + 1
    app_folder.init(folder)
    file = folder / FILE
    text = file.read_text().replace(RIGHT, WRONG)
    for slow, quick in QUICK:  # nobody need wait for this lesson
        text = text.replace(slow, quick)
    label = "metadata:\n  name: flashsale-rs\n  labels:\n"
    file.write_text(text.replace(label, f"{label}    {MARK[0]}: {MARK[1]}\n", 1))
    return folder


def applied(facts: Facts) -> Seen:
    holds = text(facts.replicaset, "metadata", "labels", MARK[0]) == MARK[1]
    return Seen(holds, "it does" if holds else "the sale runs from another manifest")


def sells(facts: Facts) -> Seen:
    if not applied(facts).holds:
        return Seen(False, "not tried yet: the sale runs from another manifest")
    by = facts.answered_by
    holds = by in {pod.name for pod in facts.own} and facts.whole
    return Seen(holds, f"{by} answered" if by else facts.no_answer or "nobody answered")


def reveal(facts: Facts) -> Sequence[str]:
    ports = sections(facts.service, "spec", "ports") or [{}]
    target = ports[0].get("targetPort")
    return [
        f"{facts.answered_by} answered. The Service's targetPort is {target} now.",
        "The pods had been ready all the time: their probes ask port 5000 themselves.",
        "Ready means that a pod can sell. Whether buyers reach it is up to the Service: its"
        " selector finds the pods, and its targetPort must be the port on which they listen.",
        f"kubectl says so: get svc: port {ports[0].get('port')}, targetPort {target}",
    ]


STEP = Step(
    name="mend",
    title="Mend a broken folder",
    goal=(
        "Now you repair something. A colleague left you the folder {prepared}: its pods\n"
        "get ready, and yet nobody can buy. One line of {prepared}/flashsale-replicaset.yaml\n"
        "is wrong. Apply it, read what flashsale says, mend it, and apply it again."
    ),
    prediction=Prediction(
        "All pods are READY, but nobody can buy. Where do you look first?",
        ("at the ReplicaSet's replicas", "at the Service", "at the pods' names"),
        2,
    ),
    task=(
        "Apply it, and it complains; mend the file, and apply it again:",
        "$ flashsale up {prepared}",
        "$ flashsale status",
    ),
    checks=(
        Check("The sale runs from the folder that was handed out", applied),
        Check("A buyer gets an answer from one of its pods", sells),
    ),
    hints=(
        "The program listens on port 5000: see the CMD line of the Dockerfile.",
        "The Service's targetPort must be 5000.",
    ),
    commands=(
        "sed -i.bak 's/targetPort: 5001/targetPort: 5000/' {prepared}/flashsale-replicaset.yaml",
        "flashsale up {prepared}",
    ),
    reveal=reveal,
    extras=frozenset({"answer"}),
    prepare=hand_out,
)
