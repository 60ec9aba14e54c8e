"""Every command with its one line, in the order of `flashsale --help`.

The lines live here, apart from the commands, so that `--help` and completion need not import them.
A test holds each line equal to the first line of the command's own docstring.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: the function `NAME` in the module `cli.commands.NAME`, `-` written as `_`."""

    name: str
    section: str
    help: str

    @property
    def function(self) -> str:
        """The name of the function, and of the module that holds it."""
        return {"open": "open_"}.get(self.name, self.name.replace("-", "_"))


OPEN, SEE, CHANGE, FILES, MACHINE = (
    "Open and close the sale",
    "See it",
    "Change it, and hurt it",
    "Its files",
    "This machine",
)

ENTRIES = (
    Entry("up", OPEN, "Open the sale: cluster, image, ReplicaSet, Service, ready pods, URL."),
    Entry("down", OPEN, "Close the sale: remove its ReplicaSet, Service and pods."),
    Entry("status", SEE, "Show the ReplicaSet, its pods and the Service, as kubectl does."),
    Entry("watch", SEE, "Watch the pods live: who dies, who replaces it, and how long that takes."),
    Entry("url", SEE, "Print the sale's address, and nothing else."),
    Entry("open", SEE, "Open the sale in the browser."),
    Entry("logs", SEE, "Print what the pods log, each line tagged with its pod."),
    Entry("scale", CHANGE, "Change how many pods Kubernetes keeps alive."),
    Entry("kill-pod", CHANGE, "Delete a pod and follow its replacement until all is whole again."),
    Entry("load", CHANGE, "Send buyers on a schedule, and count what becomes of every purchase."),
    Entry("drill", CHANGE, "Load the sale while it scales and kills, and judge what that cost."),
    Entry("manifest", FILES, "Print the YAML that `up` applies."),
    Entry("init", FILES, "Write app.py, Dockerfile and the manifest, to work on."),
    Entry("kubeconfig", MACHINE, "Print the path of a kubeconfig for the sale's cluster."),
    Entry("doctor", MACHINE, "Check this machine, and say what `up` would choose."),
    Entry("completion", MACHINE, "Print the completion script of a shell."),
    Entry("version", MACHINE, "Print the version of flashsale, and of the cluster."),
)


def entry(name: str) -> Entry | None:
    """Find a command by the name that people type."""
    return next((one for one in ENTRIES if one.name == name), None)
