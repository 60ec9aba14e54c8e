"""What is remembered of the open sale: where it is, and what its objects are called. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_args

from flashsale.clusters.base import ClusterKind, Image

FORMAT = 1
REPLICASET, SERVICE = "flashsale-rs", "flashsale-svc"  # as the exercise names them
FLAGS = ("allow_remote", "applied")
LISTS = ("former_names", "image_aliases")  # of words; all other values are words


class ForeignFormatError(ValueError):
    """Another version of flashsale wrote the record."""


@dataclass(frozen=True, slots=True)
class SaleRecord:
    """Where the sale is, and what its objects are called."""

    kind: ClusterKind
    context: str  # of the kubeconfig
    profile: str = "minikube"  # counts for minikube only
    namespace: str = "default"
    replicaset: str = REPLICASET
    service: str = SERVICE
    allow_remote: bool = False  # somebody insisted, at `up`
    applied: bool = True  # objects of these names; else only a cluster was started
    image: str = ""  # id of the image that `up` made last
    image_aliases: tuple[str, ...] = ()  # how the nodes call that one, where they use other ids
    folder: str = ""  # whose app and manifest `up` took last, absolute; empty for the packaged ones
    former_names: tuple[str, ...] = ()  # what earlier manifests called its objects, still there

    @property
    def place(self) -> tuple[str, str, str]:
        """Where the sale is; another place is another sale."""
        return self.kind, self.context, self.namespace

    def with_image(self, image: Image) -> SaleRecord:
        """Note how the nodes call an image."""
        return replace(self, image=image.id, image_aliases=tuple(image.others))

    def recognised(self, image: Image) -> Image:
        """Give an image all names that the nodes are known to have for it."""
        more = self.image_aliases if image.id and image.id == self.image else ()
        return replace(image, others=tuple(dict.fromkeys([*image.others, *more])))


def to_json(record: SaleRecord) -> dict[str, Any]:
    return {"format": FORMAT, **asdict(record)}


def parse_record(document: Any) -> SaleRecord:
    """Read the record's JSON, known keys alone; ForeignFormatError, or ValueError for nonsense."""
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    if "format" not in document:
        raise ValueError("it names no format")
    if document.get("format") != FORMAT:
        raise ForeignFormatError(
            f"another version of flashsale wrote it (format {document.get('format')}, not {FORMAT})"
        )
    known = {field.name for field in fields(SaleRecord)}
    values = {key: _checked(key, value) for key, value in document.items() if key in known}
    if "context" not in values:
        raise ValueError("it names no context")
    if values.get("kind") not in get_args(ClusterKind):
        raise ValueError(f"there is no kind of cluster called {values.get('kind')!r}")
    return SaleRecord(**values)


def _checked(key: str, value: Any) -> Any:
    if key in LISTS and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if key in LISTS or not isinstance(value, bool if key in FLAGS else str):
        raise ValueError(f"'{key}' cannot be {value!r}")
    return value
