"""Every command with its one line and its examples, in the order of `flashsale --help`.

They stand apart from the commands, so that `--help` and completion need not import those. A test
holds each line equal to the first line of the command's own docstring, and tries each example.
"""

from __future__ import annotations

from dataclasses import dataclass

WHERE = ("context", "cluster", "profile", "allow_remote")  # which cluster
SALE = (*WHERE, "namespace", "output")
HOW = ("quiet", "verbose", "debug")  # of every command


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One command: the function `NAME` in the module `cli.commands.NAME`, `-` written as `_`."""

    name: str
    section: str
    help: str
    examples: tuple[tuple[str, str], ...]  # what is typed, what it does
    shared: tuple[str, ...] = SALE  # the global options that do something here, besides HOW
    outputs: tuple[str, ...] = ("json",)  # values of `-o`

    @property
    def function(self) -> str:
        """The name of the function, and of the module that holds it."""
        return {"open": "open_"}.get(self.name, self.name.replace("-", "_"))


OPEN, LEARN, SEE, CHANGE, FILES, MACHINE = (
    "Open and close the sale",
    "Learn it",
    "See it",
    "Change and disturb",
    "Its files",
    "This machine",
)

ENTRIES = (
    CommandEntry(
        "up",
        OPEN,
        "Open the sale: cluster, image, ReplicaSet, Service, ready pods, URL.",
        (
            ("flashsale up", "open the packaged shop, or bring the open sale up to date"),
            ("flashsale up my-sale --replicas 5", "your own app, with five pods"),
            ("flashsale up --context kind-dev", "on a cluster of your own"),
            ("flashsale up --nodes 3 --fast-nodes", "three nodes; see kill-node"),
        ),
    ),
    CommandEntry(
        "down",
        OPEN,
        "Close the sale: remove its ReplicaSet, Service and pods.",
        (
            ("flashsale down", "close the sale; the embedded cluster stops"),
            ("flashsale down --stop", "stop minikube too"),
            ("flashsale down --purge", "and remove all that flashsale keeps"),
        ),
    ),
    CommandEntry(
        "learn",
        LEARN,
        "Learn what a ReplicaSet does: a course of eleven steps on your own sale.",
        (
            ("flashsale learn", "begin, or go on where you stopped"),
            ("flashsale learn kill", "one step alone"),
            ("flashsale learn --list", "all steps, and how far you are"),
            ("flashsale learn --check kill", "exit code 0 where the step's facts hold now"),
            ("flashsale learn --report course.html", "a certificate with your own figures"),
        ),
    ),
    CommandEntry(
        "status",
        SEE,
        "Show the ReplicaSet, its pods and the Service, as kubectl does.",
        (
            ("flashsale status", "as kubectl get rs,pods,svc"),
            ("flashsale status -o wide", "with addresses, nodes and images"),
            ("flashsale status -A", "the sales of all namespaces"),
        ),
        outputs=("json", "wide"),
    ),
    CommandEntry(
        "watch",
        SEE,
        "Watch the pods live: which one dies, what replaces it, and how long that takes.",
        (
            ("flashsale watch", "until q or Ctrl-C"),
            ("flashsale watch --for 30s -o json", "one JSON object a line, for 30 s"),
        ),
    ),
    CommandEntry(
        "dashboard",
        SEE,
        "Show the sale live in the browser, with buttons to kill, scale, load and drill.",
        (
            ("flashsale dashboard", "opens the browser; until Ctrl-C"),
            ("flashsale dashboard --read-only --port 8080", "for a projector: nothing is changed"),
        ),
    ),
    CommandEntry(
        "url",
        SEE,
        "Print the sale's address, and nothing else.",
        (("curl $(flashsale url)/buy", "buy something"),),
    ),
    CommandEntry(
        "open",
        SEE,
        "Open the sale in the browser.",
        (("flashsale open", "look at the shop; each refresh may show another pod"),),
    ),
    CommandEntry(
        "logs",
        SEE,
        "Print what the pods log, each line tagged with its pod.",
        (
            ("flashsale logs -f", "go on printing, through restarts and with new pods"),
            ("flashsale logs 5pgp7 --tail 10", "the last lines of one pod, by the end of its name"),
        ),
    ),
    CommandEntry(
        "scale",
        CHANGE,
        "Change how many pods Kubernetes keeps alive.",
        (("flashsale scale 5", "keep five pods, and wait until they are ready"),),
    ),
    CommandEntry(
        "kill-pod",
        CHANGE,
        "Delete a pod and follow its replacement until all pods are ready again.",
        (
            ("flashsale kill-pod", "a random ready pod"),
            ("flashsale kill-pod 5pgp7", "one pod, by its name or the end of it"),
            ("flashsale kill-pod --count 2 --hard", "two at once, without a grace period"),
        ),
    ),
    CommandEntry(
        "kill-node",
        CHANGE,
        "Cut a node's power, and follow its pods until each has a ready replacement.",
        (
            ("flashsale kill-node", "a random node with pods of the sale"),
            ("flashsale kill-node embedded-m02", "that one"),
            ("flashsale kill-node --dry-run", "only say which one it would be"),
        ),
    ),
    CommandEntry(
        "start-node",
        CHANGE,
        "Start a node that was killed, and wait until it is ready.",
        (("flashsale start-node embedded-m02", "bring that node back"),),
    ),
    CommandEntry(
        "label",
        CHANGE,
        "Change the labels of a pod, as kubectl label does.",
        (
            ("flashsale label 5pgp7 app-", "quarantine it: the ReplicaSet lets it go"),
            ("flashsale label flashsale-rs-5pgp7 app=flashsale", "and take it back"),
        ),
    ),
    CommandEntry(
        "load",
        CHANGE,
        "Send buyers on a schedule, and count what becomes of every purchase.",
        (
            ("flashsale load --rate 200 --for 1m", "200 purchases a second for a minute"),
            ("flashsale load --keepalive", "show how kept connections skew the pods"),
        ),
    ),
    CommandEntry(
        "drill",
        CHANGE,
        "Load the sale while it scales and kills pods, and judge what that cost.",
        (
            ("flashsale drill --kills 5 --report drill.html", "five kills, and a page about them"),
            ("flashsale drill --hard", "without grace periods"),
        ),
    ),
    CommandEntry(
        "manifest",
        FILES,
        "Print the YAML that `up` applies.",
        (
            ("flashsale manifest > shop.yaml", "a copy to work on"),
            ("flashsale manifest --as-taught", "the exercise's own fields"),
        ),
        shared=("output",),
    ),
    CommandEntry(
        "init",
        FILES,
        "Write app.py, Dockerfile and the manifest, to work on.",
        (("flashsale init my-sale && flashsale up my-sale", "a shop of your own"),),
        shared=("output",),
    ),
    CommandEntry(
        "kubeconfig",
        MACHINE,
        "Print the path of a kubeconfig for the sale's cluster.",
        (("export KUBECONFIG=$(flashsale kubeconfig)", "let kubectl speak to it"),),
    ),
    CommandEntry(
        "doctor",
        MACHINE,
        "Check this machine, and say what `up` would choose.",
        (("flashsale doctor", "what is here, and what to type where something is missing"),),
        shared=(*WHERE, "output"),
    ),
    CommandEntry(
        "completion",
        MACHINE,
        "Print the completion script of a shell.",
        (
            ("flashsale completion bash >> ~/.bashrc", "for every bash to come"),
            ("flashsale completion zsh > ~/.zfunc/_flashsale", "for zsh: a folder of its fpath"),
        ),
        shared=("output",),
    ),
    CommandEntry(
        "version",
        MACHINE,
        "Print the version of flashsale, and of the cluster.",
        (("flashsale version", "also of the Kubernetes that the sale runs on"),),
        shared=(*WHERE, "output"),
    ),
)


def entry(name: str) -> CommandEntry | None:
    """Return the command that people type as ``name``; None if there is none."""
    return next((known for known in ENTRIES if known.name == name), None)
