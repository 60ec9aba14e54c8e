"""The shipped manifest, and every way in which a learner's can be wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from flashsale.base.errors import BadInputError
from flashsale.sale.files import manifest as manifests
from flashsale.sale.files.manifest import Manifest
from flashsale.sale.files.yaml_reader import yaml_documents

# The exercise's own manifest, field for field.
TAUGHT = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: flashsale-rs, labels: {app: flashsale}}
spec:
  replicas: 3
  selector: {matchLabels: {app: flashsale}}
  template:
    metadata: {labels: {app: flashsale}}
    spec:
      containers:
        - name: flashsale-container
          image: flashsale:1.0
          ports: [{containerPort: 5000}]
          readinessProbe:
            {httpGet: {path: /health, port: 5000}, initialDelaySeconds: 3, periodSeconds: 5}
          livenessProbe:
            {httpGet: {path: /health, port: 5000}, initialDelaySeconds: 10, periodSeconds: 10}
          resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: 500m, memory: 256Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: flashsale-svc}
spec:
  type: NodePort
  selector: {app: flashsale}
  ports: [{name: http, port: 80, targetPort: 5000}]
"""


def objects(text: str) -> list[object]:
    """Read all documents of a YAML text."""
    return list(yaml.safe_load_all(text))


def edited(old: str, new: str) -> str:
    """The shipped manifest with one thing changed."""
    text = manifests.shipped_text()
    assert old in text
    return text.replace(old, new)


def refused(text: str) -> str:
    """What is said about a manifest that does not do."""
    with pytest.raises(BadInputError) as caught:
        manifests.parse_manifest(text, "my.yaml")
    assert caught.value.hint
    return str(caught.value)


def test_as_taught_is_the_exercises_own() -> None:
    """What `manifest --as-taught` prints has exactly the exercise's fields."""
    assert objects(manifests.as_taught(manifests.shipped_text())) == objects(TAUGHT)


def test_additions_are_these_and_no_others() -> None:
    """The shipped manifest is the exercise's plus a grace period, a pull policy and a preStop."""
    replicaset, service = objects(manifests.shipped_text())
    spec = replicaset["spec"]["template"]["spec"]  # type: ignore[index]
    assert spec.pop("terminationGracePeriodSeconds") == 30
    assert spec["containers"][0].pop("imagePullPolicy") == "IfNotPresent"
    assert spec["containers"][0].pop("lifecycle") == {"preStop": {"sleep": {"seconds": 5}}}
    assert [replicaset, service] == objects(TAUGHT)


def test_each_addition_says_why() -> None:
    """No line that is not the exercise's stands there without its reason."""
    added = [line for line in manifests.shipped_text().splitlines() if manifests.ADDED in line]
    assert len(added) == 6
    assert all(len(line.partition(manifests.ADDED)[2]) > 20 for line in added)


def test_documents_come_in_any_order() -> None:
    """The Service may come first, and empty documents may stand between."""
    replicaset, service = manifests.shipped_text().split("---")
    parsed = manifests.parse_manifest(f"---\n{service}\n---\n---\n{replicaset}", "my.yaml")
    assert (parsed.name, parsed.service_name) == ("flashsale-rs", "flashsale-svc")


