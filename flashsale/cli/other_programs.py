"""What people type who know kubectl, minikube, docker or hey, and what it is called here. Pure."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from flashsale.cli.options.global_options import VALUED, leading

COMMANDS = MappingProxyType(
    {
        **dict.fromkeys(("start", "run", "apply", "create", "deploy", "build", "serve"), "up"),
        **dict.fromkeys(("install", "upgrade", "update", "launch"), "up"),
        **dict.fromkeys(("stop", "close", "destroy", "clean", "cleanup", "uninstall"), "down"),
        **dict.fromkeys(("get", "ps", "ls", "list", "pods", "describe", "info"), "status"),
        **dict.fromkeys(("kill", "restart", "terminate"), "kill-pod"),
        **dict.fromkeys(("top", "monitor", "live"), "watch"),
        **dict.fromkeys(("bench", "benchmark", "stress", "buy"), "load"),
        **dict.fromkeys(("test", "chaos"), "drill"),
        **dict.fromkeys(("service", "address", "port-forward", "expose", "tunnel", "proxy"), "url"),
        **dict.fromkeys(("browse", "browser"), "open"),
        **dict.fromkeys(("check", "diagnose"), "doctor"),
        **dict.fromkeys(("log", "tail"), "logs"),
        **dict.fromkeys(("resize", "replicas", "autoscale"), "scale"),
        **dict.fromkeys(("yaml", "template"), "manifest"),
        **dict.fromkeys(("ui", "web", "gui"), "dashboard"),
        **dict.fromkeys(("tutorial", "course", "lesson", "teach"), "learn"),
        "new": "init",
        "config": "kubeconfig",
        "purge": "down --purge",
    }
)
KUBECTL = (  # what kubectl does and we do not: it works on the sale's cluster
    *("annotate", "api-resources", "attach", "auth", "cluster-info", "cordon", "cp", "debug"),
    *("drain", "edit", "events", "exec", "explain", "patch", "rollout", "set", "taint"),
    *("uncordon", "wait"),
)
PODS = ("po", "pod", "pods")
SHOWN = (*PODS, "rs", "replicaset", "replicasets", "svc", "service", "services", "all")
KINDS = (*SHOWN, "deploy", "deployment", "deployments", "ns", "namespace", "node", "nodes")
FILES = ("-f", "--filename")
MANIFESTS = (".yaml", ".yml", ".json", ".", "/", "-")  # how one, or a folder of them, ends
ARGUMENTS = {"scale": ["5"], "start-node": ["--help"], "label": ["--help"]}  # where one is needed


def translated(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Return the name of the command that was meant, and a command line that does it.

    The name is empty where it is not one of ours, or nobody knows; the line is empty then, too.
    """
    name, rest = arguments[0], list(arguments[1:])
    places, words = parted(rest)
    line = ["flashsale"]
    if name in ("delete", "rm", "remove"):
        meant = ["down"] if _file(rest).endswith(MANIFESTS) else _deleted(words)
    elif name in KUBECTL or (name in ("get", "describe") and not _is_shown(name, words)):
        return "", _kubectl(arguments)
    elif name in ("apply", "create") and (file := _file(rest)):
        meant = ["up", "--manifest", file]
    elif name in ("deploy", "run", "start", "build", "serve") and _folder(words):
        meant = ["up", *words[:1]]
    elif name in ("kill", "log") and words:
        meant = [COMMANDS[name], *_pods(words)[:1]]
    elif name == "get" and {"-w", "--watch"} & {*rest}:
        meant = ["watch"]
    elif COMMANDS.get(name) == "scale":
        meant = scaled(words)
    elif name in COMMANDS:
        meant = COMMANDS[name].split()
    else:
        return "", []
    return meant[0], [*line, *meant, *places]


def scaled(words: Sequence[str]) -> list[str]:
    """Say what scales, whatever was named: there is one ReplicaSet."""
    return with_argument(["scale", *[word for word in words if word.isdigit()][:1]])


def with_argument(line: Sequence[str]) -> list[str]:
    """Complete a command line that would lack an argument."""
    return [*line, *(ARGUMENTS.get(line[0], []) if len(line) == 1 else [])]


def parted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part global options, wherever they stand, from the words that are no options."""
    places: list[str] = []
    others: list[str] = []
    at = 0
    while at < len(words):
        count = leading(words[at : at + 2])
        if words[at] in VALUED and count < 2:
            count = 0  # its value is missing
        if count:
            count = 2 if words[at] in VALUED else 1
            places += words[at : at + count]
        elif not words[at].startswith("-"):
            others.append(words[at])
        at += max(1, count)
    return places, others


def _deleted(words: Sequence[str]) -> list[str]:
    """Say what deletes: a pod, or the sale."""
    kind = words[0].partition("/")[0] if words else "all"
    if kind in KINDS and kind not in PODS:
        return ["down"]
    return ["kill-pod", *_pods(words)[:1]]


def _pods(words: Sequence[str]) -> list[str]:
    return [word.removeprefix("pod/") for word in words if word not in PODS]


def _is_shown(name: str, words: Sequence[str]) -> bool:
    """Whether `status` shows what was asked for; of one thing kubectl says more."""
    if not words:
        return True
    kinds = words[0].partition("/")[0].split(",")
    return name == "get" and all(kind in SHOWN for kind in kinds)


def _kubectl(arguments: Sequence[str]) -> list[str]:
    return ["kubectl", *arguments] if shutil.which("kubectl") else []


def _file(words: Sequence[str]) -> str:
    """Find the value of -f; empty if there is none."""
    for word, after in zip(words, [*words, ""][1:], strict=True):
        option, _, value = word.partition("=")
        if option in FILES and (value or after):
            return value or after
    return ""


def _folder(words: Sequence[str]) -> bool:
    return bool(words) and Path(words[0]).is_dir()


def written(line: Sequence[str]) -> str:
    """Write a command line; kubectl's leads to the sale's cluster."""
    words = shlex.join(line)
    return f"KUBECONFIG=$(flashsale kubeconfig) {words}" if line[0] == "kubectl" else words
