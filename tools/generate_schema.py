"""Write flashsale/embedded/types/schema.json from the official client's models.

Run it after the client's version changed: ``python tools/generate_schema.py``. The client's models
know names, required fields and descriptions, but a few things that Go's types say are lost in them
(int32 or int64, which strings are quantities, the package of a type). The tables below add those;
they come from staging/src/k8s.io/api/*/v1/types.go.

A field's ``type`` is ``string``, ``boolean``, ``int32``, ``int64``, ``quantity``, ``time``,
``microtime``, ``intorstring``, ``bytes``, ``any`` or ``@Type``; ``[]`` before it is a list of them,
``{}`` a map of string to them.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import kubernetes.client
from pydantic import BaseModel
from pydantic.fields import FieldInfo

TARGET = Path(__file__).parent.parent / "flashsale" / "embedded" / "types" / "schema.json"
ROOTS = {  # apiVersion/kind -> the client's class
    "v1/ConfigMap": "V1ConfigMap",
    "v1/Endpoints": "V1Endpoints",
    "v1/Event": "CoreV1Event",
    "v1/Namespace": "V1Namespace",
    "v1/Node": "V1Node",
    "v1/Pod": "V1Pod",
    "v1/Service": "V1Service",
    "v1/ServiceAccount": "V1ServiceAccount",
    "v1/Status": "V1Status",
    "v1/DeleteOptions": "V1DeleteOptions",
    "apps/v1/ReplicaSet": "V1ReplicaSet",
    "autoscaling/v1/Scale": "V1Scale",
    "coordination.k8s.io/v1/Lease": "V1Lease",
    "discovery.k8s.io/v1/EndpointSlice": "V1EndpointSlice",
}
WITHOUT_LIST = ("V1Status", "V1DeleteOptions", "V1Scale")
PACKAGES = {
    "meta": "Condition DeleteOptions LabelSelector LabelSelectorRequirement ListMeta"
    " ManagedFieldsEntry ObjectMeta OwnerReference Preconditions ShardInfo Status StatusCause"
    " StatusDetails",
    "apps": "ReplicaSet ReplicaSetCondition ReplicaSetList ReplicaSetSpec ReplicaSetStatus",
    "autoscaling": "Scale ScaleSpec ScaleStatus",
    "coordination": "Lease LeaseList LeaseSpec",
    "discovery": "Endpoint EndpointConditions EndpointHints EndpointSlice EndpointSliceList"
    " ForNode ForZone",
}
PACKAGE = {name: package for package, names in PACKAGES.items() for name in names.split()}
INT64 = {
    "ContainerImage.sizeBytes", "LinuxContainerUser.gid", "LinuxContainerUser.uid",
    "ListMeta.remainingItemCount", "NodeSwapStatus.capacity", "SleepAction.seconds",
    "activeDeadlineSeconds", "defaultUser", "deletionGracePeriodSeconds", "expirationSeconds",
    "fsGroup", "generation", "gracePeriodSeconds", "observedGeneration", "runAsGroup", "runAsUser",
    "supplementalGroups", "terminationGracePeriodSeconds", "tolerationSeconds", "user",
}  # fmt: skip
QUANTITY = {
    "NodeStatus.capacity", "allocatable", "allocatedResources", "divisor", "limits", "overhead",
    "perContainer", "perPod", "quantity", "requests", "sizeLimit",
}  # fmt: skip
MICROTIME = {"acquireTime", "eventTime", "lastObservedTime", "renewTime"}
GO_TYPES = {  # what Go calls the type where it is not the plain one; it shows in decoding errors
    "Container.imagePullPolicy": "v1.PullPolicy",
    "Container.restartPolicy": "v1.ContainerRestartPolicy",
    "Container.terminationMessagePolicy": "v1.TerminationMessagePolicy",
    "ContainerPort.protocol": "v1.Protocol",
    "DeleteOptions.propagationPolicy": "v1.DeletionPropagation",
    "EndpointPort.protocol": "v1.Protocol",
    "EndpointSlice.addressType": "v1.AddressType",
    "HTTPGetAction.scheme": "v1.URIScheme",
    "LabelSelectorRequirement.operator": "v1.LabelSelectorOperator",
    "NamespaceStatus.phase": "v1.NamespacePhase",
    "NodeAddress.type": "v1.NodeAddressType",
    "NodeCondition.type": "v1.NodeConditionType",
    "PodCondition.type": "v1.PodConditionType",
    "PodSpec.dnsPolicy": "v1.DNSPolicy",
    "PodSpec.preemptionPolicy": "v1.PreemptionPolicy",
    "PodSpec.restartPolicy": "v1.RestartPolicy",
    "PodStatus.phase": "v1.PodPhase",
    "PodStatus.qosClass": "v1.PodQOSClass",
    "ReplicaSetCondition.type": "v1.ReplicaSetConditionType",
    "ServicePort.protocol": "v1.Protocol",
    "ServiceSpec.externalTrafficPolicy": "v1.ServiceExternalTrafficPolicy",
    "ServiceSpec.internalTrafficPolicy": "v1.ServiceInternalTrafficPolicy",
    "ServiceSpec.ipFamilyPolicy": "v1.IPFamilyPolicy",
    "ServiceSpec.sessionAffinity": "v1.ServiceAffinity",
    "ServiceSpec.type": "v1.ServiceType",
    "Taint.effect": "v1.TaintEffect",
    "Toleration.effect": "v1.TaintEffect",
    "Toleration.operator": "v1.TolerationOperator",
    "NodeCondition.status": "v1.ConditionStatus",
    "PodCondition.status": "v1.ConditionStatus",
    "ReplicaSetCondition.status": "v1.ConditionStatus",
    "allocatable": "v1.ResourceList",
    "allocatedResources": "v1.ResourceList",
    "limits": "v1.ResourceList",
    "overhead": "v1.ResourceList",
    "requests": "v1.ResourceList",
    "uid": "types.UID",
}


def generate() -> dict[str, Any]:
    """Describe all kinds and every type that they use."""
    types: dict[str, Any] = {}
    kinds = {}
    for kind, name in ROOTS.items():
        kinds[kind] = _describe(_model(name), types)
        if name not in WITHOUT_LIST:
            kinds[kind + "List"] = _describe(_model(name + "List"), types)
    return {"client": version("kubernetes"), "kinds": kinds, "types": types}


def encoded() -> str:
    """The file's text: compact and sorted, so that a new client shows as a small difference."""
    return json.dumps(generate(), sort_keys=True, separators=(",", ":")) + "\n"