def test_json_values_may_stand_one_after_another() -> None:
    """As kubectl takes them; what is there twice in one of them is refused with its line."""
    text = "\n".join(json.dumps(one, indent=1) for one in objects(manifests.shipped_text()))
    assert manifests.parse_manifest(text, "my.json").name == "flashsale-rs"
    assert "line 2, column 1: the key 'a' is there twice" in refused('{"a": 1,\n"a": 2}')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "my.yaml is empty"),
        ("# only a remark\n---\n", "my.yaml is empty"),
        ("- a\n- b\n", "my.yaml holds a list where an object is due (document 1)"),
        ("just words", "my.yaml holds just 'just words'"),
        ("a: [1, 2", "my.yaml is not YAML: line "),
        ("a:\n\t- b\n", "my.yaml is not YAML: line 2 begins with a tab"),
        ("a:\n\u00a0 b: 1\n  c: 2\n", "line 2 begins with a no-break space"),
        ("a: {b: 1}\nc: 2\na: {b: 1}\n", "not YAML: line 3, column 1: the key 'a' is there twice"),
        (
            "apiVersion: v1\nkind: Service\napiVersion: v1\n",
            "twice: a line --- divides two objects",
        ),
        ("kind: Ingress\napiVersion: v1\n", "has an Ingress; the sale is one"),
        (
            "kind: Service\napiVersion: v1\nmetadata: {name: 7}\n",
            "no name: 7 is not text: quote it",
        ),
        ("kind: ReplicaSet\n", "says no kind or apiVersion in document 1"),
        ("kind: Deployment\napiVersion: apps/v1\n", "has a Deployment; the sale is one"),
        ("kind: services\napiVersion: v1\n", "says kind: services; it is Service"),
        ("services: {web: {}}\n", "is a file for Docker Compose"),
        ("kind: Kustomization\nresources: []\n", "is for kustomize, and no manifest itself"),
        (
            "kind: Service\napiVersion: v1\nmetadata: {name: '{{ .Release.Name }}'}\n",
            "is a template, not YAML: metadata.name is {{ .Release.Name }}",
        ),
        ("kind: Service\napiVersion: v2\n", "says apiVersion v2 for its Service; it is v1"),
        ("kind: Service\napiVersion: v1\nmetadata: {}\n", "gives its Service no name"),
        ("kind: Service\napiVersion: v1\nmetadata: {name: a}\n", "gives its Service no spec"),
        ("a: {{ .Values.count }}\n", "is a template, not YAML: line 1 has {{ .Values.count }}"),
        ("2024: a\n", "which is not text: quote it"),
        ("a: {b: [.inf]}\n", "at a.b[0], which no manifest can say"),
    ],
)
def test_what_is_no_manifest_is_refused(text: str, words: str) -> None:
    """Each mistake is told in a sentence that names the file and the place."""
    assert words in refused(text)


def test_missing_service_is_told() -> None:
    """A ReplicaSet alone cannot be reached by buyers."""
    assert "has no Service" in refused(manifests.shipped_text().split("---")[0])


def test_two_replicasets_are_refused() -> None:
    """It would not be clear which one is the sale."""
    text = manifests.shipped_text()
    assert "two objects of kind ReplicaSet" in refused(f"{text}\n---\n{text}")


@pytest.mark.parametrize("said", ["three", "'3'", "3.5", "yes", "[3]", "-1"])
def test_replicas_that_are_no_count_are_refused(said: str) -> None:
    """As every API server refuses them; what YAML makes of a word is shown."""
    shown = {"three": '"three"', "'3'": '"3"', "yes": "true"}.get(said, said)
    assert f"says replicas: {shown}; it takes" in refused(
        edited("replicas: 3", f"replicas: {said}")
    )


def test_labels_that_do_not_match_are_refused() -> None:
    """The server would refuse a selector that finds no pod of its own template."""
    words = refused(
        edited(
            "  selector:\n    matchLabels:\n      app: flashsale",
            "  selector:\n    matchLabels:\n      app: other",
        )
    )
    assert "the ReplicaSet's selector asks for app=other" in words
    assert "labelled app=flashsale" in words


def test_service_that_selects_nothing_is_refused() -> None:
    """Every API server accepts this one, and no buyer would ever get through."""
    words = refused(edited("  selector:\n    app: flashsale", "  selector:\n    app: flashsail"))
    assert "the Service's selector asks for app=flashsail" in words


def test_merged_keys_are_not_there_twice() -> None:
    """Merged from something that itself overrides what it merges, before that is looked at."""
    text = "a: &a {x: 1}\nb:\n  c: &c {<<: *a, x: 2}\nd: {<<: *c}\n"
    ((_, found),) = yaml_documents(text, "my.yaml")
    assert found == {"a": {"x": 1}, "b": {"c": {"x": 2}}, "d": {"x": 2}}


def test_key_twice_in_what_is_merged_is_refused() -> None:
    """A merge does not hide it, and comes before the mapping itself is looked at."""
    with pytest.raises(BadInputError, match="line 2, column 16: the key 'x' is there twice"):
        list(yaml_documents("b:\n  c: &c {x: 1, x: 2}\nd: {<<: *c}\n", "my.yaml"))


