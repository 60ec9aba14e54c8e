"""Files of one volume that lie in each other's way (pkg/api/pod/warnings.go)."""

from __future__ import annotations

from collections.abc import Iterator

from flashsale.embedded.types.golang.go_text import quote
from flashsale.objects.models import Object

NAMED = (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"))
DOWNWARD = "DownwardAPI"


def volume_warnings(volumes: list[Object]) -> Iterator[str]:
    """Say which volumes hold nothing, or files that hide others."""
    for volume in volumes:
        name = quote(volume.get("name") or "")
        for kind, word, key in NAMED:
            source = volume.get(kind) or {}
            what = f"{word} {quote(source.get(key) or '')}"
            yield from _overlaps(f"{name} ({what})", [(path, "") for path in _paths(source)])
        plain = [(path, "") for path in _paths(volume.get("downwardAPI") or {})]
        yield from _overlaps(f"{name} ({DOWNWARD})", plain)
        warnings: list[tuple[str, str]] = []
        for source in (volume.get("projected") or {}).get("sources") or []:
            if not source:
                yield f"volume {name} (Projected) has no sources provided"
            warnings += _projected(source)
        yield from _overlaps(f"{name} (Projected)", warnings)


def _projected(source: Object) -> list[tuple[str, str]]:
    for kind, word, _ in NAMED:
        if part := source.get(kind):
            return [(path, f"{word} {quote(part.get('name') or '')}") for path in _paths(part)]
    if token := source.get("serviceAccountToken"):
        return [(token.get("path") or "", "ServiceAccountToken")]
    return [(path, DOWNWARD) for path in _paths(source.get("downwardAPI") or {})]


def _paths(source: Object) -> list[str]:
    return [item.get("path") or "" for item in source.get("items") or []]


def _overlaps(volume: str, files: list[tuple[str, str]]) -> Iterator[str]:
    """Compare each file with all before it; a file is its path and what it comes from."""
    known: list[tuple[str, str]] = []
    for path, origin in ((path.rstrip("/"), origin) for path, origin in files):
        for other, where in known:
            first, two = f"{path}/", f"{other}/"
            if path and other and (first.startswith(two) or two.startswith(first)):
                shown = f"{_shown(path, origin)} with {_shown(other, where)}"
                yield f"volume {volume}: overlapping paths: {shown}"
        known.append((path, origin))


def _shown(path: str, origin: str) -> str:
    return f"{quote(path)} ({origin})" if origin else quote(path)
