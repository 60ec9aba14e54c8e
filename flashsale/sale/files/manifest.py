"""The sale's YAML: one ReplicaSet and one Service, the shipped one or a learner's own.

What only the API server can judge is left to it. Checked here is what it would not see (a Service
that selects no pod), would not say well (a list, a binary file), or what the sale itself needs.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flashsale.base.errors import BadInputError, Hint
from flashsale.base.text import quoted
from flashsale.objects.fields import part, section
from flashsale.objects.models import Object, app_container
from flashsale.sale.files.yaml_reader import TEMPLATE, read_source, template_error, yaml_documents

FILE = "flashsale-replicaset.yaml"
ADDED = "# added:"  # marks each line of the shipped file that is not the exercise's own
VERSIONS = {"ReplicaSet": "apps/v1", "Service": "v1"}
REPLICASET = Hint("flashsale manifest", "prints a ReplicaSet, which the exercise is about")
POD_MAKERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicationController", "Pod", "Job")
AS_REPLICASET = "s/kind: Deployment/kind: ReplicaSet/"  # for sed
REPLICASET_FIELDS = {"replicas", "selector", "template", "minReadySeconds"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A checked manifest: the two objects, and the text they came from."""

    replicaset: Object
    service: Object
    source: str  # the file's name, for messages
    text: str

    @property
    def image(self) -> str:
        return str(app_container(_containers(self.replicaset)).get("image") or "")

    @property
    def namespace(self) -> str:
        """The namespace that either object names; empty if both leave that open."""
        return _namespace(self.replicaset) or _namespace(self.service)

    @property
    def name(self) -> str:
        return str(self.replicaset["metadata"]["name"])

    @property
    def service_name(self) -> str:
        return str(self.service["metadata"]["name"])


def shipped_text() -> str:
    """Return the manifest that `up` applies when there is no other."""
    import flashsale

    return (Path(flashsale.__file__).parent / "manifests" / FILE).read_text()


def as_taught(text: str) -> str:
    """Leave out what was added to the exercise's own manifest, and the remark about it."""
    kept = [line for line in text.splitlines() if ADDED not in line]
    return "\n".join(line for line in kept if not line.startswith("# ")) + "\n"


def shipped() -> Manifest:
    return parse_manifest(shipped_text(), FILE)


def read_manifest(file: Path) -> Manifest:
    """Read a learner's manifest and check it, as :func:`parse_manifest` does."""
    return parse_manifest(*read_source(file))


def parse_manifest(text: str, source: str) -> Manifest:
    """Read and check a manifest, its documents in any order; BadInputError names line or field."""
    by_kind: dict[str, Object] = {}
    objects = [*_objects(text, source)]
    has_replicaset = any(document.get("kind") == "ReplicaSet" for _, document in objects)
    for number, document in objects:
        kind = _kind(document, number, source)
        if kind not in VERSIONS:
            raise _other_kind(document, source, has_replicaset=has_replicaset)
        _check_head(document, source, text)
        if kind in by_kind:
            raise wrong(source, f"has two objects of kind {kind}; the sale is one of each")
        by_kind[kind] = document
    for kind in VERSIONS:
        if kind not in by_kind:
            raise wrong(source, f"has no {kind}; the sale is one ReplicaSet and one Service")
    manifest = Manifest(by_kind["ReplicaSet"], by_kind["Service"], source, text)
    _check_replicaset(manifest)
    _check_service(manifest)
    return manifest


def _objects(text: str, source: str) -> Iterator[tuple[int, Object]]:
    """Yield the objects of a text, those of a List as well, with the number of their document."""
    for number, document in yaml_documents(text, source):
        items = document.get("items")
        if (document.get("apiVersion"), document.get("kind")) == ("v1", "List") and items:
            if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
                raise wrong(source, f"has a List whose items are no objects (document {number})")
            yield from ((number, each) for each in items)
        else:
            yield number, document


def with_image(manifest: Manifest, image: str) -> Manifest:
    """Return the manifest with another image for the app's containers.

    One that only sets the app up, or works beside it, runs the same image.
    """
    replicaset = copy.deepcopy(manifest.replicaset)
    spec = replicaset["spec"]["template"]["spec"]
    for container in [*(spec.get("initContainers") or ()), *_containers(replicaset)]:
        if isinstance(container, dict) and container.get("image") == manifest.image:
            container["image"] = image
    return replace(manifest, replicaset=replicaset)


def for_server(manifest: Manifest, minor: int) -> Manifest:
    """Write `preStop.sleep` as a command for servers older than 1.30, which do not know it."""
    if minor >= 30:
        return manifest
    replicaset = copy.deepcopy(manifest.replicaset)
    for container in _containers(replicaset):
        hook = part(container, "lifecycle", "preStop")
        seconds = part(hook, "sleep", "seconds")
        if seconds is not None:
            del hook["sleep"]
            hook["exec"] = {"command": ["sleep", str(seconds)]}
    return replace(manifest, replicaset=replicaset)


def wrong(source: str, what: str, hint: str = "flashsale manifest") -> BadInputError:
    """Say what is wrong with a file."""
    return BadInputError(f"{source} {what}.", hint=hint)


def _kind(document: Object, number: int, source: str) -> str:
    kind, version = document.get("kind"), document.get("apiVersion")
    if not kind and "services" in document:
        raise wrong(source, "is a file for Docker Compose, not for Kubernetes")
    if kind == "Kustomization":
        folder = Path(source).parent
        hint = Hint(f"kubectl kustomize {quoted(folder)} | flashsale up --manifest -")
        raise wrong(source, "is for kustomize, and no manifest itself", hint)
    if not kind or not version:
        raise wrong(source, f"says no kind or apiVersion in document {number}")
    names = {name: known for known in VERSIONS for name in (known.lower(), f"{known.lower()}s")}
    meant = names.get(str(kind).lower(), "")
    if meant and meant != kind:
        mended = _sed(f"kind: {kind}", meant, source)
        raise wrong(source, f"says kind: {kind}; it is {meant}", mended)
    return str(kind)


