"""Words of other programs lead to a command line that does what was meant, or harms nothing."""

from __future__ import annotations

import shutil

import pytest

from flashsale.cli.usage_errors import unknown_command

KUBECTL = "KUBECONFIG=$(flashsale kubeconfig) kubectl "


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("get pods -o wide -n shop", "flashsale status -o wide -n shop"),
        ("get rs,svc", "flashsale status"),
        ("get pods -w", "flashsale watch"),
        ("get nodes", f"{KUBECTL}get nodes"),
        ("describe", "flashsale status"),
        ("describe pod shop-1", f"{KUBECTL}describe pod shop-1"),
        ("exec -it shop-1 -- sh", f"{KUBECTL}exec -it shop-1 -- sh"),
        ("cordon n", f"{KUBECTL}cordon n"),
        ("drain n", f"{KUBECTL}drain n"),
        ("rollout restart", f"{KUBECTL}rollout restart"),
        ("apply -f shop.yaml", "flashsale up --manifest shop.yaml"),
        ("create --filename=shop.yaml", "flashsale up --manifest shop.yaml"),
        ("deploy", "flashsale up"),
        ("run .", "flashsale up ."),
        ("delete", "flashsale down"),
        ("delete pod shop-1 --context kind-x", "flashsale kill-pod shop-1 --context kind-x"),
        ("delete pod/shop-1", "flashsale kill-pod shop-1"),
        ("delete rs shop", "flashsale down"),
        ("delete service/shop", "flashsale down"),
        ("delete -f shop.yaml", "flashsale down"),
        ("kill pod shop-1", "flashsale kill-pod shop-1"),
        ("purge", "flashsale down --purge"),
        ("port-forward svc/shop 8080:80", "flashsale url"),
        ("autoscale --max 9", "flashsale scale 9"),
        ("resize 7", "flashsale scale 7"),
        ("kill shop-1", "flashsale kill-pod shop-1"),
        ("donw", "flashsale down"),
        ("Status -A", "flashsale status -A"),
        ("scal", "flashsale scale 5"),
        ("scal 4", "flashsale scale 4"),
        ("node", "flashsale --help"),
        ("login", "flashsale --help"),
        ("help scale", "flashsale scale --help"),
        ("get -o", "flashsale status"),
    ],
)
def test_what_was_meant(typed: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only kubectl does is typed as kubectl's, for the sale's cluster."""
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert unknown_command(typed.split()).hint == hint


def test_without_kubectl_no_line_begins_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hint works when it is pasted."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert unknown_command(["exec", "shop-1"]).hint == "flashsale --help"
