"""What minikube's exit codes mean: the tens are the area, the units the kind of failure.

The id may be replaced by one that minikube matched on the error's text, so codes come first
(pkg/minikube/reason/exitcodes.go, match.go). Its own message is shown, and never read.
"""

from __future__ import annotations

from flashsale.base.errors import ClusterUnreachableError, Hint
from flashsale.clusters.minikube.start.events import Failure
from flashsale.clusters.minikube.start.start_plan import disk_full, docker_down, locked
from flashsale.docker.engine_errors import NO_ACCESS

MISMATCH = 81  # of the profile's driver and the one that was asked for
TIMED_OUT = 82  # stopping
INTERNET = range(40, 50)
CLUSTER = (80, *range(90, 110))  # node, runtime, control plane
NO_DRIVER = (55, 65)
GUEST, LOCK = 80, "ACQUIRE_LOCK"  # code, and part of the id, where another minikube has the lock

# code: sentence, hint; {p} is the profile, {advice} minikube's own advice
KNOWN = {
    2: ("minikube crashed.", Hint(words="update minikube, then try again")),
    14: ("minikube did not take our arguments.", Hint(words="update minikube, then try again")),
    23: ("Too little memory for minikube.", Hint("flashsale up --memory 2g", "or free memory")),
    27: ("A file of minikube's is not readable.", "sudo chown -R $USER ~/.minikube ~/.kube"),
    29: (
        "Too few processors for minikube: it needs two.",
        Hint(words="give Docker or the VM 2 CPUs"),
    ),
    37: (
        "minikube's files or the kubeconfig belong to someone else.",
        "sudo chown -R $USER ~/.minikube ~/.kube",
    ),
    38: ("Profile '{p}' is damaged.", "minikube delete -p {p} && flashsale up --profile {p}"),
    52: (
        "The node of '{p}' cannot be reached.",
        Hint(words="leave the VPN, or use --driver docker"),
    ),
    57: (
        "Do not run as root with the docker driver.",
        Hint(words="run flashsale as an ordinary user who may use Docker"),
    ),
    69: (
        "This user may not use Docker.",
        NO_ACCESS,
    ),
    72: (
        "The node of '{p}' cannot be reached.",
        Hint(words="leave the VPN, or use --driver docker"),
    ),
    81: (
        "Profile '{p}' uses another driver.",
        Hint("minikube delete -p {p} && flashsale up --profile {p}", "or use --profile NAME"),
    ),
    106: (
        "'{p}' runs a newer Kubernetes than minikube is configured for.",
        Hint("minikube config unset kubernetes-version", "or use --profile NAME"),
    ),
}


def explained(failed: Failure, profile: str) -> ClusterUnreachableError:
    """Say what a failed start means and what helps."""
    code = failed.code
    details = "\n".join(part for part in (failed.message, failed.log) if part)
    if code == GUEST and LOCK in failed.id:
        return locked(profile, details)
    if code == 26:
        return disk_full(profile)
    if code == 63:
        return docker_down()
    if code in NO_DRIVER:
        advice = failed.advice or "install Docker, or name another driver with --driver"
        return _error("minikube found no driver that it can use here.", Hint(words=advice), details)
    if code in INTERNET:
        return _error("No internet for minikube.", _offline(), details)
    if code < 0:
        return _error(
            f"minikube was ended by signal {-code}.", Hint("flashsale up", "resumes it"), details
        )
    if code in KNOWN:
        sentence, hint = KNOWN[code]
        command, words = (hint.command, hint.words) if isinstance(hint, Hint) else (hint, "")
        found = Hint(command.format(p=profile), words)
        return _error(sentence.format(p=profile), found, details)
    return _error(
        f"Start failed ({failed.id or 'no reason given'}, code {code}).",
        Hint(
            f"minikube logs -p {profile}",
            f"says why; then: minikube delete -p {profile} && flashsale up --profile {profile}",
        ),
        details,
    )


def _error(sentence: str, hint: str, details: str) -> ClusterUnreachableError:
    return ClusterUnreachableError(sentence, hint=hint, details=details)


def _offline() -> str:
    return Hint(
        "minikube start --download-only --driver=docker --container-runtime=docker -p cache",
        "prepares the cache where there is internet; or set HTTPS_PROXY",
    )
