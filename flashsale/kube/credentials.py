"""Why a context of the kubeconfig cannot be used, found before anything is sent.

The official client meets each of these in its own way, some with a traceback. What kubectl refuses
is refused here, with the name of what is wrong.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flashsale.base.errors import ClusterUnreachableError, Hint
from flashsale.base.text import quoted
from flashsale.kube import kubeconfig as contexts
from flashsale.objects.fields import Section, section, text

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
EXEC_CODE = re.compile(r"exec: process returned (-?\d+)(?:\. )?(.*)", re.DOTALL)
REMOVED = {  # login methods that kubectl had until 1.25, and what came after them
    "gcp": "gcloud container clusters get-credentials CLUSTER",
    "azure": "kubelogin convert-kubeconfig -l azurecli",
}
KEPT_LINES = 8  # of a plugin's own words


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """One context with its cluster and its user, and the folders that their paths start from."""

    name: str
    cluster_name: str
    cluster: Section
    cluster_folder: Path
    user_name: str
    user: Section
    user_folder: Path

    @property
    def plugin(self) -> Section:
        """The program that logs in, as the user's entry describes it; empty without one."""
        return section(self.user, "exec")

    @property
    def authority(self) -> bytes | None:
        """The cluster's CA, None where it names none; ClusterUnreachableError if unreadable."""
        where = f"of the cluster '{self.cluster_name}'"
        return _read(self.cluster, "certificate-authority", self.cluster_folder, where)

    def read_secret(self, name: str) -> bytes | None:
        """Read the user's `client-certificate` or `client-key`, as :attr:`authority`."""
        return _read(self.user, name, self.user_folder, f"of the user '{self.user_name}'")


def check_readable(kubeconfig: Path | None = None) -> None:
    """Raise ClusterUnreachableError if a file of the kubeconfig cannot be read."""
    for file, wrong in contexts.problems(kubeconfig):
        raise ClusterUnreachableError(f"{wrong}.", hint=f"ls -l {quoted(file)}")


def check_context(kubeconfig: Path | None, context: str) -> ContextEntry:
    """Return a context's parts; ClusterUnreachableError if the kubeconfig makes it unusable."""
    check_readable(kubeconfig)
    entry = find_context(kubeconfig, context)
    _check_server(entry)
    _check_certificates(entry)
    _check_login(entry)
    return entry


def plugin_failed(entry: ContextEntry, words: str) -> ClusterUnreachableError:
    """Say that the program that logs in failed, in its own words.

    Args:
        words: the official client's; its `exec: process returned 1. ` stands before the program's.
    """
    command = str(entry.plugin.get("command"))
    match = EXEC_CODE.match(words)
    reason = match[2].strip().rpartition("\n")[2] if match else words.partition("exec: ")[2]
    reason = CONTROL.sub(" ", reason)
    code = f" with exit code {match[1]}" if match else ""
    hint = _install_hint(entry)
    lines = match[2].strip().splitlines()[-KEPT_LINES:-1] if match else []
    return ClusterUnreachableError(
        f"The program {command}, which logs in the user '{entry.user_name}', failed{code}"
        + (f": {reason.rstrip('.')}." if reason else "."),
        hint=Hint(shlex.join([command, *map(str, entry.plugin.get("args") or [])]), hint),
        details="\n".join(CONTROL.sub(" ", line) for line in lines),
    )


