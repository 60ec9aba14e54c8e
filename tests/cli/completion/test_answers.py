"""What can stand where the cursor is, as real shells ask for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flashsale.cli.command_list import ENTRIES, SALE
from flashsale.cli.completion.answers import completions, typed_words
from flashsale.cli.completion.scripts import SCRIPTS
from tests.command import Flashsale


def values(line: str) -> list[str]:
    """What is offered at the end of a line, without what it means."""
    words, incomplete = typed_words({"COMP_LINE": line})
    return [completion.partition("\t")[0] for completion in completions(words, incomplete)]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("flashsale kill", ["kill-pod", "kill-node"]),
        ("flashsale -n shop kill", ["kill-pod", "kill-node"]),
        ("flashsale --cluster ", ["auto", "minikube", "embedded"]),
        ("flashsale up --cluster=em", ["--cluster=embedded"]),
        ("flashsale status -o ", ["json", "wide"]),
        ("flashsale scale 3 -o ", ["json"]),
        ("flashsale load --arrivals p", ["poisson"]),
        ("flashsale completion ", list(SCRIPTS)),
        ("flashsale completion bash ", []),
        ("flashsale scale ", []),
        ("flashsale scale --no-w", ["--no-wait"]),
        ("flashsale scale --no-wait --no-w", []),
        ("flashsale up ", [":dirs"]),
        ("flashsale up --manifest ", [":files"]),
        ("flashsale drill --compare a.json ", [":files"]),
        ("flashsale nope ", []),
        ("flashsale learn k", ["kill"]),
        ("flashsale up 'my sa", [":dirs"]),
        ("flashsale logs", ["logs"]),
        ("", [entry.name for entry in ENTRIES]),
    ],
)
def test_what_fits_is_offered(line: str, offered: list[str]) -> None:
    """Commands, options, values; `:files` and `:dirs` are the shell's to complete."""
    assert values(line) == offered


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_option_that_is_offered_exists_and_does_something(entry: object) -> None:
    """And none is kept back."""
    from tests import command_line

    name, shared = entry.name, entry.shared  # type: ignore[attr-defined]
    params = [param for param in command_line.command(name).params if param.opts[0][0] == "-"]
    own = {param.name: max(param.opts, key=len) for param in params}
    idle = {*SALE} - {*shared}
    wanted = {option for name, option in own.items() if name not in idle} | {"--help"}
    assert set(values(f"flashsale {name} --")) == wanted


def test_contexts_are_those_of_the_kubeconfig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody types the name of a cloud's cluster."""
    names = ["kind-dev", "arn:aws:eks:shop"]
    contexts = [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in names]
    clusters = [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}]
    (tmp_path / "config").write_text(json.dumps({"contexts": contexts, "clusters": clusters}))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    assert values("flashsale up --context ") == sorted(names)


NEXT = "== next"
ASK = {  # they get what was typed as arguments
    "bash": """source <(flashsale completion bash)
for COMP_LINE in "$@"; do
  COMP_POINT=${#COMP_LINE}; _flashsale flashsale; printf '%s\\n' "${COMPREPLY[@]}" '== next'
done""",
    "zsh": """autoload -Uz compinit && compinit -u -D; source <(flashsale completion zsh)
_describe() { print -l -- "${items[@]}" }
for LINE in "$@"; do
  words=(${(z)LINE}); [[ $LINE == *' ' ]] && words+=(''); CURRENT=${#words}
  _flashsale; print '== next'
done""",
    "fish": """flashsale completion fish | source
for LINE in $argv; complete -C "$LINE"; echo '== next'; end""",
}
OFFERED = {
    "flashsale url": "url",
    "flashsale kill-pod --ha": "--hard",
    "flashsale status -o ": "wide",
    "flashsale --cluster emb": "embedded",
}


@pytest.mark.parametrize("shell", ASK)
def test_real_shells_understand_their_scripts(shell: str, open_sale: Flashsale) -> None:
    """Apostrophes in what an option means included."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here")
    folder = f"{Path(sys.executable).parent}:{os.defpath}"
    first = [] if shell == "fish" else [shell]  # fish has no $0 there
    done = subprocess.run(
        [program, "-c", ASK[shell], *first, *OFFERED],
        env=open_sale.environment | {"PATH": folder, "TERM": "dumb"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    answers = done.stdout.split(f"{NEXT}\n")
    assert len(answers) == len(OFFERED) + 1, done
    for answer, offered in zip(answers, OFFERED.values(), strict=False):
        found = [
            splitline.replace("\\:", ":").partition("\t")[0] for splitline in answer.splitlines()
        ]
        assert any(one == offered or one.startswith(f"{offered}:") for one in found), done


def test_pods_are_asked_of_the_cluster(
    open_sale: Flashsale, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it answers; nobody waits for one that does not."""
    from flashsale.cli.completion import answers

    for name, value in open_sale.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(answers, "PATIENCE", 20.0)  # of a busy machine
    pods = {pod["name"] for pod in open_sale("status", "-o", "json").json["pods"]}
    assert set(values("flashsale kill-pod ")) == pods
    assert set(values("flashsale logs flashsale-rs-")) == pods
    assert "default" in values("flashsale status -n ")
    monkeypatch.setattr(answers, "PATIENCE", 0.0)
    assert values("flashsale kill-pod ") == []