def _model(name: str) -> type[BaseModel]:
    model: type[BaseModel] = getattr(kubernetes.client, name)
    return model


def _describe(model: type[BaseModel], types: dict[str, Any]) -> str:
    """Add a model and what it refers to; returns the name that it goes by: `apps.ReplicaSet`."""
    package, go = _names(model)
    key = f"{package}.{go}"
    if key not in types:
        types[key] = {}  # claimed before its fields are walked, should a type contain itself
        fields = {f.serialization_alias or name: f for name, f in model.model_fields.items()}
        types[key] = {
            "description": inspect.cleandoc(model.__doc__ or "").partition("\n\nAttributes:")[0],
            "fields": {name: _field(go, name, field, types) for name, field in fields.items()},
            "required": sorted(name for name, field in fields.items() if field.is_required()),
        }
    return key


def _names(model: type[BaseModel]) -> tuple[str, str]:
    found = re.fullmatch(r"(Core|Discovery)?V1(\w+)", model.__name__)
    assert found, model.__name__
    go = found[2]
    return (found[1] or PACKAGE.get(go, "core")).lower(), go


def _field(owner: str, name: str, field: FieldInfo, types: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"type": _type(owner, name, field.annotation, types)}
    if field.description:
        described["description"] = field.description
    go = GO_TYPES.get(f"{owner}.{name}") or GO_TYPES.get(name)
    if f"{owner}.{name}" == "NodeStatus.capacity":
        go = "v1.ResourceList"
    if go:
        described["go"] = go
    return described


def _type(owner: str, name: str, annotation: Any, types: dict[str, Any]) -> str:
    arguments = [a for a in get_args(annotation) if a is not type(None)]
    origin = getattr(annotation, "__origin__", None)
    if origin is list:
        return "[]" + _type(owner, name, arguments[0], types)
    if f"{owner}.{name}" == "ManagedFieldsEntry.fieldsV1":
        return "any"  # a map by its model, raw JSON for Go
    if origin is dict:
        return "{}" + _type(owner, name, arguments[1], types)
    if {int, str} <= {_plain(a) for a in arguments}:
        return "intorstring"
    if arguments and not isinstance(annotation, type):  # Optional[X], Annotated[X, Strict]
        return _type(owner, name, arguments[0], types)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return "@" + _describe(annotation, types)
    return _scalar(f"{owner}.{name}", name, annotation)


def _plain(annotation: Any) -> Any:
    return getattr(annotation, "__origin__", annotation)


def _scalar(path: str, name: str, annotation: Any) -> str:
    if annotation is str:
        return "quantity" if {path, name} & QUANTITY else "string"
    if annotation is int:
        return "int64" if {path, name} & INT64 else "int32"
    if annotation is bool:
        return "boolean"
    word = getattr(annotation, "__name__", "")
    if word == "datetime":
        return "microtime" if name in MICROTIME else "time"
    if word == "bytes":
        return "bytes"
    assert annotation in (object, Any), (path, annotation)
    return "any"


if __name__ == "__main__":
    TARGET.write_text(encoded(), encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes", file=sys.stderr)
