"""Generated clusters, and pods to place on them: what the pods of such clusters can say."""

from __future__ import annotations

import random
from typing import Any

Object = dict[str, Any]
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
APPS, TIERS = ("web", "api", "db"), ("front", "back")
IMAGES = {"shop:1": 180, "shop:2": 420, "base/big:1": 900, "small": 20}  # mebibytes
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
PODS_A_WORLD = 10


def world(seed: int) -> Object:
    """Make a cluster: nodes, namespaces, Services, ReplicaSets, pods that run, pods to place."""
    rng = random.Random(seed)
    nodes = [_node(rng, number) for number in range(rng.randint(2, 6))]
    names = [node["metadata"]["name"] for node in nodes]
    running = [_pod(rng, f"old-{number}", names) for number in range(rng.randint(0, 9))]
    for pod in running:
        pod["spec"]["nodeName"] = rng.choice(names)
        pod["spec"].pop("topologySpreadConstraints", None)
    return {
        "seed": seed,
        "nodes": nodes,
        "namespaces": [
            {"metadata": {"name": "default", "labels": {"team": "a"}}},
            {"metadata": {"name": "other", "labels": {"team": "b"}}},
        ],
        "services": [_service(app) for app in APPS if rng.random() < 0.4],
        "replicasets": [_replicaset(app) for app in APPS if rng.random() < 0.4],
        "running": running,
        "leaving": [p["metadata"]["name"] for p in running if rng.random() < 0.15],
        "pods": [_pod(rng, f"new-{number}", names) for number in range(PODS_A_WORLD)],
    }


def _node(rng: random.Random, number: int) -> Object:
    name = f"node-{number}"
    labels = {HOSTNAME: name}
    if rng.random() < 0.8:
        labels[ZONE] = rng.choice("abc")
    if rng.random() < 0.6:
        labels["disk"] = rng.choice(("ssd", "hdd"))
    if rng.random() < 0.4:
        labels["size"] = str(rng.randint(1, 9))
    spec: Object = {}
    if rng.random() < 0.12:
        spec["unschedulable"] = True
    effects = [e for e in ("NoSchedule", "NoExecute", "PreferNoSchedule") if rng.random() < 0.15]
    if effects:
        spec["taints"] = [{"key": rng.choice(("gpu", "team")), "value": rng.choice(("a", "b")),
                           "effect": effect} for effect in effects]  # fmt: skip
    room = {
        "cpu": rng.choice(("1", "2", "4", "1500m")),
        "memory": rng.choice(("1Gi", "2Gi", "4Gi", "3000Mi")),
        "ephemeral-storage": "20Gi",
        "pods": rng.choice(("110", "110", "110", "4")),
    }
    if rng.random() < 0.2:
        room["example.com/lane"] = "2"
    images = [
        {"names": [name if ":" in name else f"{name}:latest"], "sizeBytes": size * 2**20}
        for name, size in IMAGES.items()
        if rng.random() < 0.4
    ]
    status: Object = {"allocatable": room, "capacity": room}
    if images:
        status["images"] = images
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}


def _service(app: str) -> Object:
    return {"metadata": {"name": app, "namespace": "default"},
            "spec": {"selector": {"app": app}, "ports": [{"port": 80}]}}  # fmt: skip


def _replicaset(app: str) -> Object:
    labels = {"app": app}
    template = {"metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "small"}]}}  # fmt: skip
    return {"metadata": {"name": app, "namespace": "default"},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels},
                     "template": template}}  # fmt: skip


