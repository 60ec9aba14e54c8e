"""Writing manifests: apply, create, server-side apply, dry runs, mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.api import Object
from tests.conformance.manifests import NOWHERE, Maker, service, write
from tests.conformance.scene import Scene

Written = Callable[..., Path]


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name for this test's ReplicaSet and Service."""
    return str(request.node.name).replace("_", "-").split("[")[0][:50]


@pytest.fixture
def written(tmp_path: Path, maker: Maker, name: str) -> Written:
    """Writes the exercise's manifest; its pods fit on no node, for no test here needs one."""

    def make(replicas: int = 3, *, only_replicaset: bool = False, **spec: object) -> Path:
        replicaset = maker.replicaset(name, replicas=replicas, app=name, **NOWHERE)
        replicaset["spec"] |= spec
        things = [replicaset] if only_replicaset else [replicaset, service(name, app=name)]
        return write(tmp_path / f"{replicas}.yaml", *things)

    return make


def replicaset(stage: Scene, name: str) -> Object:
    """Fetch the ReplicaSet."""
    found: Object = stage.api.get(stage.path("replicasets", name))
    return found


def settled(stage: Scene, name: str) -> str:
    """Wait until the controller has written its status, and will not again; the version then."""

    def is_settled() -> bool:
        found = replicaset(stage, name)
        return bool(found["status"].get("observedGeneration") == found["metadata"]["generation"])

    stage.until(is_settled, f"{name} is settled")
    return str(replicaset(stage, name)["metadata"]["resourceVersion"])


def test_apply_twice(stage: Scene, written: Written, name: str) -> None:
    """H5: apply creates, and applying the same again changes nothing."""
    created = stage.kubectl(f"apply -f {written(0)}")
    assert created.lines == [f"replicaset.apps/{name} created", f"service/{name} created"]
    before = settled(stage, name)
    again = stage.kubectl(f"apply -f {written(0)}")
    assert again.lines == [f"replicaset.apps/{name} unchanged", f"service/{name} unchanged"]
    assert replicaset(stage, name)["metadata"]["resourceVersion"] == before


def test_apply_a_change(stage: Scene, written: Written, name: str) -> None:
    """H6: an edited manifest configures the object, and the generation rises by one."""
    stage.kubectl(f"apply -f {written(1)}")
    before = replicaset(stage, name)["metadata"]["generation"]
    done = stage.kubectl(f"apply -f {written(2)}")
    assert done.lines == [f"replicaset.apps/{name} configured", f"service/{name} unchanged"]
    assert replicaset(stage, name)["metadata"]["generation"] == before + 1


def test_apply_drops_what_left_the_manifest(
    stage: Scene, written: Written, name: str, tmp_path: Path, maker: Maker
) -> None:
    """H6: replicas that leave an applied manifest fall back to their default."""
    stage.kubectl(f"apply -f {written(2)}")
    without = maker.replicaset(name, app=name, **NOWHERE)
    del without["spec"]["replicas"]
    stage.kubectl(f"apply -f {write(tmp_path / 'without.yaml', without)}")
    assert replicaset(stage, name)["spec"]["replicas"] == 1


def test_apply_leaves_a_scaled_value_alone(
    stage: Scene, name: str, tmp_path: Path, maker: Maker
) -> None:
    """H6: replicas that were never in the manifest stay as they were scaled."""
    without = maker.replicaset(name, app=name, **NOWHERE)
    del without["spec"]["replicas"]
    path = write(tmp_path / "without.yaml", without)
    stage.kubectl(f"apply -f {path}")
    stage.kubectl(f"scale rs/{name} --replicas=2")
    assert stage.kubectl(f"apply -f {path}").lines == [f"replicaset.apps/{name} unchanged"]
    assert replicaset(stage, name)["spec"]["replicas"] == 2


def test_server_side_apply_twice(stage: Scene, written: Written, name: str) -> None:
    """H7: server-side apply creates; repeating it says the same and changes nothing."""
    path = written(0, only_replicaset=True)
    done = stage.kubectl(f"apply --server-side -f {path}")
    assert done.lines == [f"replicaset.apps/{name} serverside-applied"]
    before = settled(stage, name)
    assert stage.kubectl(f"apply --server-side -f {path}").lines == done.lines
    assert replicaset(stage, name)["metadata"]["resourceVersion"] == before


def test_server_side_apply_conflicts(stage: Scene, written: Written, name: str) -> None:
    """H8: applying over somebody else's scale is a conflict that names both, until it is forced."""
    apply = f"apply --server-side -f {written(1, only_replicaset=True)}"
    stage.kubectl(apply)
    stage.kubectl(f"scale rs/{name} --replicas=2")
    refused = stage.kubectl(apply, code=1).err.splitlines()
    assert refused[0] == (
        'error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" '
        "using apps/v1: .spec.replicas"
    )
    assert refused[1].startswith("Please review the fields above--they currently have other manag")
    forced = stage.kubectl(f"{apply} --force-conflicts")
    assert forced.lines == [f"replicaset.apps/{name} serverside-applied"]
    assert replicaset(stage, name)["spec"]["replicas"] == 1


def test_server_side_apply_after_client_side(stage: Scene, written: Written, name: str) -> None:
    """H7: what kubectl applied the old way can be taken over, and nothing is lost by it."""
    path = written(1, only_replicaset=True)
    stage.kubectl(f"apply -f {path}")
    before = replicaset(stage, name)["spec"]
    stage.kubectl(f"apply --server-side --force-conflicts -f {path}")
    assert replicaset(stage, name)["spec"] == before


