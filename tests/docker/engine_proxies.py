"""A Docker engine as minikube shows its own: over TCP on loopback, with TLS both ways.

The engine is whatever is there; a small relay in front of its socket adds the TLS. So certificates
can be expired, stale or missing in a test, without an engine of its own for each case.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SOCKETS = (Path("/var/run/docker.sock"), Path.home() / ".docker/run/docker.sock")


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect(str(self.path))


def engine_socket() -> Path | None:
    """Find the socket of an engine that answers."""
    named = os.environ.get("DOCKER_HOST", "")
    places = [Path(named.removeprefix("unix://"))] if named.startswith("unix://") else SOCKETS
    for place in places:
        if _answers(place):
            return place
    return None


def _answers(place: Path) -> bool:
    with contextlib.closing(_SocketConnection(place)) as connection:
        try:
            connection.request("GET", "/_ping")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA whose folder looks as DOCKER_CERT_PATH does: ca.pem, cert.pem, key.pem."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path, *, client_ends: timedelta = timedelta(days=1)) -> Authority:
        """Make a CA and a client's certificate, which a negative `client_ends` has expired."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        authority = cls(folder, key, _certificate("test CA", key, "test CA", key, ca=True))
        (folder / "ca.pem").write_bytes(_pem(authority.certificate))
        authority.issue("cert", "key", "client", ends=client_ends)
        return authority

    def issue(
        self, name: str, key_name: str, subject: str, *addresses: str, ends: timedelta
    ) -> None:
        """Write a certificate for a subject and its IP addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(subject, key, "test CA", self.key, addresses, ends=ends)
        (self.folder / f"{name}.pem").write_bytes(_pem(made))
        (self.folder / f"{key_name}.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )

    def server_context(
        self, address: str = "127.0.0.1", *, ends: timedelta = timedelta(days=1)
    ) -> ssl.SSLContext:
        """Make a server's side that asks for a client's certificate, as minikube's daemon does."""
        self.issue("server", "server-key", "server", address, ends=ends)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server-key.pem")
        context.load_verify_locations(self.folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        return context


@contextlib.contextmanager
def door(engine: Path, context: ssl.SSLContext) -> Iterator[int]:
    """Relay a port on loopback to the engine's socket; gives the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    relay = asyncio.run_coroutine_threadsafe(_listen(engine, context), loop).result(10)
    try:
        yield relay.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_close(relay), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _listen(engine: Path, context: ssl.SSLContext) -> asyncio.Server:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_unix_connection(str(engine))
            both = _pump(reader, inner_writer), _pump(inner_reader, writer)
            tasks = [asyncio.create_task(one) for one in both]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                inner_writer.transport.abort()
        finally:
            writer.transport.abort()  # a goodbye of TLS would outlive the test

    return await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()


async def _close(server: asyncio.Server) -> None:
    server.close()
    mine = asyncio.current_task()
    rest = [task for task in asyncio.all_tasks() if task is not mine]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for _ in range(10):  # aborted transports are closed in later turns of the loop
        await asyncio.sleep(0)


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    addresses: tuple[str, ...] = (),
    *,
    ca: bool = False,
    ends: timedelta = timedelta(days=1),
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + ends) - timedelta(days=1))
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        # As Go writes them into minikube's certificates; Python 3.13 insists.
        .add_extension(_key_id(key), critical=False)
        .add_extension(_authority(signer), critical=False)
    )
    if ca:
        builder = builder.add_extension(_signing_only(), critical=True)
    if addresses:
        names = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _key_id(key: ec.EllipticCurvePrivateKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key())


def _authority(signer: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())


def _signing_only() -> x509.KeyUsage:
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
    never = dict.fromkeys([*names.split(), "crl_sign", "encipher_only", "decipher_only"], False)
    return x509.KeyUsage(key_cert_sign=True, **never)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