def _pod(rng: random.Random, name: str, nodes: list[str]) -> Object:
    app = rng.choice(APPS)
    labels = {"app": app}
    if rng.random() < 0.5:
        labels["tier"] = rng.choice(TIERS)
    meta = {"name": name, "namespace": "other" if rng.random() < 0.2 else "default",
            "labels": labels}  # fmt: skip
    spec: Object = {"containers": [_container(rng, n) for n in range(rng.choice((1, 1, 1, 2)))]}
    if rng.random() < 0.15:
        spec["initContainers"] = [_container(rng, 9) | ({"restartPolicy": "Always"}
                                                        if rng.random() < 0.5 else {})]  # fmt: skip
    if rng.random() < 0.3:
        spec["tolerations"] = [_toleration(rng) for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.12:
        spec["nodeSelector"] = rng.choice(({"disk": "ssd"}, {ZONE: "a"}, {"disk": "tape"}))
    affinity = _affinity(rng, nodes)
    if affinity:
        spec["affinity"] = affinity
    if rng.random() < 0.35:
        spec["topologySpreadConstraints"] = _constraints(rng)
    if rng.random() < 0.1:
        spec["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 8080}]
    return {"metadata": meta, "spec": spec}


def _container(rng: random.Random, number: int) -> Object:
    asked: Object = {}
    if rng.random() < 0.6:
        asked["cpu"] = rng.choice(("50m", "100m", "250m", "0.5", "1", "3"))
    if rng.random() < 0.5:
        asked["memory"] = rng.choice(("64Mi", "128Mi", "500M", "1Gi"))
    if rng.random() < 0.04:
        asked["example.com/lane"] = "1"
    found: Object = {"name": f"c{number}", "image": rng.choice(list(IMAGES))}
    if asked:
        found["resources"] = {"requests": asked}
        if "example.com/lane" in asked:
            found["resources"]["limits"] = {"example.com/lane": "1"}
    return found


def _toleration(rng: random.Random) -> Object:
    found: Object = rng.choice(
        (
            {"key": "gpu", "operator": "Exists"},
            {"key": "team", "value": "a"},
            {"key": "team", "operator": "Equal", "value": "b", "effect": "NoSchedule"},
            {"operator": "Exists"},
            {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"},
        )
    )
    return dict(found)


def _affinity(rng: random.Random, nodes: list[str]) -> Object:
    found: Object = {}
    if rng.random() < 0.25:
        found["nodeAffinity"] = _node_affinity(rng, nodes)
    for kind in ("podAffinity", "podAntiAffinity"):
        if rng.random() < 0.2:
            found[kind] = (
                {REQUIRED: [_term(rng)]}
                if rng.random() < 0.45
                else {PREFERRED: [{"weight": rng.randint(1, 100), "podAffinityTerm": _term(rng)}
                                  for _ in range(rng.randint(1, 2))]}
            )  # fmt: skip
    return found


def _node_affinity(rng: random.Random, nodes: list[str]) -> Object:
    expressions = [
        {"key": "disk", "operator": "In", "values": ["ssd", "nvme"]},
        {"key": "disk", "operator": "NotIn", "values": ["hdd"]},
        {"key": ZONE, "operator": "Exists"},
        {"key": "size", "operator": "Gt", "values": ["4"]},
        {"key": "size", "operator": "DoesNotExist"},
    ]
    terms = [{"matchExpressions": rng.sample(expressions, rng.randint(1, 2))} for _ in range(2)]
    if rng.random() < 0.15:
        named = {"key": "metadata.name", "operator": "In", "values": [rng.choice(nodes)]}
        return {REQUIRED: {"nodeSelectorTerms": [{"matchFields": [named]}]}}
    if rng.random() < 0.4:
        return {REQUIRED: {"nodeSelectorTerms": terms[: rng.randint(1, 2)]}}
    return {PREFERRED: [{"weight": rng.randint(1, 100), "preference": term} for term in terms]}


def _selector(rng: random.Random) -> Object:
    chosen: Object = rng.choice(
        (
            {"matchLabels": {"app": rng.choice(APPS)}},
            {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]},
            {"matchLabels": {"tier": "front"}},
            {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]},
        )
    )
    return chosen


def _term(rng: random.Random) -> Object:
    term: Object = {"labelSelector": _selector(rng), "topologyKey": rng.choice((HOSTNAME, ZONE))}
    roll = rng.random()
    if roll < 0.1:
        term["namespaces"] = ["other"]
    elif roll < 0.2:
        term["namespaceSelector"] = rng.choice(({}, {"matchLabels": {"team": "b"}}))
    elif roll < 0.3 and "tier" not in str(term["labelSelector"]):
        term["matchLabelKeys"] = ["tier"]
    return term


def _constraints(rng: random.Random) -> list[Object]:
    collected = []
    for key in rng.sample((HOSTNAME, ZONE), rng.randint(1, 2)):
        one: Object = {
            "maxSkew": rng.randint(1, 2),
            "topologyKey": key,
            "whenUnsatisfiable": rng.choice(("DoNotSchedule", "ScheduleAnyway")),
            "labelSelector": _selector(rng),
        }
        if rng.random() < 0.3:
            one["nodeTaintsPolicy"] = "Honor"
        if rng.random() < 0.3:
            one["nodeAffinityPolicy"] = "Ignore"
        if one["whenUnsatisfiable"] == "DoNotSchedule" and rng.random() < 0.3:
            one["minDomains"] = rng.randint(1, 3)
        collected.append(one)
    return collected
