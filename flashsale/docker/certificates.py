"""Until when the certificates in a DOCKER_CERT_PATH are good."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path


def expired(folder: Path) -> dict[str, datetime]:
    """Give those of our own files whose time is over, and since when; unreadable ones pass.

    In TLS 1.3 a daemon finds fault with our certificate only after the handshake: often all that
    arrives here is a closed connection, so the reason has to be looked up.
    """
    from cryptography import x509

    found = {}
    for name in ("ca.pem", "cert.pem"):
        try:
            certificate = x509.load_pem_x509_certificate((folder / name).read_bytes())
        except (OSError, ValueError):
            continue
        if certificate.not_valid_after_utc < datetime.now(UTC):
            found[name] = certificate.not_valid_after_utc
    return found
