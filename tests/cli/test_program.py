"""The program around the commands: help, options, errors, exit codes."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest

from flashsale import __version__
from flashsale.base.errors import CTRL_C
from flashsale.cli.command_list import ENTRIES, CommandEntry
from flashsale.cli.main import main

ROOT = Path(__file__).parents[2]
EVERY = [pytest.param(entry, id=entry.name) for entry in ENTRIES]


def run_program(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run a command line in this process: exit code, stdout, stderr."""
    code: object = 0
    try:
        main(words)
    except SystemExit as end:
        code = end.code
    seen = capsys.readouterr()
    assert isinstance(code, int)
    return code, seen.out, seen.err


def test_help_lists_every_command_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody has to look anywhere else to find a command."""
    code, out, _ = run_program(capsys, "--help")
    assert code == 0
    for entry in ENTRIES:
        assert f"  {entry.name} " in out
        assert entry.help in " ".join(out.split())


def test_no_command_means_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The bare name explains itself."""
    assert run_program(capsys) == run_program(capsys, "--help")


@pytest.mark.parametrize("entry", EVERY)
def test_catalogue_says_what_the_command_says(entry: CommandEntry) -> None:
    """The line in `--help` is the first line of the command's own help."""
    module = import_module(f"flashsale.cli.commands.{entry.function}")
    assert getattr(module, entry.function).__doc__.splitlines()[0] == entry.help


@pytest.mark.parametrize("entry", EVERY)
def test_every_command_has_help_and_the_global_options_that_do_something(
    entry: CommandEntry, capsys: pytest.CaptureFixture[str]
) -> None:
    """`flashsale COMMAND --help` and `-h` work; where no cluster is asked none can be named."""
    code, out, _ = run_program(capsys, entry.name, "--help")
    assert code == 0
    assert out == run_program(capsys, entry.name, "-h")[1]
    for option in ("-o, --output", "--quiet", "-v, --verbose", "--debug", "-h, --help"):
        assert option in out
    for name in ("context", "cluster", "profile", "namespace"):
        assert (f"--{name}" in out) == (name in entry.shared)


@pytest.mark.parametrize("entry", EVERY)
def test_help_ends_with_examples(entry: CommandEntry, capsys: pytest.CaptureFixture[str]) -> None:
    """What a command is for is shown by what is typed."""
    out = run_program(capsys, entry.name, "--help")[1]
    assert all(line in out.partition("Examples:")[2] for line, _ in entry.examples)


