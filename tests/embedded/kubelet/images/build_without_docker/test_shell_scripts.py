"""Scripts of RUN: conditions, loops, pipelines, other shells, and what their commands install."""

from pathlib import Path

import pytest

from flashsale.base.dockerfile.stages import parse_stages
from flashsale.base.errors import BadInputError
from flashsale.embedded.kubelet.images.build_without_docker import (
    dockerfile_reader,
    system_packages,
)
from flashsale.embedded.kubelet.images.build_without_docker.image_recipe import ImageRecipe


def recipe_of(folder: Path, text: str) -> ImageRecipe:
    """Follow instructions in an image that has the app folder as its working directory."""
    (folder / "need.txt").write_text("# web\nflask\ngunicorn\n")
    (folder / "set-up.sh").write_text("#!/bin/sh\npip install six\nexit 0\npip install no\n")
    (folder / "set-up.sh").chmod(0o755)
    begin = "FROM python\nARG MODE=live\nWORKDIR /app\nCOPY . .\n"
    return dockerfile_reader.read_stages(parse_stages(begin + text), folder)


@pytest.mark.parametrize(
    ("script", "installed"),
    [
        ('if [ "$MODE" = "dev" ]; then pip install a; else pip install b; fi', "b"),
        ("if [ -f need.txt ] && ! test -e none; then pip install -r need.txt; fi", "-r need.txt"),
        ("[ -f none.txt ] && pip install -r none.txt || true", ""),
        ("bash -c 'if [[ $MODE == l* && -d /app ]]; then pip install a; else :; fi'", "a"),
        ("if grep -q flask need.txt; then pip install a; fi", "a"),
        ("for one in no need; do [ -f $one.txt ] && pip install -r $one.txt; done", "-r need.txt"),
        ("case $MODE in dev|test) pip install a ;; *) pip install b ;; esac", "b"),
        ("(cd /tmp && pip install a); { pip install b; }", "a b"),
        ("pip install $(cat need.txt | grep -v '#')", "flask gunicorn"),
        ("grep -v gunicorn need.txt > less.txt && xargs -n1 pip install < less.txt", "# web flask"),
        ("grep -v '#' need.txt | xargs -n 1 pip install", "flask gunicorn"),
        ("echo a | grep -q b || pip install b", "b"),
        ("if ! echo a | grep -q b; then pip install a; fi", "a"),
        ("V=$(echo 1; echo 2) && pip install a==$V; pip install b", "b"),
        ("V=$(date) && pip install a==$V; pip install b", "b"),
        ("bash -c 'set -e; pip install a' && sh -euxc \"pip install $MODE\"", "a live"),
        ("./set-up.sh && echo done", "six"),
        (". /opt/venv/bin/activate && pip install a", "a"),
        ("exit 0; pip install a", ""),
        ("env A=1 nice -n 5 pip -q install a", "-q a"),
        ("python -u -m pip --timeout 9 install a", "--timeout 9 a"),
        ("uv --native-tls pip install --system a", "a"),
        ("uv pip sync need.txt; pip-sync need.txt", "-r need.txt -r need.txt"),
        ("uv add a; poetry add b; pipx install c; uv tool install d", "a b c d"),
        ("poetry run pip install a", "a"),
        ("python -m build --wheel -o out && pip install out/*.whl", "."),
        ("uv build && pip install dist/app-1.0-py3-none-any.whl", "."),
        ("pipenv lock -r > r.txt && pip install -r r.txt", "--system"),
        ("pdm install", ""),
        ("<<EOF\n  pip install a\nEOF", "a"),
        ("<<EOF bash\npip install a\nEOF", "a"),
        ("<<EOF\n#!/usr/bin/env bash\npip install a\nEOF", "a"),
        ("pip install -r none.txt || pip install b", "b"),
        ("pip install a>=1.1 b", "a b"),
        ("touch w-1.whl && pip install ./*.whl", "/app/w-1.whl"),
        ("if [ $NONE == 'true' ]; then pip install a; else pip install b; fi", "b"),
    ],
)  # fmt: skip
def test_what_a_script_installs(tmp_path: Path, script: str, installed: str) -> None:
    """As a shell would have it: what is not reached is not installed."""
    recipe = recipe_of(tmp_path, f"RUN {script}\n")
    assert " ".join(" ".join(install.words[1:]) for install in recipe.installs) == installed


