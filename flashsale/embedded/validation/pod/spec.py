"""Rules for pods and pod templates (ValidatePodSpec in validation.go)."""

from __future__ import annotations

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import PODS
from flashsale.embedded.validation.field_checks import (
    Errors,
    choice,
    each,
    invalid,
    optional_choice,
    optional_text,
)
from flashsale.embedded.validation.metadata import (
    validate_annotations,
    validate_labels,
    validate_metadata,
    validate_pod_annotations,
)
from flashsale.embedded.validation.pod.containers import (
    validate_containers,
    validate_ephemeral_containers,
    validate_image,
    validate_init_containers,
)
from flashsale.embedded.validation.pod.requests_and_limits import validate_resources
from flashsale.embedded.validation.pod.scheduling import (
    validate_affinity,
    validate_gates,
    validate_spreading,
    validate_tolerations,
)
from flashsale.embedded.validation.pod.security_context import validate_pod_security
from flashsale.embedded.validation.pod.volumes import validate_volumes
from flashsale.objects.models import Object

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PREEMPTION_POLICIES = ("Never", "PreemptLowerPriority")
MIRROR = "kubernetes.io/config.mirror"
SYSTEMS = ("linux", "windows")
INT32 = (1 << 31) - 1
LONGEST_HOSTNAME = 64
MOST_NAMESERVERS, MOST_SEARCHES, LONGEST_SEARCH = 3, 32, 2048


def validate_pod(pod: Object) -> Errors:
    spec = pod.get("spec") or {}
    yield from validate_metadata(PODS, pod)
    yield from validate_pod_body(pod)
    if spec.get("ephemeralContainers"):
        yield FieldError.forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        why = "cannot be set until all schedulingGates have been cleared"
        yield FieldError.forbidden("spec.nodeName", why)


def validate_pod_body(pod: Object) -> Errors:
    """Check everything of a pod but the metadata that all kinds have."""
    annotations, spec = (pod.get("metadata") or {}).get("annotations") or {}, pod.get("spec") or {}
    yield from validate_pod_annotations(annotations, "metadata.annotations")
    mirror = annotations.get(MIRROR)  # which only a kubelet sets
    if mirror is not None and not spec.get("nodeName"):
        why = "must set spec.nodeName if mirror pod annotation is set"
        yield FieldError.invalid(f"metadata.annotations[{MIRROR}]", mirror, why)
    yield from validate_pod_spec(spec, "spec")
    for key in ("containers", "initContainers"):
        for at, container in each(spec, key, "spec"):
            yield from validate_image(container.get("image") or "", f"{at}.image")


def validate_template(template: Object, field: str) -> Errors:
    """Check a pod template. Kubernetes says `template.labels` where `metadata` is in between."""
    meta = template.get("metadata") or {}
    yield from validate_labels(meta.get("labels"), f"{field}.labels")
    yield from validate_annotations(meta.get("annotations"), f"{field}.annotations")
    yield from validate_pod_annotations(meta.get("annotations"), f"{field}.annotations")
    yield from validate_pod_spec(template.get("spec") or {}, f"{field}.spec")


def validate_pod_spec(spec: Object, field: str) -> Errors:
    """Check what pods and templates have in common."""
    grace = max(spec.get("terminationGracePeriodSeconds") or 0, 0)
    errors, volumes = validate_volumes(spec, field)
    yield from errors
    yield from validate_containers(spec, field, grace, volumes)
    yield from validate_init_containers(spec, field, grace, volumes)
    yield from validate_ephemeral_containers(spec, field)
    if (resources := spec.get("resources")) is not None:
        if resources.get("claims") is not None:
            why = "claims may not be set for Resources at pod-level"
            yield FieldError.forbidden(f"{field}.resources.claims", why)
        yield from validate_resources(resources, f"{field}.resources", of_pod=True)
    yield from _host_ports(spec, field)
    yield from choice(spec.get("restartPolicy"), f"{field}.restartPolicy", RESTART_POLICIES)
    yield from choice(spec.get("dnsPolicy"), f"{field}.dnsPolicy", DNS_POLICIES)
    yield from validate_labels(spec.get("nodeSelector"), f"{field}.nodeSelector")
    yield from validate_pod_security(spec.get("securityContext") or {}, f"{field}.securityContext")
    yield from validate_affinity(spec.get("affinity") or {}, f"{field}.affinity")
    yield from _dns(spec, f"{field}.dnsConfig")
    yield from validate_gates(spec, field)
    yield from validate_spreading(spec, field)
    yield from _names(spec, field)
    yield from validate_tolerations(spec, field)
    yield from _rest(spec, field)
    yield from _file_keys(spec, field)


