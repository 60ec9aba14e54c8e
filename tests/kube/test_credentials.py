"""Contexts that cannot be used: each says its own cause, before anything is sent."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from flashsale.base.errors import ClusterUnreachableError
from flashsale.kube import connect, kubeconfig
from tests.command import Flashsale

SERVER = {"server": "https://127.0.0.1:9"}
PLUGIN = {
    "apiVersion": "client.authentication.k8s.io/v1",
    "interactiveMode": "Never",
    "installHint": "get it\nthere",
}


def failing(script: str) -> dict[str, Any]:
    """A user whose program is a line of Python."""
    return {"exec": {**PLUGIN, "command": sys.executable, "args": ["-c", script]}}


def write(folder: Path, user: dict[str, Any], cluster: dict[str, Any]) -> Path:
    document = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "kind-test", "context": {"cluster": "c", "user": "u"}}],
    }
    file = folder / "config"
    file.write_text(json.dumps(document))
    return file


@pytest.mark.parametrize(
    ("user", "cluster", "words", "hint"),
    [
        ({"auth-provider": {"name": "gcp"}}, {}, "auth-provider gcp, which Kubernetes has", "gcl"),
        (
            {"auth-provider": {"name": "azure", "config": {}}},
            {},
            "auth-provider azure",
            "kubelogin",
        ),
        ({"exec": {**PLUGIN, "command": "no-such"}}, {}, "no-such, which logs in", "get it there"),
        ({"exec": {**PLUGIN, "command": "./gone"}}, {}, "'u', is not there", "get it there"),
        (
            failing(
                "import sys; print('first', file=sys.stderr); sys.exit('token \x1b[1mexpired')"
            ),
            {},
            "failed with exit code 1: token  [1mexpired.",
            "get it there",
        ),
        (failing("print('no json')"), {}, "failed: failed to decode process output", "get"),
        (
            {},
            {"server": "https://127.0.0.1:99999"},
            "impossible address, https://127.0.0.1:99999",
            "",
        ),
        ({}, {"server": ""}, "has no server address", ""),
        ({"token": "one\ntwo"}, {}, "has a line break in it", ""),
        ({"tokenFile": "gone"}, {}, "The token of the user 'u' cannot be read", ""),
        ({}, {"certificate-authority-data": "%%%"}, "-data of the cluster 'c' is no base64", ""),
        ({}, {"certificate-authority-data": "aGFsbG8="}, "cluster 'c' is no certificate", ""),
        ({}, {"certificate-authority": "gone.crt"}, "gone.crt: No such file", ""),
        ({"client-certificate-data": "aGFsbG8="}, {}, "user 'u' is no certificate", ""),
        ({"client-key-data": "aGFsbG8="}, {}, "user 'u' is no private key", ""),
    ],
)
async def test_each_mistake_in_a_context_says_what_it_is(
    tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], words: str, hint: str
) -> None:
    """Where the official client would raise whatever it comes to."""
    file = write(tmp_path, user, {**SERVER, **cluster})
    with pytest.raises(ClusterUnreachableError) as caught:
        async with connect(file, "kind-test"):
            pass
    assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert hint in str(caught.value.hint)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"contexts: [", "is not YAML, line 1"),
        (b"\x7fELF\x02\x00\xff", "is not text"),
        (b"just words", "is not a kubeconfig"),
        (b"a: \x01", "is not YAML"),
    ],
)
async def test_file_that_is_no_kubeconfig_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, words: str
) -> None:
    """Also beside another in which the context is: kubectl refuses that, too."""
    good, broken = write(tmp_path, {}, SERVER), tmp_path / "broken"
    broken.write_bytes(text)
    monkeypatch.setenv("KUBECONFIG", f"{good}{os.pathsep}{broken}")
    with pytest.raises(ClusterUnreachableError, match=f"{broken} {words}"):
        async with connect(None, "kind-test"):
            pass


async def test_device_without_an_end_is_no_kubeconfig() -> None:
    """It is read up to the size that no kubeconfig has."""
    with pytest.raises(ClusterUnreachableError, match="/dev/zero is too big to be a kubeconfig"):
        async with connect(Path("/dev/zero"), "kind-test"):
            pass


async def test_context_and_its_cluster_may_be_in_different_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kubectl takes all files of KUBECONFIG together; one that is not there is none."""
    context = {"name": "kind-test", "context": {"cluster": "c", "user": "u"}}
    (tmp_path / "contexts").write_text(json.dumps({"contexts": [context]}))
    file = write(tmp_path, {"token": "t"}, {"server": "http://127.0.0.1:9"})
    files = [str(tmp_path / "contexts"), str(tmp_path / "absent"), str(file)]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(files))
    async with connect(None, "kind-test") as api:
        assert api.host == "http://127.0.0.1:9"


def test_broken_file_is_why_a_context_is_missing(flashsale: Flashsale, tmp_path: Path) -> None:
    """Not `There is no such context`."""
    (tmp_path / "broken").write_text("contexts: [")
    done = flashsale("status", "--context", "kind-test", KUBECONFIG=str(tmp_path / "broken"))
    assert done.code == 3
    assert f"{tmp_path / 'broken'} is not YAML, line 1" in done.err


def test_certificate_that_is_not_checked_is_said_once(flashsale: Flashsale, tmp_path: Path) -> None:
    """urllib3 would say it at every request."""
    flashsale("up", "--no-wait", "--manifest", str(flashsale.lean_manifest()))
    text = Path(flashsale("kubeconfig").out.strip()).read_text()
    lines = [
        "    insecure-skip-tls-verify: true" if "certificate-authority-data" in line else line
        for line in text.replace("flashsale-embedded", "kind-test").splitlines()
    ]
    (tmp_path / "config").write_text("\n".join(lines))
    done = flashsale("status", "--context", "kind-test", KUBECONFIG=str(tmp_path / "config"))
    assert done.code == 0, done.err
    assert done.err.count("insecure") == 1
    assert "InsecureRequestWarning" not in done.err


ODD = """
contexts:
- name: word
  context: word
- {name: number, context: {cluster: [1], user: 3}}
- {name: address, context: {cluster: c, user: c, extensions: [x, {extension: y}]}}
- word
clusters:
- {name: c, cluster: {server: "https://[::1", extensions: {a: b}}}
- {name: d, cluster: 5}
users:
- {name: c, user: {token: , auth-provider: word, exec: word}}
"""


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ("word", "names the cluster '', which"),
        ("number", r"names the cluster '\[1\]', which"),
        ("address", "has an impossible address"),
    ],
)
async def test_parts_that_are_not_what_they_should_be_count_as_missing(
    tmp_path: Path, context: str, words: str
) -> None:
    """A word where a mapping is due is no reason for a traceback."""
    file = tmp_path / "config"
    file.write_text(ODD)
    found = kubeconfig.read(file)
    assert list(found) == ["word", "number", "address"]
    assert not found[context].local
    with pytest.raises(ClusterUnreachableError, match=words):
        async with connect(file, context):
            pass
