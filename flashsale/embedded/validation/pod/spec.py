"""Rules for pods and pod templates (ValidatePodSpec in validation.go)."""

from __future__ import annotations

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import PODS
from flashsale.embedded.validation.field_checks import (
    choice,
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
    validate_images,
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


def validate_pod(pod: Object) -> list[FieldError]:
    """Check a new pod."""
    spec = pod.get("spec") or {}
    errors = validate_metadata(PODS, pod) + validate_pod_body(pod)
    if spec.get("ephemeralContainers"):
        errors.append(FieldError.forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        why = "cannot be set until all schedulingGates have been cleared"
        errors.append(FieldError.forbidden("spec.nodeName", why))
    return errors


def validate_pod_body(pod: Object) -> list[FieldError]:
    """Check everything of a pod but the metadata that all kinds have."""
    annotations, spec = (pod.get("metadata") or {}).get("annotations"), pod.get("spec") or {}
    errors = validate_pod_annotations(annotations, "metadata.annotations")
    errors += _mirrored(annotations or {}, spec)
    errors += validate_pod_spec(spec, "spec")
    for key in ("containers", "initContainers"):
        errors += validate_images(spec.get(key) or [], f"spec.{key}")
    return errors


def _mirrored(annotations: Object, spec: Object) -> list[FieldError]:
    """Check an annotation that only a kubelet sets."""
    mirror = annotations.get(MIRROR)
    if mirror is None or spec.get("nodeName"):
        return []
    why = "must set spec.nodeName if mirror pod annotation is set"
    return [FieldError.invalid(f"metadata.annotations[{MIRROR}]", mirror, why)]


def validate_template(template: Object, field: str) -> list[FieldError]:
    """Check a pod template. Kubernetes says `template.labels` where `metadata` is in between."""
    meta = template.get("metadata") or {}
    return (
        validate_labels(meta.get("labels"), f"{field}.labels")
        + validate_annotations(meta.get("annotations"), f"{field}.annotations")
        + validate_pod_annotations(meta.get("annotations"), f"{field}.annotations")
        + validate_pod_spec(template.get("spec") or {}, f"{field}.spec")
    )


def validate_pod_spec(spec: Object, field: str) -> list[FieldError]:
    """Check what pods and templates have in common."""
    grace = spec.get("terminationGracePeriodSeconds") or 0
    errors, volumes = validate_volumes(spec.get("volumes") or [], f"{field}.volumes")
    errors += validate_containers(
        spec.get("containers") or [], f"{field}.containers", max(grace, 0), volumes
    )
    errors += validate_init_containers(spec, f"{field}.initContainers", max(grace, 0), volumes)
    errors += validate_ephemeral_containers(spec, f"{field}.ephemeralContainers")
    if spec.get("resources") is not None:
        errors += _pod_resources(spec["resources"], f"{field}.resources")
    errors += _host_ports(spec, field)
    errors += choice(spec.get("restartPolicy"), f"{field}.restartPolicy", RESTART_POLICIES)
    errors += choice(spec.get("dnsPolicy"), f"{field}.dnsPolicy", DNS_POLICIES)
    errors += validate_labels(spec.get("nodeSelector"), f"{field}.nodeSelector")
    errors += validate_pod_security(spec.get("securityContext") or {}, f"{field}.securityContext")
    errors += validate_affinity(spec.get("affinity") or {}, f"{field}.affinity")
    errors += _dns(spec, f"{field}.dnsConfig")
    errors += validate_gates(spec, field)
    errors += validate_spreading(
        spec.get("topologySpreadConstraints") or [], f"{field}.topologySpreadConstraints"
    )
    errors += _names(spec, field)
    errors += validate_tolerations(spec.get("tolerations") or [], f"{field}.tolerations")
    errors += _rest(spec, field)
    return errors + _file_keys(spec, field)


def _file_keys(spec: Object, field: str) -> list[FieldError]:
    """Check that variables come from files of an emptyDir of the pod."""
    errors: list[FieldError] = []
    sources = {volume.get("name"): volume for volume in spec.get("volumes") or []}
    for kind in ("initContainers", "containers"):
        for place, container in enumerate(spec.get(kind) or []):
            for index, variable in enumerate(container.get("env") or []):
                key = (variable.get("valueFrom") or {}).get("fileKeyRef")
                if key is None:
                    continue
                name = key.get("volumeName") or ""
                at = f"{field}.{kind}[{place}].env[{index}].valueFrom.fileKeyRef.volumeName"
                if name not in sources:
                    errors.append(FieldError.not_found(at, name))
                elif sources[name].get("emptyDir") is None:
                    why = "referenced volume must be of type emptyDir"
                    errors.append(FieldError.invalid(at, name, why))
    return errors


def _host_ports(spec: Object, field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for place, container in enumerate(spec.get("containers") or []):
        for index, port in enumerate(container.get("ports") or []):
            number = port.get("hostPort") or 0
            if spec.get("hostNetwork") and number and number != port.get("containerPort"):
                at = f"{field}.containers[{place}].ports[{index}].hostPort"
                why = "must match `containerPort` when `hostNetwork` is true"
                errors.append(FieldError.invalid(at, number, why))
    return errors


def _pod_resources(resources: Object, at: str) -> list[FieldError]:
    """Check what a pod asks for as a whole."""
    errors: list[FieldError] = []
    if resources.get("claims") is not None:
        why = "claims may not be set for Resources at pod-level"
        errors.append(FieldError.forbidden(f"{at}.claims", why))
    return errors + validate_resources(resources, at, of_pod=True)


def _dns(spec: Object, at: str) -> list[FieldError]:
    """Check where names are looked up."""
    config = spec.get("dnsConfig")
    servers, searches = ((config or {}).get(key) or [] for key in ("nameservers", "searches"))
    if spec.get("dnsPolicy") == "None":
        if config is None:
            why = "must provide `dnsConfig` when `dnsPolicy` is None"
            return [FieldError.required(at, why)]
        if not servers:
            why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            return [FieldError.required(f"{at}.nameservers", why)]
    errors: list[FieldError] = []
    if len(servers) > MOST_NAMESERVERS:
        why = f"must not have more than {MOST_NAMESERVERS} nameservers"
        errors.append(FieldError.invalid(f"{at}.nameservers", servers, why))
    for index, address in enumerate(servers):
        errors += invalid(f"{at}.nameservers[{index}]", address, texts.ip_address(address))
    errors += _searches(searches, f"{at}.searches")
    for index, option in enumerate((config or {}).get("options") or []):
        if not option.get("name"):
            errors.append(FieldError.required(f"{at}.options[{index}]", "must not be empty"))
    return errors


def _searches(searches: list[str], at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if len(searches) > MOST_SEARCHES:
        why = f"must not have more than {MOST_SEARCHES} search paths"
        errors.append(FieldError.invalid(at, searches, why))
    if len(" ".join(searches)) > LONGEST_SEARCH:
        why = (
            f"must not have more than {LONGEST_SEARCH} characters (including spaces) "
            "in the search list"
        )
        errors.append(FieldError.invalid(at, searches, why))
    for index, search in enumerate(searches):
        name = search.removesuffix(".")
        wrong = [] if search == "." else texts.search_path(name)
        errors += invalid(f"{at}[{index}]", name, wrong)
    return errors


def _names(spec: Object, field: str) -> list[FieldError]:
    """Check single fields with names, and the deadline that stands among them."""
    errors = []
    for key in ("serviceAccountName", "nodeName"):
        errors += optional_text(spec.get(key), f"{field}.{key}", texts.dns_subdomain)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= INT32:
        why = f"must be between 1 and {INT32}, inclusive"
        errors.append(FieldError.invalid(f"{field}.activeDeadlineSeconds", deadline, why))
    for key in ("hostname", "subdomain"):
        errors += optional_text(spec.get(key), f"{field}.{key}", texts.dns_label)
    return errors + _hostname_override(spec, field)


def _hostname_override(spec: Object, field: str) -> list[FieldError]:
    name, at = spec.get("hostnameOverride"), f"{field}.hostnameOverride"
    if name is None:
        return []
    errors = invalid(at, name, texts.dns_subdomain(name))
    if len(name) > LONGEST_HOSTNAME:
        errors.append(FieldError.too_long(at, LONGEST_HOSTNAME))
    return errors


def _rest(spec: Object, field: str) -> list[FieldError]:
    """Check what Kubernetes looks at last."""
    errors: list[FieldError] = []
    for index, alias in enumerate(spec.get("hostAliases") or []):
        at, address = f"{field}.hostAliases[{index}]", alias.get("ip") or ""
        errors += invalid(f"{at}.ip", address, texts.ip_address(address))
        for number, name in enumerate(alias.get("hostnames") or []):
            errors += invalid(f"{at}.hostnames[{number}]", name, texts.dns_subdomain(name))
    for key in ("priorityClassName", "runtimeClassName"):
        errors += optional_text(spec.get(key), f"{field}.{key}", texts.dns_subdomain)
    policy, system = spec.get("preemptionPolicy"), spec.get("os")
    errors += optional_choice(policy or None, f"{field}.preemptionPolicy", PREEMPTION_POLICIES)
    if spec.get("overhead") is not None:
        errors += validate_resources({"limits": spec["overhead"]}, f"{field}.overhead")
    if system is not None and not system.get("name"):
        errors.append(FieldError.required(f"{field}.os.name"))
    elif system is not None:
        errors += optional_choice(system["name"], f"{field}.os", SYSTEMS)
    return errors
