"""How answers look: JSON, YAML, server-side tables, metadata alone, Status errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from flashsale.embedded.apiserver.handlers import yaml_body
from flashsale.embedded.printers import tables
from flashsale.embedded.printers.tables import Include
from flashsale.embedded.storage.store import encode_object
from flashsale.embedded.types.api_errors import StatusError, bad_request
from flashsale.embedded.types.resources import Resource
from flashsale.objects.models import Object

JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
REPRESENTATIONS = (JSON, YAML, PROTOBUF)
STREAMS = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
META_VERSIONS = ("v1", "v1beta1")
BROWSERS = ("curl", "Wget", "Mozilla/5.0")  # people read what these show
Form = Literal["", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form a client asked for."""

    form: Form = ""
    version: str = "v1"  # of meta.k8s.io
    yaml: bool = False
    pretty: bool = False
    include: Include = "Metadata"

    @property
    def table(self) -> bool:
        """Whether the server is to print."""
        return self.form == "Table"

    @property
    def metadata_only(self) -> bool:
        """Whether everything but the metadata is to be left out."""
        return self.form.startswith("PartialObjectMetadata")

    def print(
        self,
        resource: Resource,
        objects: Sequence[Object],
        *,
        now: float,
        revision: str,
        headers: bool = True,
    ) -> Object:
        """Make the table that was asked for."""
        return tables.print_table(
            resource,
            objects,
            now=now,
            revision=revision,
            include=self.include,
            headers=headers,
            version=self.version,
        )

    def check(self, resource: Resource, *, is_list: bool) -> None:
        """Refuse a form that only lists, or only single objects, have.

        Raises:
            StatusError: 406.
        """
        if self.metadata_only and is_list != (self.form == "PartialObjectMetadataList"):
            kind = f"*{resource.group.partition('.')[0] or 'core'}.{resource.kind}"
            kind_sent = f"a list ({kind}List)" if is_list else f"not a list ({kind})"
            raise not_acceptable(
                f"you requested {self.form}, but the requested object is {kind_sent}"
            )


def is_known_form(parameters: Mapping[str, str]) -> bool:
    """Whether a form can be had: none at all, or one of meta.k8s.io in a version that is served."""
    form = parameters.get("as", "")
    if not form:
        return True
    known = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
    here = parameters.get("g") == "meta.k8s.io" and parameters.get("v") in META_VERSIONS
    return form in known and here


def wanted(
    request: web.BaseRequest,
    *,
    streams: bool = False,
    kinds: Sequence[str] = REPRESENTATIONS,
    suits: Callable[[Mapping[str, str]], bool] = is_known_form,
) -> Wanted:
    """Choose from Accept the first form that is spoken here.

    Args:
        kinds: the media types that are spoken at all.
        suits: says whether an answer can be had with these parameters.

    Raises:
        StatusError: 406.
    """
    choices = _choices(request)
    if not any(kind in ("*/*", *kinds) for kind, _ in choices):
        known = ", ".join((*kinds, *(STREAMS if streams else ())))
        text = f"406: Not Acceptable\n\nAvailable representations: {known}"
        raise StatusError(406, "NotAcceptable", text, {})
    for kind, parameters in choices:
        if kind in ("*/*", JSON, YAML) and suits(parameters):
            return _form(request, parameters, yaml=kind == YAML)
    raise not_acceptable(
        f"only the following media types are accepted: {', '.join(REPRESENTATIONS)}"
    )


def not_acceptable(message: str) -> StatusError:
    return StatusError(406, "NotAcceptable", message)


def _choices(request: web.BaseRequest) -> list[tuple[str, dict[str, str]]]:
    """Read Accept: media types and their parameters, the most wanted first."""
    accept = request.headers.get("Accept") or "*/*"
    choices = [_clause(choice) for choice in accept.split(",")]
    return sorted(choices, key=lambda choice: -_weight(choice[1]))


def _clause(choice: str) -> tuple[str, dict[str, str]]:
    kind, *parameters = (part.strip() for part in choice.split(";"))
    return kind, dict(p.split("=", 1) for p in parameters if "=" in p)


def _weight(parameters: dict[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 1.0


def _form(request: web.BaseRequest, parameters: dict[str, str], *, yaml: bool) -> Wanted:
    include: Any = request.query.get("includeObject") or "Metadata"
    form: Any = parameters.get("as", "")
    if form == "Table" and include not in ("Metadata", "Object", "None"):
        raise bad_request(
            "Unable to convert to Table as requested: includeObject: Invalid value: "
            f"{json.dumps(include)}: must be 'Metadata', 'Object', 'None', or empty"
        )
    return Wanted(form, parameters.get("v", "v1"), yaml, _wants_pretty(request), include)


def _wants_pretty(request: web.BaseRequest) -> bool:
    wanted = request.query.get("pretty")
    if wanted is not None:
        return wanted.lower() not in ("false", "0")
    return request.headers.get("User-Agent", "").startswith(BROWSERS)


def answer(form: Wanted, thing: Object | bytes, status: int = 200) -> web.Response:
    """Send a document: an object, or one that is encoded as JSON already."""
    if not (form.yaml or form.pretty):
        return json_answer(thing, status)
    thing = json.loads(thing) if isinstance(thing, bytes) else thing
    if form.yaml:
        return web.Response(body=yaml_body.dump_yaml(thing), status=status, content_type=YAML)
    text = json.dumps(thing, indent=2, ensure_ascii=False)
    return web.Response(body=text.encode(), status=status, content_type=JSON)


def json_answer(thing: Object | bytes, status: int = 200) -> web.Response:
    body = thing if isinstance(thing, bytes) else encode_object(thing)
    return web.Response(body=body + b"\n", status=status, content_type=JSON)


def error_answer(request: web.BaseRequest, error: StatusError) -> web.Response:
    """Send a Status, in the form that was asked for if that is YAML."""
    choices = _choices(request)
    plain = [kind for kind, words in choices if kind in ("*/*", JSON, YAML) and "as" not in words]
    form = Wanted(yaml=plain[:1] == [YAML], pretty=_wants_pretty(request))
    response = answer(form, error.status(), error.code)
    if retry := (error.details or {}).get("retryAfterSeconds"):
        response.headers["Retry-After"] = str(retry)
    return response


def partial(thing: Object, version: str) -> Object:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": thing["metadata"],
    }


def object_answer(
    form: Wanted, resource: Resource, thing: Object, now: float, status: int = 200
) -> web.Response:
    """Send one object in the form that was asked for."""
    form.check(resource, is_list=False)
    if form.table and thing.get("kind") != "Status":
        revision = thing["metadata"].get("resourceVersion", "")
        return answer(form, form.print(resource, [thing], now=now, revision=revision), status)
    if form.metadata_only:
        return answer(form, partial(thing, form.version), status)
    return answer(form, thing, status)


def note_warning(request: web.BaseRequest, text: str) -> None:
    """Note a warning for whatever the answer will be, also a refusal."""
    noted: list[str] = request.setdefault("warnings", [])
    if text not in noted:
        noted.append(text)


def add_warnings(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Add what was noted to an answer; kubectl shows it on stderr (RFC 7234, code 299)."""
    for text in request.get("warnings", []):
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        safe = "".join(char for char in quoted if char.isprintable())
        response.headers.add("Warning", f'299 - "{safe}"')