def find_context(kubeconfig: Path | None, context: str) -> ContextEntry:
    """Find a context with cluster and user, unchecked; ClusterUnreachableError without one."""
    files = contexts.documents(kubeconfig)
    entry_found, _ = contexts.find_entry(files, "contexts", context)
    if not entry_found:
        raise _wrong(f"The kubeconfig has no context '{context}'")
    inner = section(entry_found, "context")
    cluster_name, user_name = str(inner.get("cluster") or ""), str(inner.get("user") or "")
    cluster, cluster_folder = contexts.find_entry(files, "clusters", cluster_name)
    if not cluster:
        raise _wrong(
            f"The context '{context}' names the cluster '{cluster_name}', which the kubeconfig"
            " does not have"
        )
    user, user_folder = contexts.find_entry(files, "users", user_name)
    if not user and user_name:
        raise _wrong(
            f"The context '{context}' names the user '{user_name}', which the kubeconfig does not"
            " have"
        )
    return ContextEntry(
        *(context, cluster_name, section(cluster, "cluster"), cluster_folder),
        *(user_name, section(user, "user"), user_folder),
    )


def _check_server(entry: ContextEntry) -> None:
    server = str(entry.cluster.get("server") or "")
    if not server:
        raise _wrong(f"The cluster '{entry.cluster_name}' in the kubeconfig has no server address")
    try:
        port = urlsplit(server).port
    except ValueError:
        port = 0
    if port == 0:
        raise _wrong(f"The cluster '{entry.cluster_name}' has an impossible address, {server}")


def _check_certificates(entry: ContextEntry) -> None:
    import ssl

    if (authority := entry.authority) is not None:
        try:
            ssl.create_default_context(cadata=authority.decode("ascii"))
        except (ssl.SSLError, ValueError) as error:
            where = f"of the cluster '{entry.cluster_name}'"
            raise _wrong(f"The certificate-authority {where} is no certificate") from error
    for key, label in (("client-certificate", "CERTIFICATE"), ("client-key", "PRIVATE KEY")):
        file_or_text = entry.read_secret(key)
        if file_or_text is not None and f"{label}-----".encode() not in file_or_text:
            raise _wrong(f"The {key} of the user '{entry.user_name}' is no {label.lower()}")


def _check_login(entry: ContextEntry) -> None:
    user, name = entry.user, entry.user_name
    token = user.get("token")
    if token and CONTROL.search(str(token)):
        raise _wrong(f"The token of the user '{name}' has a line break in it, so it cannot be sent")
    _read({"token": user.get("tokenFile")}, "token", entry.user_folder, f"of the user '{name}'")
    provider = text(user, "auth-provider", "name")
    if provider and provider != "oidc" and not token and not entry.plugin:
        raise ClusterUnreachableError(
            f"The user '{name}' logs in with the auth-provider {provider}, which Kubernetes has"
            " dropped in version 1.26; a program does that today (exec in the kubeconfig).",
            hint=REMOVED.get(provider, "kubectl config view --minify --context " + entry.name),
        )
    if entry.plugin and not token:
        _check_plugin(entry)


def _check_plugin(entry: ContextEntry) -> None:
    command = str(entry.plugin.get("command") or "")
    place = command
    if os.sep in command:
        place = os.path.join(entry.user_folder, command)
    if command and shutil.which(place):
        return
    where = "is not there" if os.sep in command else "is not in PATH"
    raise ClusterUnreachableError(
        f"The program {command or '(none)'}, which logs in the user '{entry.user_name}', {where}.",
        hint=Hint(words=_install_hint(entry) or f"install {command}"),
    )


def _install_hint(entry: ContextEntry) -> str:
    return " ".join(str(entry.plugin.get("installHint") or "").split())


def _read(entry: Section, name: str, folder: Path, where: str) -> bytes | None:
    """Read what is given inline as base64, or as a path; None if neither is given."""
    inline, path = entry.get(f"{name}-data"), entry.get(name)
    if inline:
        try:
            return base64.b64decode(str(inline), validate=True)
        except (binascii.Error, ValueError) as error:
            raise _wrong(f"The {name}-data {where} is no base64") from error
    if not path:
        return None
    file = folder / str(path)
    try:
        return file.read_bytes()
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise _wrong(f"The {name} {where} cannot be read: {file}: {why}") from error


def _wrong(sentence: str) -> ClusterUnreachableError:
    return ClusterUnreachableError(f"{sentence}.", hint="kubectl config view")
