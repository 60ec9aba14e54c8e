"""How a build reaches the network: this machine's proxies, package index and CA certificate.

Corporate networks that re-sign TLS are common, and a build knows nothing of what the machine around
it has been taught. What is passed says how to fetch, not what to build: it is no part of the
image's digest. What was typed as `--build-arg` always wins, and is part of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from flashsale.base.addresses import is_loopback, url_host
from flashsale.base.errors import Hint, RefusedError
from flashsale.base.pip_settings import read_pip_settings
from flashsale.docker.buildkit import CA_PATH

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY")
INDEXES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT")
CERTIFICATES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
# Docker's config writes proxies in its own words: `proxies.default.httpProxy`.
DOCKER_WORDS = {
    "httpProxy": "HTTP_PROXY",
    "httpsProxy": "HTTPS_PROXY",
    "ftpProxy": "FTP_PROXY",
    "noProxy": "NO_PROXY",
    "allProxy": "ALL_PROXY",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What this machine has to say about its network."""

    environ: Mapping[str, str] = field(default_factory=dict)
    docker_config: Mapping[str, object] = field(default_factory=dict)
    pip_config: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_this_machine(cls, environ: Mapping[str, str]) -> Surroundings:
        """Read the environment, Docker's config.json and pip's configuration files."""
        home = Path(environ.get("HOME") or Path.home())
        docker = Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
        return cls(environ, _json(docker), read_pip_settings(environ, home))


def own_docker(environ: Mapping[str, str]) -> dict[str, str]:
    """Undo an active `docker-env` of minikube: give the environment of this machine's own Docker.

    minikube keeps what was there before in MINIKUBE_EXISTING_* (pkg/drivers/kic/oci/oci.go).
    """
    given = dict(environ)
    if given.pop("MINIKUBE_ACTIVE_DOCKERD", ""):
        for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
            given.pop(name, None)
            if before := given.pop(f"MINIKUBE_EXISTING_{name}", ""):
                given[name] = before
    return given


@dataclass(frozen=True, slots=True)
class Passed:
    """What reaches the build."""

    arguments: Mapping[str, str]
    ca: bytes = b""  # PEM
    notes: tuple[str, ...] = ()  # what the user should know about it


def passed(around: Surroundings, typed: Mapping[str, str], *, pushing: bool = False) -> Passed:
    """Choose the build's arguments and CA certificate: typed ones first, then this machine's.

    Raises:
        RefusedError: a password would go out with a pushed image, in its history.
    """
    settings = {**_pip(around), **_proxies(around)}
    kept = {name: value for name, value in settings.items() if name not in typed}
    notes = [
        f"The proxy {name}={_without_password(value)} is on this machine's loopback, where a build"
        " cannot reach it: not passed on."
        for name, value in kept.items()
        if "PROXY" in name.upper() and is_loopback(url_host(value))
    ]
    kept = {name: value for name, value in kept.items() if not is_loopback(url_host(value))}
    if pushing:
        _refuse_passwords(kept)
    arguments = {**kept, **typed}
    ca_file = _certificate(around, typed)
    if ca_file:
        arguments |= dict.fromkeys(CERTIFICATES, CA_PATH)
        notes.append(f"The build trusts {ca_file} too; it stays in the image as {CA_PATH}.")
    return Passed(arguments, ca_file.read_bytes() if ca_file else b"", tuple(notes))


def _proxies(around: Surroundings) -> dict[str, str]:
    """Take Docker's own proxies before the environment's, in both spellings, as Docker does."""
    chosen: dict[str, str] = {}
    configured = around.docker_config.get("proxies")
    default = configured.get("default") if isinstance(configured, dict) else None
    words = default if isinstance(default, dict) else {}
    own = {DOCKER_WORDS[word]: str(url) for word, url in words.items() if word in DOCKER_WORDS}
    for name in PROXIES:
        environ = around.environ
        value = own.get(name) or environ.get(name.lower()) or environ.get(name)
        if value:
            chosen |= {name: value, name.lower(): value}
    return chosen


def _pip(around: Surroundings) -> dict[str, str]:
    """Take pip's index from the environment, else from its files; a build sees no local folder."""
    chosen = {}
    for name in INDEXES:
        option = name.removeprefix("PIP_").lower().replace("_", "-")
        value = around.environ.get(name) or around.pip_config.get(option, "")
        words = [word for word in value.split() if not word.startswith(("file:", "/", "."))]
        if words:
            chosen[name] = " ".join(words)
    return chosen


def _certificate(around: Surroundings, typed: Mapping[str, str]) -> Path | None:
    """Find the CA bundle that this machine's own tools were taught, if any."""
    for source in (typed, around.environ):
        for name in CERTIFICATES:
            if source.get(name) and Path(source[name]).is_file():
                return Path(source[name])
    configured = around.pip_config.get("cert")
    return Path(configured) if configured and Path(configured).is_file() else None


def _refuse_passwords(arguments: Mapping[str, str]) -> None:
    for name, value in arguments.items():
        # Proxies are predefined arguments, which the builder keeps out of the history.
        if name in INDEXES and any(urlsplit(word).password for word in value.split()):
            raise RefusedError(
                f"{name} holds a password, which would be readable in the pushed image's history.",
                hint=Hint(
                    f"flashsale up --build-arg {name}=URL", "with an index without a password"
                ),
            )


def _without_password(value: str) -> str:
    parts = urlsplit(value)
    return value if not parts.password else value.replace(f":{parts.password}@", ":***@")


def _json(path: Path) -> Mapping[str, object]:
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}  # Docker works without the file, and says itself what is wrong with a broken one
    return document if isinstance(document, dict) else {}