@pytest.mark.parametrize(
    ("script", "content"),
    [
        ("printf '%s\\n' a b > f", "a\nb\n"),
        ("{ echo a; echo b; } > f", "a\nb\n"),
        ("echo a | tee f && echo b | tee -a f > /dev/null", "a\nb\n"),
        ("cat need.txt need.txt | sort -u | head -n 1 > f", "# web\n"),
        ("cat < need.txt | grep web > f", "# web\n"),
        ("sed 's/flask/quart/' need.txt > f", "# web\nquart\ngunicorn\n"),
        ('echo "" > f; echo "\\$HOME" >> f', "\n$HOME\n"),
        ("sed -i -e s/web/x/ -e /flask/d need.txt; ln -s need.txt l; cat l > f", "# x\ngunicorn\n"),
        ("sh -c 'echo $0 $1 $# > f' a b", "a b 1\n"),
        ("cat <<A > g && cat <<'B' > f\nx\nA\n$HOME\nB", "$HOME\n"),
        (
            "<<E\ncat <<F > f\nrm need.txt $HOME\nF\ncat need.txt >> f\nE",
            "rm need.txt /root\n# web\nflask\ngunicorn\n",
        ),
        ("echo x > f && find . -name f -exec rm {} + ; echo y >> f", "y\n"),
        (
            "mkdir real && ln -s real l && echo x > l/g && ln -s real/g h && echo y >> h; cp h f",
            "x\ny\n",
        ),
        ("echo -e a > f; bash -c 'echo -e b\\\\nc >> f; echo d\\\\n >> f'", "-e a\nb\nc\nd\\n\n"),
        ("false; echo $? $PWD > f", "1 /app\n"),
        ("printf '%03d|%s' 7 > f", "007|"),
        ("mkdir g > f 2>&1 && test -d g && sed -i.old s/web/x/ need.txt && rm need.txt.old", ""),
        ("if [ a == a ]; then echo y > f; else echo n > f; fi", "n\n"),
    ],
)
def test_what_a_script_writes(tmp_path: Path, script: str, content: str) -> None:
    """Text that this machine's programs can tell as well."""
    recipe = recipe_of(tmp_path, f"RUN {script}\n")
    assert (recipe.files.entries["app/f"].read().decode(), recipe.notes) == (content, ())


@pytest.mark.parametrize(
    "run",
    [
        "if [ -f /etc/debian_version ]; then pip install a; fi",
        "while read one; do pip install $one; done < need.txt",
        "f() { pip install a; }; f",
        "cat /etc/hostname > f",
        "grep -h . need.txt /etc/hostname > f",
        "<<EOF python3\nimport os\nEOF",
        "<<EOF\n#!/usr/bin/env python3\nimport os\nEOF",
        "python - <<EOF\nimport os\nEOF",
    ],
)
def test_what_only_a_container_could_tell_is_noted(tmp_path: Path, run: str) -> None:
    """Nothing of it is done."""
    recipe = recipe_of(tmp_path, f"RUN {run}\n")
    assert (len(recipe.notes), recipe.installs) == (1, ())