def _other_kind(document: Object, source: str, *, has_replicaset: bool) -> BadInputError:
    """Say what to do about an object that is no part of a sale."""
    kind = str(document["kind"])
    if has_replicaset or kind not in POD_MAKERS:
        hint = Hint(
            words=f"put the {kind} into a file of its own, for kubectl apply -f, and keep the"
            " ReplicaSet and the Service in this one"
        )
    elif kind == "Deployment" and is_nearly_replicaset(document) and source != "stdin":
        hint = Hint(f"sed -i.bak '{AS_REPLICASET}' {quoted(source)}", "then the same again")
    else:
        hint = REPLICASET
    article = "an" if kind[0] in "AEIOU" else "a"
    return wrong(source, f"has {article} {kind}; the sale is one ReplicaSet and one Service", hint)


def _check_head(document: Object, source: str, text: str) -> None:
    kind, version, metadata = document["kind"], document["apiVersion"], document.get("metadata")
    if version != VERSIONS[kind]:
        raise wrong(
            source,
            f"says apiVersion {version} for its {kind}; it is {VERSIONS[kind]}",
            _version_hint(kind, version, source, text),
        )
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str):
        why = "metadata.name is missing" if name is None else f"{name!r} is not text: quote it"
        raise wrong(source, f"gives its {kind} no name: {why}")
    if template := TEMPLATE.search(name):
        raise template_error(source, f"metadata.name is {template[0]}")
    if not isinstance(document.get("spec"), dict):
        raise wrong(source, f"gives its {kind} no spec")


def _version_hint(kind: str, version: str, source: str, text: str) -> Hint | str:
    """Write the command that mends the apiVersion of one object, and of no other."""
    if source == "stdin" or f"apiVersion: {version}\nkind: {kind}\n" not in text:
        return "flashsale manifest"
    change = f"s|{version}|{VERSIONS[kind]}|"
    mended = rf"\|^apiVersion: {version}|{{N;/kind: {kind}$/{change};}}"
    return Hint(f"sed -i.bak {quoted(mended)} {quoted(source)}", "then the same again")


def _sed(field: str, value: str, source: str) -> Hint | str:
    """Write the command that gives a field of a file another value."""
    if source == "stdin":
        return "flashsale manifest"
    change = f"s|{field}|{field.partition(':')[0]}: {value}|"
    return Hint(f"sed -i.bak {quoted(change)} {quoted(source)}", "then the same again")


def is_nearly_replicaset(deployment: Object) -> bool:
    """Whether another kind makes a ReplicaSet of a Deployment: no field is the Deployment's own."""
    spec = deployment.get("spec")
    return isinstance(spec, dict) and set(spec) <= REPLICASET_FIELDS


def _check_replicaset(manifest: Manifest) -> None:
    containers = part(manifest.replicaset, "spec", "template", "spec", "containers")
    if not isinstance(containers, list) or not containers:
        raise wrong(manifest.source, "has no spec.template.spec.containers in its ReplicaSet")
    if not all(isinstance(container, dict) for container in containers):
        raise wrong(manifest.source, "has something else than containers in spec.containers")
    if not isinstance(app_container(containers).get("image"), str):
        raise wrong(manifest.source, "gives its container no image")
    replicas = manifest.replicaset["spec"].get("replicas")
    if replicas is not None and (type(replicas) is not int or replicas < 0):
        say = json.dumps(replicas)[:40]
        raise wrong(manifest.source, f"says replicas: {say}; it takes a whole number, 0 or more")
    selector = section(manifest.replicaset, "spec", "selector")
    wanted = selector.get("matchLabels") or {}
    if not selector:
        raise wrong(manifest.source, "gives its ReplicaSet no spec.selector")
    _same_labels(manifest, "the ReplicaSet's selector", wanted)


def _check_service(manifest: Manifest) -> None:
    """A Service whose selector finds no pod is accepted by every API server, and refuses buyers."""
    selector = manifest.service["spec"].get("selector")
    if (own := _namespace(manifest.service)) and own != manifest.namespace:
        raise wrong(
            manifest.source,
            f"has its Service in the namespace {own} and its ReplicaSet in {manifest.namespace}:"
            " a Service finds pods of its own namespace alone",
        )
    if not isinstance(selector, dict) or not selector:
        raise wrong(manifest.source, "gives its Service no spec.selector: it would find no pod")
    _same_labels(manifest, "the Service's selector", selector)


def _namespace(thing: Object) -> str:
    return str(thing["metadata"].get("namespace") or "")


def _same_labels(manifest: Manifest, who: str, wanted: Any) -> None:
    labels = part(manifest.replicaset, "spec", "template", "metadata", "labels") or {}
    if not isinstance(wanted, dict) or not isinstance(labels, dict):
        raise wrong(manifest.source, "has labels that are not a mapping of names to values")
    missing = {key: value for key, value in wanted.items() if labels.get(key) != value}
    if missing:
        raise wrong(
            manifest.source,
            f"does not fit together: {who} asks for {_label_list(missing)},"
            f" but the pods are labelled {_label_list(labels)}",
            "make spec.template.metadata.labels and the selectors equal",
        )


def _label_list(labels: dict[str, Any]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items()) or "with nothing"


def _containers(replicaset: Object) -> list[Object]:
    containers: list[Object] = replicaset["spec"]["template"]["spec"]["containers"]
    return containers