def test_create_what_is_there(stage: Scene, written: Written, name: str) -> None:
    """H9: create refuses what exists, document by document."""
    path = written(0)
    stage.kubectl(f"create -f {path}")
    prefix = f'Error from server (AlreadyExists): error when creating "{path}":'
    assert stage.kubectl(f"create -f {path}", code=1).err.splitlines() == [
        f'{prefix} replicasets.apps "{name}" already exists',
        f'{prefix} services "{name}" already exists',
    ]


def misspelt(path: Path) -> Path:
    """Turn `replicas` into a field that does not exist."""
    path.write_text(path.read_text().replace("  replicas:", "  replica:"))
    return path


def test_misspelt_field_in_a_new_object(stage: Scene, written: Written, name: str) -> None:
    """H10: an unknown field is refused by its name; the other document is still applied."""
    done = stage.kubectl(f"apply -f {misspelt(written(3))}", code=1)
    assert done.lines == [f"service/{name} created"]
    assert 'ReplicaSet in version "v1" cannot be handled as a ReplicaSet' in done.err
    assert 'strict decoding error: unknown field "spec.replica"' in done.err


def test_misspelt_field_in_an_old_object(stage: Scene, written: Written) -> None:
    """H10: the same mistake in a change of an object is a bad patch."""
    stage.kubectl(f"apply -f {written(0)}")
    done = stage.kubectl(f"apply -f {misspelt(written(0))}", code=1)
    assert done.err.startswith('The request is invalid: patch: Invalid value: "map[')
    assert done.err.strip().endswith('strict decoding error: unknown field "spec.replica"')


def test_misspelt_field_server_side(stage: Scene, written: Written, name: str) -> None:
    """H10: server-side apply knows its schema."""
    path = misspelt(written(3, only_replicaset=True))
    done = stage.kubectl(f"apply --server-side -f {path}", code=1)
    assert done.err.strip() == (
        f"Error from server: failed to create typed patch object ({stage.namespace}/{name}; "
        "apps/v1, Kind=ReplicaSet): .spec.replica: field not declared in schema"
    )


def test_misspelt_field_as_a_warning(stage: Scene, written: Written, name: str) -> None:
    """H10: with --validate=warn the field is dropped, and the default takes its place."""
    stage.kubectl(f"apply -f {written(2)}")
    done = stage.kubectl(f"apply --validate=warn -f {misspelt(written(2))}")
    assert 'Warning: unknown field "spec.replica"' in done.err
    assert replicaset(stage, name)["spec"]["replicas"] == 1


def test_wrong_type(stage: Scene, written: Written) -> None:
    """H10: a value of the wrong type is refused by the field's name."""
    path = written(7, only_replicaset=True)
    path.write_text(path.read_text().replace("replicas: 7", "replicas: many"))
    assert "spec.replicas" in stage.kubectl(f"apply -f {path}", code=1).err


def test_server_dry_run(stage: Scene, written: Written, name: str) -> None:
    """H11: a dry run on the server leaves nothing behind."""
    path = written(3, only_replicaset=True)
    done = stage.kubectl(f"apply --dry-run=server -f {path}")
    assert done.lines == [f"replicaset.apps/{name} created (server dry run)"]
    missing = f'Error from server (NotFound): replicasets.apps "{name}" not found'
    assert stage.kubectl(f"get rs {name}", code=1).err.strip() == missing


def test_diff(stage: Scene, written: Written, name: str) -> None:
    """H12: diff shows the change and its generation, and does not make it."""
    stage.kubectl(f"apply -f {written(0)}")
    before = settled(stage, name)  # diff reads twice, and would show the controller's writing
    done = stage.kubectl(f"diff -f {written(1)}", code=1)
    assert done.lines[0].startswith("diff -u -N ")
    assert f"apps.v1.ReplicaSet.{stage.namespace}.{name}" in done.lines[0]
    changed = [line for line in done.lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert {line[1:].strip().split(":")[0] for line in changed} == {"generation", "replicas"}
    assert replicaset(stage, name)["metadata"]["resourceVersion"] == before


def test_rollout_restart(stage: Scene, written: Written, name: str) -> None:
    """H51: a ReplicaSet cannot be restarted, and kubectl says so."""
    stage.kubectl(f"apply -f {written(0)}")
    done = stage.kubectl(f"rollout restart rs/{name}", code=1)
    assert done.err.strip() == f'error: replicasets.apps "{name}" restarting is not supported'


@pytest.mark.parametrize("server_side", ["", "--server-side"])
def test_many_documents_at_once(
    stage: Scene, maker: Maker, tmp_path: Path, server_side: str
) -> None:
    """H5: a file of several documents is applied whole, each on its own line."""
    some = [service(f"many-{n}{server_side}", kind="ClusterIP") for n in range(3)]
    done = stage.kubectl(f"apply {server_side} -f {write(tmp_path / 'many.yaml', *some)}")
    assert len(done.lines) == 3


def test_lists_that_cannot_be_merged(stage: Scene, tmp_path: Path) -> None:
    """Server-side apply tells which list of the stored object lacks the names of its elements."""
    accounts = f"/api/v1/namespaces/{stage.namespace}/serviceaccounts"
    stage.api.create(accounts, {"metadata": {"name": "odd"}, "secrets": [{}]})
    applied = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "odd"}}
    done = stage.kubectl(f"apply --server-side -f {write(tmp_path / 'odd.yaml', applied)}", code=1)
    assert done.err.strip() == (
        "Error from server: failed to create manager for existing fields: failed to convert new "
        f"object ({stage.namespace}/odd; /v1, Kind=ServiceAccount) to smd typed: .secrets: element "
        '0: associative list with keys has an element that omits all key fields ["name"] (and '
        "doesn't have default values for any key fields)"
    )