@pytest.mark.parametrize(
    "how", ["--prefix=/in pip", "--target /in pip", "--user pip"], ids=lambda how: how.split()[0]
)
def test_packages_are_copied_from_wherever_pip_was_told_to_put_them(
    tmp_path: Path, how: str
) -> None:
    """A builder's `pip install --prefix=/install` is what most multi-stage files have."""
    option = how.removesuffix(" pip")
    place = "/home/me/.local" if option == "--user" else "/in"
    recipe = recipe_of(
        tmp_path,
        f"RUN mkdir -p {place} && pip install {option} -r need.txt\n"
        f"FROM python\nCOPY --from=0 {place} /usr/local\n",
    )
    assert ([install.words for install in recipe.installs], recipe.notes) == (
        [("install", "-r", "need.txt")],
        (),
    )


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ("exit 1", "exit 1 fails"),
        (
            'test -f none || { echo "none is missing" >&2; exit 2; }',
            "exit 2 fails: none is missing",
        ),
        ("test -f none", "test -f none fails"),
        ("true && false", "false fails"),
        ("set -e; false; touch f", "false fails"),
        ("set -e; (false); touch f", "false fails"),
        ("sh -ec 'false; touch f'", "false fails"),
        ("false; exit", "exit fails"),
        ("for one in 1; do test $one = 2; done", "test $one = 2 fails"),
        ("! true", "RUN ! true fails"),
        ('["rm", "none"]', "rm none fails: none: No such file or directory"),
        ("chmod +x none.sh", "none.sh: No such file or directory"),
        ("cp .env.example .env", ".env.example: No such file or directory"),
        ("cp need.txt none/", "none/: Not a directory"),
        ("mkdir data; cp data copy", "/app/data: Is a directory"),
        ("cp need.txt set-up.sh /nowhere", "/nowhere: No such file or directory"),
        ("echo x > need.txt/y", "need.txt/y: Not a directory"),
        ("touch -d 2020-01-01 none/f", "none/f: No such file or directory"),
        ("false; (exit 1); exit $?", "exit $? fails"),
        ("mkdir data && mkdir data", "data: File exists"),
        ("mkdir a/b", "a/b: No such file or directory"),
        ("echo > a/b", "a/b: No such file or directory"),
        ("mkdir -p need.txt/a", "/app/need.txt: Not a directory"),
        ("mkdir data; rm data", "data: Is a directory"),
        ("mkdir data; touch data/f; rmdir data", "/app/data: Directory not empty"),
        ("ln -s set-up.sh need.txt", "need.txt: File exists"),
        ("sed -i s/a/b/ none", "none: No such file or directory"),
        ("cd none && touch f", "none: No such file or directory"),
        ("pip install -r none.txt", "none.txt: No such file or directory"),
        ("python manage.py migrate", "manage.py: No such file or directory"),
        ("./none.sh", "./none.sh: No such file or directory"),
        ("./need.txt", "./need.txt fails: it is not executable; chmod +x it first"),
        ("printf '#!/bin/sh\\r\\n' > a.sh; chmod +x a.sh; ./a.sh", "its lines end as on Windows"),
        ("source need.txt", "dash, which lacks it"),
        ("[[ 1 == 1 ]]", "dash, which lacks it"),
        ("set -o pipefail; touch f", "dash, which lacks it"),
    ],
)
def test_a_run_that_is_certain_to_fail_fails_the_build(tmp_path: Path, run: str, why: str) -> None:
    """As Docker's does, with the command and its reason."""
    with pytest.raises(BadInputError) as caught:
        recipe_of(tmp_path, f"RUN {run}\n")
    assert str(caught.value).startswith("Dockerfile:5: ")
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "run",
    [
        "false || true",
        "set -e; false || true; if false; then true; fi; ! true; touch f",
        "install -o root -g root -Dm644 need.txt deep/er/f && install --mode=700 -d d && cd d",
        "mkdir d && cp -t d need.txt && mv --target-directory=d set-up.sh",
        "adduser -D -h /shop shop && cd /shop",
        "set -ex; set +e; false; true",
        "--mount=type=tmpfs,target=/scratch --mount=type=cache,target=/c touch /scratch/a; cd /c",
        "false; touch f",
        "rm -f none && rm -rf none/*",
        "which nobody && exit 1; touch f",
        "touch -r /etc/hosts -d 2020-01-01 --date=now f && touch -c none/f && test -f f",
        "mkdir d && cp -r d new/ && mv new newer/ && rmdir newer",
        "mkdir d && cd -P -- d && touch f && test -f /app/d/f",
        'test -n "$PATH" && export PATH="/x:$PATH"',
        '[ "$UID" = 0 ]',
        "apt-get update; test $? = 1",
        "false; chmod $(date) need.txt; exit $?",
        "false; nobody-knows; exit",
        "false; (true); exit $?",
        "false; curl -s x | sh; exit $?",
        "curl -sSL https://install.python-poetry.org | POETRY_HOME=/opt/p python3 - ; rm /opt/p/f",
        "pip install . && cp -r app.egg-info /srv",
        "pip install -e .[test] && mv build /srv",
        "cat need.txt | uv pip install -r - && pip install -r /dev/stdin < need.txt",
        "mkdir /opt/a /srv/b && cd /mnt && cd /srv && echo > /usr/src/c",
        "adduser --disabled-password shop && cd /home/shop && cp .bashrc /srv",
        "useradd -r -d /shop -m shop && cd /shop",
        ".venv/bin/python -m flask db upgrade && chmod +x made-by-it",
        '[ "$PYTHON_VERSION" = 1 ] && cat none && exit 1',
        "rm /etc/motd && cd /usr/share && chmod 644 /etc/hosts",
        "python -m venv /opt/v && /opt/v/bin/pip list && chmod +x /opt/v/bin/activate",
        'python -c \'open("new", "w")\' && chmod +x new && test -f new',
    ],
)
def test_a_run_that_may_succeed_does(tmp_path: Path, run: str) -> None:
    """What the base image has, or a program makes that is not run here, may be there."""
    assert recipe_of(tmp_path, f"RUN {run}\n").base == "python"


def test_packages_listed_by_standard_input_are_noted(tmp_path: Path) -> None:
    """The list itself is no file of the image that could be kept for later."""
    recipe = recipe_of(tmp_path, "RUN cat need.txt | uv pip install -r -\n")
    assert (recipe.installs, len(recipe.notes)) == ((), 1)


def test_what_is_copied_from_the_image_of_uv_may_be_there(tmp_path: Path) -> None:
    """Wherever it is put; in a folder of programs it makes nothing else uncertain."""
    copy = "COPY --from=ghcr.io/astral-sh/uv:0.5 /uv"
    recipe_of(tmp_path, f"{copy} /opt/uv\nRUN chmod +x /opt/uv && /opt/uv sync\n")
    with pytest.raises(BadInputError, match=r"none: No such file"):
        recipe_of(tmp_path, f"{copy} /bin/\nRUN rm none\n")


def test_a_program_that_is_no_text_may_be_run(tmp_path: Path) -> None:
    """Nobody reads it as a script."""
    (tmp_path / "tool").write_bytes(b"\x7fELF\xff\xfe\n")
    (tmp_path / "tool").chmod(0o755)
    assert "RUN ./tool (line 5)" in recipe_of(tmp_path, "RUN ./tool\n").notes[0]


def test_small_programs_that_packages_bring_have_a_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this machine lacks them; what else is missing is noted."""
    monkeypatch.setattr(system_packages.shutil, "which", lambda name: None)
    recipe = recipe_of(tmp_path, "RUN apt-get install -y tini && apk add --no-cache su-exec=1\n")
    assert recipe.files.entries["usr/bin/tini"].mode == 0o755
    assert "usr/bin/chown" in recipe.files.entries
    assert recipe.notes == ()
    assert recipe_of(tmp_path, "RUN apt-get install -y tini nginx\n").notes
