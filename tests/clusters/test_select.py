"""Which cluster a command works on, and what is refused."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml

from flashsale.base.errors import (
    BadInputError,
    ClusterUnreachableError,
    FlashsaleError,
    NoSaleError,
    RefusedError,
)
from flashsale.clusters import availability
from flashsale.clusters.select import ClusterOptions, select_existing, select_for_up
from flashsale.clusters.state.kubeconfig_file import minified, write_kubeconfig
from flashsale.clusters.state.sale_record import SaleRecord
from flashsale.clusters.state.sale_store import SaleStore, UnusableRecordError
from flashsale.kube import kubeconfig
from flashsale.kube.kubeconfig import KubeContext
from tests.command import Flashsale

CONTEXTS = {
    "kind-dev": "https://127.0.0.1:40001",
    "k3d-dev": "https://0.0.0.0:40002",
    "docker-desktop": "https://kubernetes.docker.internal:6443",
    "prod": "https://prod.example.com:6443",
    "kind-prod": "https://prod.example.com:6443",
    "tunnel": "https://127.0.0.1:6443",
}


@pytest.fixture
def home(sale_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder, beside a kubeconfig with several contexts."""
    document = {
        "current-context": "prod",
        "clusters": [{"name": n, "cluster": {"server": s}} for n, s in CONTEXTS.items()],
        "users": [{"name": "me", "user": {"client-key": "keys/me.key"}}],
        "contexts": [{"name": n, "context": {"cluster": n, "user": "me"}} for n in CONTEXTS],
    }
    file = sale_home.parent / "config"
    file.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", str(file))
    return sale_home


async def test_bare_machine_gets_the_embedded_cluster(home: Path) -> None:
    """Without minikube and without a word, and it says why."""
    choice = await select_for_up(ClusterOptions())
    assert choice.record.kind == "embedded"
    assert choice.why == "minikube is not installed"


async def test_current_context_is_never_taken(home: Path) -> None:
    """kubectl's current context may be work; it takes `--context` to go there."""
    assert (await select_for_up(ClusterOptions(cluster="auto"))).record.context != "prod"


@pytest.mark.parametrize("name", ["kind-dev", "k3d-dev", "docker-desktop"])
async def test_local_contexts_are_taken(home: Path, name: str) -> None:
    """By name and by address."""
    assert (await select_for_up(ClusterOptions(context=name))).record == SaleRecord("context", name)


@pytest.mark.parametrize("name", ["prod", "kind-prod", "tunnel"])
async def test_contexts_that_are_not_local_are_refused(home: Path, name: str) -> None:
    """Neither a good name nor a good address alone is enough; insisting is."""
    with pytest.raises(RefusedError, match="not a local cluster") as caught:
        await select_for_up(ClusterOptions(context=name))
    assert "--allow-remote" in caught.value.hint
    choice = await select_for_up(ClusterOptions(context=name, allow_remote=True))
    assert choice.record == SaleRecord("context", name, allow_remote=True)


def test_consent_to_a_remote_cluster_is_demanded_on_the_command_line(
    home: Path, flashsale: Flashsale
) -> None:
    """Refused for safety, with the option to type; with it, the cluster itself is asked."""
    config = str(home.parent / "config")
    text = Path(config).read_text().replace("127.0.0.1:6443", "127.0.0.1:1")
    Path(config).write_text(text)
    refused = flashsale("up", "--context", "tunnel", KUBECONFIG=config)
    assert (refused.code, refused.out) == (6, "")
    assert "--allow-remote" in refused.err
    assert not flashsale.record.exists()
    insisted = flashsale("status", "--context", "tunnel", "--allow-remote", KUBECONFIG=config)
    assert insisted.code == 3


async def test_a_context_without_a_server_is_not_called_remote(home: Path) -> None:
    """To insist would not help: its cluster is missing."""
    file = home.parent / "config"
    file.write_text(file.read_text().replace("cluster: tunnel", "cluster: gone"))
    with pytest.raises(ClusterUnreachableError, match="names the cluster 'gone'"):
        await select_for_up(ClusterOptions(context="tunnel"))


