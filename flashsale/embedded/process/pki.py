"""Certificates for mutual TLS: one authority, one server, one client, in files only we can read.

kubectl sends no bearer token over plain HTTP, and an API that starts processes must not be open to
other users of the machine or to a web page: so both sides show a certificate.
"""

from __future__ import annotations

import base64
import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

from flashsale.base.files import put_aside, replace_file

VALID = timedelta(days=3650)
SKEW = timedelta(minutes=5)  # clocks that are set back a little must not lock us out


@dataclass(frozen=True, slots=True)
class Pki:
    """The folder with the certificates."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "ca.crt"

    def is_whole(self) -> bool:
        """Whether all files are there and can be used: each may have been cut or spoiled."""
        try:
            self.server_context().load_cert_chain(self.folder / "client.pem")
            return bool(self.authority.read_text())
        except (OSError, ValueError):  # an error of TLS is one of these
            return False

    def server_context(self) -> ssl.SSLContext:
        """TLS for the API server, which asks clients for a certificate.

        ``apiserver.authentication`` refuses those without one, in words that they can read.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.authority)
        context.load_cert_chain(self.folder / "server.pem")
        context.verify_mode = ssl.CERT_OPTIONAL
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.num_tickets = 0  # a third of a handshake's time, and no client resumes a session
        return context

    def create(self) -> None:
        """Make a new authority and new certificates; takes some milliseconds (P-256)."""
        from cryptography.hazmat.primitives.asymmetric import ec

        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _certificate("flashsale embedded CA", authority_key, None, authority_key)
        self._write("ca.crt", _pem(authority))
        for name, subject, group in (
            ("server.pem", "flashsale-apiserver", ""),
            ("client.pem", "flashsale-admin", "system:masters"),
        ):
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _certificate(subject, key, authority, authority_key, group)
            self._write(name, _pem(certificate) + _key_pem(key))

    def _write(self, name: str, content: bytes) -> None:
        put_aside(self.folder / name)
        replace_file(self.folder / name, content)

    def kubeconfig(self, server: str, context: str) -> str:
        """Write a kubeconfig with everything in it, so that the file works from anywhere."""
        client = (self.folder / "client.pem").read_bytes()
        marker = b"-----BEGIN PRIVATE KEY-----"
        certificate, _, key = client.partition(marker)
        cluster = {
            "server": server,
            "certificate-authority-data": _base64(self.authority.read_bytes()),
        }
        user = {
            "client-certificate-data": _base64(certificate),
            "client-key-data": _base64(marker + key),
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": context, "user": user}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            "current-context": context,
        }
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the C one is ten times as fast
        return str(yaml.dump(config, Dumper=dumper, sort_keys=False))


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    group: str = "",
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, subject)]
    if group:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    name = x509.Name(attributes)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if issuer is None:
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = builder.add_extension(usage, critical=True)
    else:
        kind = ExtendedKeyUsageOID.CLIENT_AUTH if group else ExtendedKeyUsageOID.SERVER_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([kind]), critical=False)
    if issuer is not None and not group:
        names = [
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.DNSName("localhost"),
            x509.DNSName("kubernetes.default.svc"),
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
