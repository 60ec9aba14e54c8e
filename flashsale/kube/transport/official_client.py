"""Requests by the official client's plain `ApiClient`: all of kubeconfig, with every plugin."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flashsale.base.addresses import is_loopback, is_private, url_host
from flashsale.base.errors import ClusterUnreachableError
from flashsale.kube.credentials import ContextEntry, check_context, plugin_failed
from flashsale.kube.kubeconfig import kubeconfig_files
from flashsale.kube.transport.transport import (
    PROGRAM,
    UNARY,
    LostError,
    Params,
    checked_as_kubectl_does,
)

if TYPE_CHECKING:
    import ssl

log = logging.getLogger(__name__)

# What the official loader raises over entries of an unforeseen shape.
SURPRISED = (AttributeError, KeyError, TypeError)


class ClientTransport:
    """One context through the official client."""

    def __init__(self, kubeconfig: Path | None, context: str) -> None:
        """Load the context and run its plugin; ClusterUnreachableError if it is unusable."""
        from kubernetes.client import ApiClient

        entry = check_context(kubeconfig, context)
        self._client: Any = ApiClient(_configuration(kubeconfig, entry))
        self._client.user_agent = PROGRAM
        self._fetching = threading.Lock()
        if not self.host.startswith("https://"):
            return
        pool = self._client.rest_client.pool_manager.connection_pool_kw
        try:
            pool["ssl_context"] = self.tls()  # urllib3 would make one of its own
        except (OSError, ValueError) as error:
            raise ClusterUnreachableError(
                f"The certificate and the key of the user '{entry.user_name}' do not go together:"
                f" {error}.",
                hint="kubectl config view",
            ) from error
        if not self._client.configuration.verify_ssl:
            _warn_once(context)

    @property
    def host(self) -> str:
        return str(self._client.configuration.host)

    @property
    def proxy(self) -> str | None:
        """The proxy between us and the cluster; ambient ones are sorted out already."""
        from kubernetes.client.rest import should_bypass_proxies

        configuration = self._client.configuration
        proxy: str | None = configuration.proxy
        if proxy and should_bypass_proxies(self.host, configuration.no_proxy or ""):
            return None
        return proxy

    @property
    def server_name(self) -> str | None:
        """The kubeconfig's `tls-server-name`."""
        name: str | None = self._client.configuration.tls_server_name
        return name

    def headers(self) -> dict[str, str]:
        """Write the credentials that belong into headers.

        A token that is about to expire is fetched anew first, by the user's own program, which
        takes as long as it takes: several who ask at once share its answer.
        """
        headers: dict[str, str] = {}
        with self._fetching:
            self._client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        return headers

    def tls(self) -> ssl.SSLContext:
        """Make the TLS context that the official client would use."""
        import ssl

        configuration = self._client.configuration
        context = ssl.create_default_context(
            cafile=configuration.ssl_ca_cert, cadata=configuration.ca_cert_data
        )
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
        if not configuration.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return checked_as_kubectl_does(context)

    def call(
        self, method: str, path: str, query: Params, body: Any, content_type: str
    ) -> tuple[int, bytes]:
        import urllib3.exceptions
        from kubernetes.client.exceptions import ApiException

        headers = {"Accept": "application/json, */*"}
        if body is not None:
            headers["Content-Type"] = content_type
        request = self._client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*request, _request_timeout=UNARY)
            return int(response.status), bytes(response.read())
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            raise LostError from error

    def close(self) -> None:
        self._client.close()
        self._client.rest_client.close()


@contextmanager
def _words_of_the_loader() -> Iterator[list[str]]:
    """Keep what the official loader logs where others raise: a program for the login that fails."""
    words: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        if record.module != "kube_config":
            return True
        words.append(record.getMessage())
        return False

    root = logging.getLogger()
    root.addFilter(keep)
    try:
        yield words
    finally:
        root.removeFilter(keep)


def _warn_once(context: str) -> None:
    """Say once what urllib3 would say at every request."""
    import warnings

    import urllib3.exceptions

    warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
    if context not in _warned:
        _warned.add(context)
        log.warning(
            "The certificate of '%s' is not checked (insecure-skip-tls-verify in the kubeconfig).",
            context,
        )


_warned: set[str] = set()


def _configuration(kubeconfig: Path | None, entry: ContextEntry) -> Any:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_kube_config

    # The official loader reads KUBECONFIG only once, when it is imported.
    files = os.pathsep.join(map(str, kubeconfig_files(kubeconfig)))
    configuration = Configuration()
    try:
        with _words_of_the_loader() as words:
            load_kube_config(
                config_file=files,
                context=entry.name,
                client_configuration=configuration,
                persist_config=False,
            )
    except (ConfigException, OSError, ValueError, *SURPRISED) as error:
        raise ClusterUnreachableError(
            f"The kubeconfig does not describe the context '{entry.name}': {error}",
            hint="kubectl config get-contexts",
        ) from error
    if entry.plugin and words:
        raise plugin_failed(entry, words[-1])
    configuration.retries = False  # urllib3 would try three times more, each with a warning
    if _beside_the_proxy(configuration.host, configuration.proxy):
        configuration.proxy = None
    return configuration


def _beside_the_proxy(host: str, proxy: str | None) -> bool:
    """Whether to leave out a proxy: on loopback always, on private networks if it is ambient.

    An ambient proxy (HTTPS_PROXY) cannot reach minikube's private network; one that the kubeconfig
    names with `proxy-url` is meant.
    """
    from urllib.request import getproxies

    address = url_host(host)
    ambient = proxy is not None and proxy in getproxies().values()
    return is_loopback(address) or (ambient and is_private(address))