def test_aliases_without_end_are_refused() -> None:
    """A few lines that stand for billions of values end with a sentence, not with the machine."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "more values than any manifest needs" in refused("\n".join(lines))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe\x00\x01", "is not a text file"), (b"a: \x00", "is not a text file")],
)
def test_binary_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """A file that holds no text is called that, whatever a YAML parser makes of it."""
    file = tmp_path / "my.yaml"
    file.write_bytes(content)
    with pytest.raises(BadInputError, match=words):
        manifests.read_manifest(file)


def test_missing_file_and_folder_are_told_apart(tmp_path: Path) -> None:
    """Each gets the hint that helps."""
    with pytest.raises(BadInputError, match="There is no file"):
        manifests.read_manifest(tmp_path / "my.yaml")
    (folder := tmp_path / "my shop").mkdir()
    with pytest.raises(BadInputError, match="is a folder") as caught:
        manifests.read_manifest(folder)
    assert caught.value.hint.command == f"flashsale up '{folder}'"


@pytest.mark.parametrize("name", ["/dev/urandom", "pipe"])
def test_device_and_pipe_are_refused_at_once(tmp_path: Path, name: str) -> None:
    """Neither need ever end."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInputError, match="is not a regular file"):
        manifests.read_manifest(tmp_path / name)


def test_the_apps_image_is_that_of_no_well_known_program() -> None:
    """A cache or a proxy may stand before it; what sets it up has the same image."""
    text = manifests.shipped_text().replace(
        "      containers:\n",
        "      initContainers: [{name: set-up, image: 'flashsale:1.0'}]\n"
        "      containers:\n        - {name: cache, image: 'docker.io/library/redis:7-alpine'}\n",
    )
    manifest = manifests.parse_manifest(text, "my.yaml")
    assert manifest.image == "flashsale:1.0"
    spec = manifests.with_image(manifest, "shop:2").replicaset["spec"]["template"]["spec"]
    images = [row["image"] for row in [*spec["initContainers"], *spec["containers"]]]
    assert images == ["shop:2", "docker.io/library/redis:7-alpine", "shop:2"]


def test_image_is_set_on_a_copy() -> None:
    """The first container gets the image; the manifest that was read keeps its own."""
    before = manifests.shipped()
    assert manifests.with_image(before, "shop:2").image == "shop:2"
    assert before.image == "flashsale:1.0"


@pytest.mark.parametrize(
    ("minor", "hook"),
    [(30, {"sleep": {"seconds": 5}}), (29, {"exec": {"command": ["sleep", "5"]}})],
)
def test_old_servers_get_the_sleep_as_a_command(minor: int, hook: object) -> None:
    """preStop.sleep is in every server from 1.30 on."""
    found: Manifest = manifests.for_server(manifests.shipped(), minor)
    container = found.replicaset["spec"]["template"]["spec"]["containers"][0]
    assert container["lifecycle"]["preStop"] == hook


def test_list_stands_for_its_objects() -> None:
    """As `kubectl get -o yaml` writes it, in whatever order."""
    whole = manifests.shipped()
    items = [whole.service, whole.replicaset]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    manifest = manifests.parse_manifest(text, "all.yaml")
    assert (manifest.replicaset, manifest.service) == (whole.replicaset, whole.service)


def test_list_without_objects_is_refused() -> None:
    """What it holds is looked at before it is used."""
    with pytest.raises(BadInputError, match="has a List whose items are no objects"):
        manifests.parse_manifest("{apiVersion: v1, kind: List, items: [1]}", "all.yaml")


def in_namespaces(replicaset: str, service: str) -> Manifest:
    """Read the shipped manifest with namespaces of its own; empty for none."""
    whole = manifests.shipped()
    for thing, namespace in ((whole.replicaset, replicaset), (whole.service, service)):
        thing["metadata"] |= {"namespace": namespace} if namespace else {}
    return manifests.parse_manifest(
        yaml.safe_dump_all([whole.replicaset, whole.service]), "my.yaml"
    )


@pytest.mark.parametrize("names", [("sale", "sale"), ("sale", ""), ("", "sale")])
def test_namespace_is_that_of_either_object(names: tuple[str, str]) -> None:
    """What the other one leaves open is the same."""
    assert in_namespaces(*names).namespace == "sale"


def test_service_in_another_namespace_is_refused() -> None:
    """Every API server accepts it, and it finds no pod."""
    with pytest.raises(BadInputError, match="Service in the namespace front and its ReplicaSet in"):
        in_namespaces("sale", "front")


def test_what_else_a_file_holds_is_put_apart() -> None:
    """A ConfigMap, say: kubectl applies it."""
    more = "\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    with pytest.raises(BadInputError, match="has a ConfigMap") as caught:
        manifests.parse_manifest(manifests.shipped_text() + more, "x.yaml")
    assert "put the ConfigMap into a file of its own, for kubectl apply" in caught.value.hint.words
