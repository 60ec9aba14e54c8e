"""What minikube's exit codes mean: the tens are the area, the units the kind of failure.

The id may be replaced by one that minikube matched on the error's text, so codes come first
(pkg/minikube/reason/exitcodes.go, match.go). Its own message is shown, and never read.
"""

from __future__ import annotations

from flashsale.base.errors import ClusterUnreachableError
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
    2: ("minikube crashed.", "update minikube, then retry"),
    14: ("minikube did not take our arguments.", "update minikube, then retry"),
    23: ("Too little memory for minikube.", "free memory, or use --memory 2g"),
    27: ("A file of minikube's is not readable.", "sudo chown -R $USER ~/.minikube ~/.kube"),
    29: ("Too few processors for minikube: it needs two.", "give Docker or the VM 2 CPUs"),
    37: (
        "minikube's files or the kubeconfig belong to someone else.",
        "sudo chown -R $USER ~/.minikube ~/.kube",
    ),
    38: ("Profile '{p}' is damaged.", "recreate it: minikube delete -p {p}"),
    52: ("The node of '{p}' cannot be reached.", "leave the VPN, or use --driver docker"),
    57: (
        "Do not run as root with the docker driver.",
        "run flashsale as an ordinary user who may use Docker",
    ),
    69: (
        "This user may not use Docker.",
        NO_ACCESS,
    ),
    72: ("The node of '{p}' cannot be reached.", "leave the VPN, or use --driver docker"),
    81: ("Profile '{p}' uses another driver.", "minikube delete -p {p}, or use --profile NAME"),
    106: (
        "'{p}' runs a newer Kubernetes than minikube is configured for.",
        "minikube config unset kubernetes-version, or use --profile NAME",
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
        hint = failed.advice or "install Docker, or name another driver with --driver"
        return _error("minikube found no driver that it can use here.", hint, details)
    if code in INTERNET:
        return _error("No internet for minikube.", _offline(), details)
    if code < 0:
        return _error(f"minikube was ended by signal {-code}.", "run it again to resume", details)
    if code in KNOWN:
        sentence, hint = (text.format(p=profile) for text in KNOWN[code])
        return _error(sentence, hint, details)
    return _error(
        f"Start failed ({failed.id or 'no reason given'}, code {code}).",
        f"minikube logs -p {profile} --file=minikube.log;"
        f" then: minikube delete -p {profile} and retry",
        details,
    )


def _error(sentence: str, hint: str, details: str) -> ClusterUnreachableError:
    return ClusterUnreachableError(sentence, hint=hint, details=details)


def _offline() -> str:
    return (
        "set HTTPS_PROXY, or prepare the cache where there is internet: minikube start"
        " --download-only --driver=docker --container-runtime=docker -p cache"
    )