async def test_a_kubeconfig_that_is_not_there_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No shell has resolved the `~` in it, say."""
    monkeypatch.setenv("KUBECONFIG", "~/none")
    with pytest.raises(BadInputError, match="There is no kubeconfig at ~/none"):
        await select_for_up(ClusterOptions(context="tunnel"))


async def test_unknown_context_is_refused_with_a_suggestion(home: Path) -> None:
    """A typing mistake must not start anything."""
    with pytest.raises(BadInputError, match="Did you mean 'kind-dev'"):
        await select_for_up(ClusterOptions(context="kind-dve"))


async def test_consent_is_given_once(home: Path) -> None:
    """What was insisted on at `up` holds for the commands on that sale, and for no other."""
    SaleStore(home).write(SaleRecord("context", "prod", allow_remote=True, namespace="shop"))
    assert (await select_existing(ClusterOptions())).record.namespace == "shop"
    assert (await select_existing(ClusterOptions(context="prod"))).record.namespace == "shop"
    with pytest.raises(RefusedError):
        await select_existing(ClusterOptions(context="kind-prod"))


async def test_record_is_found_without_options(home: Path) -> None:
    """Names of a learner's own manifest come back with it."""
    wrote = SaleRecord("embedded", "flashsale-embedded", replicaset="mine", service="ours")
    SaleStore(home).write(wrote)
    assert (await select_existing(ClusterOptions())).record == wrote
    assert (await select_for_up(ClusterOptions())).record == wrote


async def test_vanished_context_is_told_and_up_chooses_anew(home: Path) -> None:
    """A deleted kind cluster leaves a record behind."""
    SaleStore(home).write(SaleRecord("context", "kind-gone"))
    with pytest.raises(ClusterUnreachableError, match="does not have any more"):
        await select_existing(ClusterOptions())
    choice = await select_for_up(ClusterOptions())
    assert choice.record.kind == "embedded"
    assert choice.why.startswith("the context 'kind-gone', where the sale was, is gone; ")


async def test_nothing_recorded_is_no_sale(home: Path) -> None:
    """Only `up` chooses by itself."""
    with pytest.raises(NoSaleError):
        await select_existing(ClusterOptions())


async def test_own_context_by_name_is_the_embedded_cluster(home: Path) -> None:
    """Whoever exported our kubeconfig may name its context."""
    choice = await select_for_up(ClusterOptions(context="flashsale-embedded"))
    assert choice.record.kind == "embedded"