def _file_keys(spec: Object, field: str) -> Errors:
    """Check that variables come from files of an emptyDir of the pod."""
    sources = {volume.get("name"): volume for volume in spec.get("volumes") or []}
    for kind in ("initContainers", "containers"):
        for place, container in each(spec, kind, field):
            for where, variable in each(container, "env", place):
                key = (variable.get("valueFrom") or {}).get("fileKeyRef")
                if key is None:
                    continue
                name, at = key.get("volumeName") or "", f"{where}.valueFrom.fileKeyRef.volumeName"
                if name not in sources:
                    yield FieldError.not_found(at, name)
                elif sources[name].get("emptyDir") is None:
                    yield FieldError.invalid(at, name, "referenced volume must be of type emptyDir")


def _host_ports(spec: Object, field: str) -> Errors:
    for place, container in each(spec, "containers", field):
        for at, port in each(container, "ports", place):
            number = port.get("hostPort")
            if spec.get("hostNetwork") and number and number != port.get("containerPort"):
                why = "must match `containerPort` when `hostNetwork` is true"
                yield FieldError.invalid(f"{at}.hostPort", number, why)


def _dns(spec: Object, at: str) -> Errors:
    """Check where names are looked up."""
    given = spec.get("dnsConfig")
    config: Object = given or {}
    servers = config.get("nameservers") or []
    if spec.get("dnsPolicy") == "None" and given is None:
        yield FieldError.required(at, "must provide `dnsConfig` when `dnsPolicy` is None")
    elif spec.get("dnsPolicy") == "None" and not servers:
        why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield FieldError.required(f"{at}.nameservers", why)
    else:
        if len(servers) > MOST_NAMESERVERS:
            why = f"must not have more than {MOST_NAMESERVERS} nameservers"
            yield FieldError.invalid(f"{at}.nameservers", servers, why)
        for place, address in each(config, "nameservers", at):
            yield from invalid(place, address, texts.ip_address(address))
        yield from _searches(config.get("searches") or [], f"{at}.searches")
        for place, option in each(config, "options", at):
            if not option.get("name"):
                yield FieldError.required(place, "must not be empty")


def _searches(searches: list[str], at: str) -> Errors:
    if len(searches) > MOST_SEARCHES:
        why = f"must not have more than {MOST_SEARCHES} search paths"
        yield FieldError.invalid(at, searches, why)
    if len(" ".join(searches)) > LONGEST_SEARCH:
        why = (
            f"must not have more than {LONGEST_SEARCH} characters (including spaces) "
            "in the search list"
        )
        yield FieldError.invalid(at, searches, why)
    for index, search in enumerate(searches):
        name = search.removesuffix(".")
        yield from invalid(f"{at}[{index}]", name, texts.search_path(name) if search != "." else ())


def _names(spec: Object, field: str) -> Errors:
    """Check single fields with names, and the deadline that stands among them."""
    for key in ("serviceAccountName", "nodeName"):
        yield from optional_text(spec.get(key), f"{field}.{key}", texts.dns_subdomain)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= INT32:
        why = f"must be between 1 and {INT32}, inclusive"
        yield FieldError.invalid(f"{field}.activeDeadlineSeconds", deadline, why)
    for key in ("hostname", "subdomain"):
        yield from optional_text(spec.get(key), f"{field}.{key}", texts.dns_label)
    if (name := spec.get("hostnameOverride")) is not None:
        at = f"{field}.hostnameOverride"
        yield from invalid(at, name, texts.dns_subdomain(name))
        if len(name) > LONGEST_HOSTNAME:
            yield FieldError.too_long(at, LONGEST_HOSTNAME)


def _rest(spec: Object, field: str) -> Errors:
    """Check what Kubernetes looks at last."""
    for at, alias in each(spec, "hostAliases", field):
        address = alias.get("ip") or ""
        yield from invalid(f"{at}.ip", address, texts.ip_address(address))
        for place, name in each(alias, "hostnames", at):
            yield from invalid(place, name, texts.dns_subdomain(name))
    for key in ("priorityClassName", "runtimeClassName"):
        yield from optional_text(spec.get(key), f"{field}.{key}", texts.dns_subdomain)
    policy, system = spec.get("preemptionPolicy") or None, spec.get("os")
    yield from optional_choice(policy, f"{field}.preemptionPolicy", PREEMPTION_POLICIES)
    if spec.get("overhead") is not None:
        yield from validate_resources({"limits": spec["overhead"]}, f"{field}.overhead")
    if system is not None and not system.get("name"):
        yield FieldError.required(f"{field}.os.name")
    elif system is not None:
        yield from optional_choice(system["name"], f"{field}.os", SYSTEMS)
