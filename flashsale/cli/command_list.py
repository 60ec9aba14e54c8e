"""Every command with its one line, in the order of `flashsale --help`.

The lines live here, apart from the commands, so that `--help` and completion need not import them.
A test holds each line equal to the first line of the command's own docstring.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandEntry:
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
    CommandEntry(
        "up", OPEN, "Open the sale: cluster, image, ReplicaSet, Service, ready pods, URL."
    ),
    CommandEntry("down", OPEN, "Close the sale: remove its ReplicaSet, Service and pods."),
    CommandEntry("status", SEE, "Show the ReplicaSet, its pods and the Service, as kubectl does."),
    CommandEntry(
        "watch", SEE, "Watch the pods live: who dies, who replaces it, and how long that takes."
    ),
    CommandEntry("url", SEE, "Print the sale's address, and nothing else."),
    CommandEntry("open", SEE, "Open the sale in the browser."),
    CommandEntry("logs", SEE, "Print what the pods log, each line tagged with its pod."),
    CommandEntry("scale", CHANGE, "Change how many pods Kubernetes keeps alive."),
    CommandEntry(
        "kill-pod", CHANGE, "Delete a pod and follow its replacement until all is whole again."
    ),
    CommandEntry(
        "load", CHANGE, "Send buyers on a schedule, and count what becomes of every purchase."
    ),
    CommandEntry(
        "drill", CHANGE, "Load the sale while it scales and kills, and judge what that cost."
    ),
    CommandEntry("manifest", FILES, "Print the YAML that `up` applies."),
    CommandEntry("init", FILES, "Write app.py, Dockerfile and the manifest, to work on."),
    CommandEntry("kubeconfig", MACHINE, "Print the path of a kubeconfig for the sale's cluster."),
    CommandEntry("doctor", MACHINE, "Check this machine, and say what `up` would choose."),
    CommandEntry("completion", MACHINE, "Print the completion script of a shell."),
    CommandEntry("version", MACHINE, "Print the version of flashsale, and of the cluster."),
)


def entry(name: str) -> CommandEntry | None:
    """Find a command by the name that people type."""
    return next((one for one in ENTRIES if one.name == name), None)