def test_record_is_private_and_whole(home: Path) -> None:
    """0600, and no half-written file beside it."""
    SaleStore(home).write(SaleRecord("embedded", "c"))
    SaleStore(home).write(SaleRecord("embedded", "d"))
    assert [file.name for file in home.iterdir()] == ["sale.json"]
    assert stat.S_IMODE(SaleStore(home).path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    found = SaleStore(home).read()
    assert found is not None
    assert found.context == "d"


def test_record_ignores_what_a_later_version_added(home: Path) -> None:
    """The same format with one more key is still understood."""
    SaleStore(home).write(SaleRecord("embedded", "c"))
    document = json.loads(SaleStore(home).path.read_text())
    SaleStore(home).path.write_text(json.dumps(document | {"colour": "blue"}))
    assert SaleStore(home).read() == SaleRecord("embedded", "c")


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"[" * 100_000, b"{}", b'{"format": 1}', b"\x00"])
async def test_broken_record_is_put_aside_and_named(
    home: Path, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Rubbish tells nothing: it is kept for its owner, and no later command stumbles over it."""
    SaleStore(home).write(SaleRecord("embedded", "gone"))
    SaleStore(home).path.write_bytes(raw)
    with pytest.raises(NoSaleError):
        await select_existing(ClusterOptions())
    assert (home / "sale.json.broken").read_bytes() == raw
    assert "It is kept as sale.json.broken" in caplog.text
    assert not SaleStore(home).path.exists()


async def test_record_of_another_version_is_left_as_it_is(home: Path) -> None:
    """It may be a newer program's: the sentence says so, and asking by name goes past it."""
    SaleStore(home).write(SaleRecord("embedded", "gone"))
    SaleStore(home).path.write_text('{"format": 2}')
    with pytest.raises(UnusableRecordError, match="another version") as caught:
        await select_existing(ClusterOptions())
    assert caught.value.hint == f"rm {SaleStore(home).path}"
    choice = await select_for_up(ClusterOptions(cluster="embedded"))
    choice.store.write(choice.record)
    assert (await select_existing(ClusterOptions())).record == choice.record


def test_folder_in_place_of_the_record_is_put_aside(home: Path) -> None:
    """It may hold somebody's things, and there may have been one before."""
    store, record = SaleStore(home), SaleRecord("embedded", "c")
    for name in ("first", "second"):
        (store.path / name).mkdir(parents=True)
        assert store.read() is None
        store.write(record)
        assert store.read() == record
        store.forget()
    assert {file.parent.name for file in home.glob("sale.json.broken*/*")} == {
        "sale.json.broken",
        "sale.json.broken1",
    }


def test_full_disk_is_told_with_its_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing half-written stays, and the sentence says where there is no room."""
    SaleStore(home).write(SaleRecord("embedded", "c"))
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(os, "replace", Mock(side_effect=full))
    with pytest.raises(FlashsaleError, match="disk is full") as caught:
        SaleStore(home).write(SaleRecord("embedded", "d"))
    assert str(home) in str(caught.value)
    assert [file.name for file in home.iterdir()] == ["sale.json"]


def test_minikube_is_known_by_its_signature() -> None:
    """A profile may have any name; minikube signs what it writes."""
    assert KubeContext("my-profile", "https://192.168.49.2:8443", minikube=True).local
    assert not KubeContext("my-profile", "https://192.168.49.2:8443").local
    assert not KubeContext("minikube", "https://8.8.8.8:8443").local


def test_broken_kubeconfigs_count_as_empty(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bad file of several hides no other."""
    bad = home.parent / "bad"
    for text in ("a: [", "- list", "\x00", "contexts: 5"):
        bad.write_text(text)
        monkeypatch.setenv("KUBECONFIG", f"{bad}:{home.parent / 'config'}")
        assert set(kubeconfig.read()) == set(CONTEXTS)


def test_kubeconfig_holds_one_context_and_it_is_current(home: Path) -> None:
    """kubectl needs no options with it; the user's file stays as it was."""
    before = (home.parent / "config").read_text()
    written = write_kubeconfig(home, "kind-dev", None, "shop")
    document = yaml.safe_load(written.read_text())
    assert document["current-context"] == "kind-dev"
    assert document["contexts"][0]["context"]["namespace"] == "shop"
    assert document["users"][0]["user"]["client-key"] == str(home.parent / "keys" / "me.key")
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert (home.parent / "config").read_text() == before


def test_kubeconfig_without_the_context_is_empty() -> None:
    """Nothing is made up."""
    assert minified([(Path("/config"), {"contexts": []})], "x", "default") == {}


def test_kubeconfig_is_put_together_from_several_files(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As kubectl does: any file may hold the cluster or the user; the first of a name counts."""
    context = {"name": "c", "context": {"cluster": "k", "user": "u"}}
    first = {"server": "https://127.0.0.1:1", "certificate-authority": "ca.crt"}
    second = {"server": "https://127.0.0.1:2"}
    parts: list[dict[str, object]] = [
        {"contexts": [context], "current-context": "c"},
        {"clusters": [{"name": "k", "cluster": first}]},
        {
            "clusters": [{"name": "k", "cluster": second}],
            "users": [{"name": "u", "user": {"token": "t"}}],
        },
    ]
    files = [home.parent / f"part-{number}" / "config" for number in range(len(parts))]
    for file, part in zip(files, parts, strict=True):
        file.parent.mkdir()
        file.write_text(json.dumps(part))
    monkeypatch.setenv("KUBECONFIG", ":".join(map(str, files)))
    document = yaml.safe_load(write_kubeconfig(home, "c", None, "default").read_text())
    (cluster,) = document["clusters"]
    assert cluster["cluster"]["server"] == "https://127.0.0.1:1"
    assert cluster["cluster"]["certificate-authority"] == str(files[1].parent / "ca.crt")
    assert document["users"] == [{"name": "u", "user": {"token": "t"}}]


def test_told_names_each_kind() -> None:
    """The one line of `up` reads well for all three."""
    records = (
        SaleRecord("embedded", "x"),
        SaleRecord("minikube", "p", profile="p"),
        SaleRecord("context", "kind-x"),
    )
    assert [availability.cluster_of(record).describe() for record in records] == [
        "the embedded cluster",
        "the minikube profile 'p'",
        "the context 'kind-x'",
    ]