@pytest.mark.parametrize("columns", [40, 60, 80, 110])
def test_help_fits_the_terminal(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However narrow it is; a command to copy is never broken."""
    monkeypatch.setenv("COLUMNS", str(columns))
    for entry in ENTRIES:
        out = run_program(capsys, entry.name, "--help")[1].partition("Examples:")[0]
        assert max(map(len, out.splitlines())) <= columns


def test_help_needs_one_column(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unreadable, but no bug of ours."""
    monkeypatch.setenv("COLUMNS", "1")
    assert run_program(capsys, "--help")[0] == 0


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints name and number, and needs no cluster."""
    assert run_program(capsys, "--version") == (0, f"flashsale {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["stauts"], "There is no command 'stauts'. Did you mean 'status'?"),
        (["status", "--nope"], "No such option"),
        (["scale", "3", "--timeot", "5s"], "No such option: --timeot. Did you mean --timeout?"),
        (["scale", "--timeot", "5s", "3"], "No such option: --timeot. Did you mean --timeout?"),
        (["scale", "-x", "3"], "No such option: -x."),
        (["up", "\N{EM DASH}replicas", "3"], "no option: those begin with two hyphens"),
        (["up", "-rebuild"], "-rebuild is no option: those begin with two hyphens"),
        (["\N{EN DASH}-quiet", "status"], "no option: those begin with two hyphens"),
        (["scale", "-1", "--timeout", "5s"], "must be 0 or more, not -1."),
        (["scale", "--timeout", "-5", "3"], "'-5' is not a duration"),
        (["scale", "--", "-1"], "must be 0 or more, not -1."),
        (["--clustr", "minikube", "up"], "No such option: --clustr. Did you mean --cluster?"),
        (["scale"], "Missing argument"),
        (["status", "extra"], "unexpected extra argument"),
        (["up", "--cluster", "gke"], "There is no cluster called 'gke'"),
        (
            ["status", "--context", "a", "--cluster", "minikube"],
            "Give only one of --context, --cluster.",
        ),
        (["up", "--cluster", "embedded", "--profile", "x"], "the embedded cluster has none"),
        (["status", "-A", "-n", "x"], "Give only one of -A, -n."),
        (["url", "-o", "yaml"], "cannot print 'yaml'"),
        (["scale", "3", "-o", "wide"], "cannot print 'wide'"),
        (["up", "--timeout", "soon"], "'soon' is not a duration"),
        (["up", "--image", "shop"], "'shop' is not an image"),
        (["up", "--image", "Shop:1"], "'Shop:1' is not an image"),
        (["up", "--build-arg", "=x"], "has no value"),
        (["up", "--cpus", "1"], "--cpus must be 2 or more, not 1"),
        (["up", "--memory", "lots"], "'lots' is not a size of memory"),
        (["up", "--driver", "my docker"], "'my docker' is not a driver"),
        (["logs", "--tail", "-1"], "--tail must be 0 or more, not -1."),
        (["kill-pod", "a", "--all"], "Give only one of POD, --count, --all, --node."),
        (["kill-pod", "--hard", "--grace", "3"], "Give only one of --grace, --hard, --process."),
        (["kill-pod", "--count", "0"], "--count must be 1 or more, not 0."),
        (["kill-pod", "--grace", "-1"], "--grace must be 0 to 86400, not -1."),
        (["kill-pod", "--grace", "9" * 20], "--grace must be 0 to 86400, not 99999"),
        (["kill-pod", "--grace", "1e9"], "Invalid value for '--grace': no whole number."),
        (["load", "--rate", "many"], "Invalid value for '--rate': no number."),
        (["status", "-n", "my shop"], "'my shop' cannot name a namespace"),
        (["status", "-n", ""], "'' cannot name a namespace"),
        (["drill", "--report"], "flashsale drill --help"),
        (["watch", "--for", "0s"], "--for must be longer than 0 s."),
        (["drill", "--report", "x.txt"], "--report writes .html, .md or .json, not x.txt."),
        (["completion", "tcsh"], "no completion for 'tcsh'"),
    ],
)
def test_mistakes_on_the_command_line_exit_2(
    words: list[str], sentence: str, sale_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and one hint on stderr, nothing on stdout, nothing left behind."""
    code, out, err = run_program(capsys, *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert [line.partition(":")[0] for line in err.splitlines()] == ["Error", "Hint"]
    assert not sale_home.exists()


@pytest.mark.parametrize(
    "count", ["-1", "-100", "2.5", "1e3", "three", "", "101", "9" * 30, "½", "٣"]
)
@pytest.mark.parametrize("command", [["scale"], ["up", "--replicas"]])
def test_impossible_replica_counts_exit_2(
    command: list[str], count: str, sale_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Negative, fractional, words, absurd: refused before anything is looked at."""
    code, out, err = run_program(capsys, *command, count)
    assert (code, out) == (2, "")
    assert "pods" in err
    assert not sale_home.exists()


WITHOUT_SALE = ["status", "url", "open", "logs", "kubeconfig", "down", "scale", "kill-pod"]


@pytest.mark.parametrize("command", WITHOUT_SALE)
def test_commands_without_a_sale_exit_4(
    command: str, sale_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No sale was ever opened: say so, and how to open one."""
    words = [command, "3"] if command == "scale" else [command]
    code, out, err = run_program(capsys, *words)
    assert (code, out) == (4, "")
    hint = "flashsale down --context NAME  # if it is on another cluster"
    hint = hint if command == "down" else "flashsale up"
    assert err == f"Error: No sale is open here.\nHint: {hint}\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["-n", "other", "status"], "flashsale up -n other"),
        (["scale", "two", "--context", "a b"], "flashsale scale --context 'a b' 5"),
        (["status", "--cluster", "embedded"], "flashsale up --cluster embedded"),
        (["up", "--replicas", "200"], "flashsale up --replicas 100"),
        (["up", "--replicas", "200", "-n", "x"], "flashsale up -n x --replicas 100"),
        (["up", "--replicas", "-1"], "flashsale up --replicas 3"),
        (["scale", "two", "-n", "x"], "flashsale scale -n x 5"),
        (["up", "--cluster", "gke"], "flashsale up --cluster embedded"),
        (["status", "--context", "nope"], "flashsale doctor"),
        (["start"], "flashsale up"),
        (["stop", "--profile", "x"], "flashsale down --profile x"),
        (["delete"], "flashsale down"),
        (["delete", "pod", "shop-5pgp7"], "flashsale kill-pod shop-5pgp7"),
        (["rm", "-f", "shop-5pgp7"], "flashsale kill-pod shop-5pgp7"),
        (["get", "pods", "-A"], "flashsale status"),
        (["ps"], "flashsale status"),
        (["help"], "flashsale --help"),
        (["help", "scale"], "flashsale scale --help"),
        (["stauts", "-o", "wide"], "flashsale status -o wide"),
        (["-n", "x", "stauts"], "flashsale status -n x"),
        (["scale", "--replicas", "5"], "flashsale scale 5"),
        (["scale", "--replicas=5", "-n", "x"], "flashsale scale 5 -n x"),
        (["scale", "rs/shop", "--replicas", "4", "-n", "x"], "flashsale scale 4 -n x"),
        (["scale", "shop", "4"], "flashsale scale 4"),
        (["scale", "shop", "4", "--timeout", "60"], "flashsale scale 4 --timeout 60"),
        (["scale", "-1"], "flashsale scale 3"),
        (
            ["up", "https://example.com/shop.git"],
            "git clone https://example.com/shop.git && flashsale up shop",
        ),
        (
            ["up", "git@example.com:me/my.app.git"],
            "git clone git@example.com:me/my.app.git && flashsale up my.app",
        ),
        (
            ["up", "--manifest", "https://example.com/a.yaml"],
            "curl -fsSL https://example.com/a.yaml | flashsale up --manifest -",
        ),
        (["load", "--duration", "30s", "--rps", "5"], "flashsale load --for 30s --rate 5"),
        (["kill-pod", "--force"], "flashsale kill-pod --hard"),
        (["up", "-p", "shop"], "flashsale up --profile shop"),
        (["down", "--all"], "flashsale down"),
        (["down", "--volumes"], "flashsale down --purge"),
        (["status", "--json"], "flashsale status -o json"),
        (["scale", "3", "--timeot", "5s"], "flashsale scale 3 --timeout 5s"),
        (["--clustr", "minikube", "up"], "flashsale --cluster minikube up"),
    ],
)
def test_hint_is_the_whole_command(
    words: list[str], hint: str, sale_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was typed about where the sale is stands in the command that helps."""
    assert run_program(capsys, *words)[2].splitlines()[-1] == f"Hint: {hint}"


def test_record_of_another_version_is_left_alone(
    sale_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told about, and not touched."""
    sale_home.mkdir()
    text = '{"format": 99}'
    (sale_home / "sale.json").write_text(text)
    code, _, err = run_program(capsys, "status")
    assert code == 1
    assert "does not tell where the sale is" in err
    assert (sale_home / "sale.json").read_text() == text


@pytest.mark.parametrize("words", [("up", "--replicas", "2"), ("kill-pod", "--count", "2")])
def test_insisting_on_a_remote_context_repeats_the_command(
    sale_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    """Numbers and all: whoever pastes it gets what was asked for."""
    cluster = {"name": "c", "cluster": {"server": "https://203.0.113.1"}}
    context = {"name": "prod", "context": {"cluster": "c"}}
    (tmp_path / "config").write_text(json.dumps({"clusters": [cluster], "contexts": [context]}))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    code, _, err = run_program(capsys, *words, "--context", "prod")
    assert code == 6
    whole = f"flashsale {' '.join(words)} --context prod --allow-remote"
    assert err.splitlines()[-1] == f"Hint: {whole}"


def test_record_of_another_user_is_not_advised_to_be_removed(
    sale_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a `sudo flashsale up`, say."""
    monkeypatch.setattr(Path, "read_bytes", _forbidden)
    code, _, err = run_program(capsys, "status")
    assert (code, "is not yours to read" in err) == (2, True)
    assert "Hint: export FLASHSALE_HOME=" in err


def _forbidden(path: Path) -> bytes:
    raise PermissionError(errno.EACCES, "Permission denied", str(path))


def test_shared_options_go_before_and_after(
    sale_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`-o json` means the same on both sides of the command, and the last one wins."""
    after = run_program(capsys, "manifest", "-o", "json")
    assert run_program(capsys, "-o", "json", "manifest") == after
    assert after[0] == 0
    assert "cannot print 'x'" in run_program(capsys, "-o", "json", "manifest", "-o", "x")[2]


def test_debug_shows_where(sale_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--debug` adds the traceback to the same sentence and exit code."""
    code, _, err = run_program(capsys, "status", "--debug")
    assert code == 4
    assert "Traceback" in err
    assert err.endswith("Error: No sale is open here.\nHint: flashsale up\n")


def test_bug_is_one_sentence(
    sale_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even a bug ends in a wall of text."""
    from flashsale.sale.files import manifest

    monkeypatch.setattr(manifest, "shipped_text", lambda: 1 / 0)
    code, _, err = run_program(capsys, "manifest")
    assert code == 1
    assert err.splitlines()[0] == "Error: flashsale met a bug: ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("flashsale.cli.main", -signal.SIGINT),  # a shell says 130 of that, too
        ("flashsale.base.errors", -signal.SIGINT),
        ("typer", CTRL_C),
        ("asyncio", CTRL_C),
        ("flashsale.sale.session", CTRL_C),
    ],
)
def test_ctrl_c_while_it_starts_leaves_without_a_word(
    module: str, code: int, sale_home: Path
) -> None:
    """Whatever is being imported at that moment, and whatever was begun."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (begin,) = set(project["scripts"].values())
    where, _, function = begin.partition(":")
    script = f"""
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from {where} import {function}
{function}()
"""
    command = [sys.executable, "-W", "always", "-c", script, "scale", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_ctrl_c_of_a_program_that_calls_ours_stays_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A handler of its own is left alone, and the usual one is put back."""

    def own(signum: int, frame: object) -> None:
        """Do what that program does."""

    before = signal.signal(signal.SIGINT, own)
    try:
        main(["manifest"])
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)
    main(["manifest"])
    assert signal.getsignal(signal.SIGINT) is before
    assert capsys.readouterr().err == ""


def test_commands_run_in_any_thread(capsys: pytest.CaptureFixture[str]) -> None:
    """Only the main one may say what Ctrl-C does."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(main, ["--version"]).result()
    assert capsys.readouterr().out.startswith("flashsale ")


def test_another_file_on_a_full_disk_is_not_taken_for_stdout(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is written does not tell its name when the disk is full."""
    from flashsale.sale.files import manifest

    monkeypatch.setattr(manifest, "shipped_text", lambda: Path("/dev/full").write_text("all"))
    code, _, err = run_program(capsys, "manifest")
    assert code == 1
    assert err.splitlines()[0] == "Error: The system refused: No space left on device."


def test_full_disk_is_one_sentence(sale_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the system refuses is told in its words."""
    sale_home.parent.joinpath("file").write_text("")
    code, _, err = run_program(capsys, "init", str(sale_home.parent / "file" / "sale"))
    assert code == 1
    assert err.startswith("Error: The system refused: Not a directory")


@pytest.mark.parametrize("words", ["manifest", "--help", "scale --help", "doctor 2>&1"])
def test_reader_that_leaves_is_no_error(words: str, sale_home: Path) -> None:
    """`flashsale --help | head -1` ends in silence."""
    code = "from flashsale.cli.main import main; main()"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -c '{code}' {words} | head -0"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_help_imports_nothing_heavy() -> None:
    """`--help` loads neither the client nor Rich, nor even the event loop."""
    heavy = ("kubernetes", "docker", "rich", "aiohttp", "yaml", "asyncio", "pydantic")
    code = (
        "import sys\nfrom flashsale.cli.main import main\nmain(['--help'])\n"
        f"sys.exit(' '.join(name for name in {heavy!r} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stderr == "\n" or done.stderr == ""
