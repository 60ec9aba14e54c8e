"""Orders that Kubernetes takes from hashes of Go structs (FNV-1a, 128 bits, of their printed form).

Nobody reads them as an order, but it is the one in which ports of a Service are printed.
"""

from __future__ import annotations

OFFSET = 0x6C62272E07BB014262B821756295C58D
PRIME = 0x13B + (1 << 88)
HashedPort = tuple[str, int, str, str | None]  # name, number, protocol, application's protocol


def fnv128a(text: str) -> int:
    value = OFFSET
    for byte in text.encode():
        value = (value ^ byte) * PRIME % (1 << 128)
    return value


def of_slice(port: HashedPort) -> int:
    """Return the hash of an EndpointSlice's port (portsInOrder of k8s.io/endpointslice)."""
    name, number, protocol, application = port
    return fnv128a(
        f"(v1.EndpointPort){{Name:(*string){name} Protocol:(*v1.Protocol){protocol} "
        f"Port:(*int32){number} AppProtocol:{_pointer(application)}}}"
    )


def of_endpoints(port: HashedPort) -> int:
    """Return the hash of a port of v1 Endpoints (portsByHash in pkg/api/v1/endpoints)."""
    name, number, protocol, application = port
    return fnv128a(
        f"(v1.EndpointPort){{Name:(string){name} Port:(int32){number} "
        f"Protocol:(v1.Protocol){protocol} AppProtocol:{_pointer(application)}}}"
    )


def _pointer(text: str | None) -> str:
    return f"(*string){'<nil>' if text is None else text}"
