"""Dockerfiles of all kinds: stages, COPY, and RUN as far as it goes without a container."""

import signal
import tarfile
from pathlib import Path

import pytest

from flashsale.base.dockerfile.stages import parse_stages
from flashsale.base.errors import BadInputError
from flashsale.embedded.kubelet.images.build_without_docker import dockerfile_reader
from flashsale.embedded.kubelet.images.build_without_docker.image_recipe import ImageRecipe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app folder."""
    (tmp_path / "app.py").write_text("app = None\n")
    (tmp_path / "entry.sh").write_text("#!/bin/sh\r\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("1")
    (tmp_path / "data" / "b.csv").write_text("2")
    (tmp_path / "data" / "empty").mkdir()
    return tmp_path


def read(folder: Path, text: str, **arguments: str) -> ImageRecipe:
    """Follow a Dockerfile."""
    return dockerfile_reader.read_stages(parse_stages(text, "Dockerfile", arguments), folder)


def files(recipe: ImageRecipe) -> set[str]:
    """Return the paths of a recipe's files."""
    return {path for path, entry in recipe.files.entries.items() if not entry.is_folder}


def test_from_an_earlier_stage_keeps_all_that_it_has(folder: Path) -> None:
    """Files, ENV, WORKDIR, ports and the command; its own ENV fills in variables."""
    recipe = read(
        folder,
        "ARG TAG=3.11\nFROM python:$TAG AS Base\nENV PLACE=/srv\nWORKDIR $PLACE\nCOPY app.py .\n"
        'EXPOSE 5000\nCMD ["python", "app.py"]\nFROM base\nCOPY data $PLACE/data\n',
    )
    assert files(recipe) == {"srv/app.py", "srv/data/a.csv", "srv/data/b.csv"}
    assert (recipe.workdir, recipe.cmd, recipe.ports) == ("/srv", ("python", "app.py"), (5000,))
    assert recipe.base == "python:3.11"


def test_copy_from_a_stage_takes_the_apps_own_files(folder: Path) -> None:
    """By name and by number, with what RUN did to them."""
    recipe = read(
        folder,
        "FROM python AS one\nWORKDIR /in\nCOPY app.py .\nRUN cp app.py copy.py\n"
        "FROM python\nCOPY --from=one /in/copy.py /out/\nCOPY --from=0 /in /all\n",
    )
    assert files(recipe) == {"out/copy.py", "all/app.py", "all/copy.py"}
    assert recipe.notes == ()


def test_a_pattern_may_match_nothing_and_a_name_may_not(folder: Path) -> None:
    """As BuildKit has it; classes of characters and folders that are empty count."""
    recipe = read(
        folder, "FROM python\nCOPY app.py lock* ./x/\nCOPY data/[a].csv /y/\nCOPY data /z\n"
    )
    assert files(recipe) == {"x/app.py", "y/a.csv", "z/a.csv", "z/b.csv"}
    assert recipe.files.is_folder("z/empty")
    with pytest.raises(BadInputError, match=r"Dockerfile:2: COPY names lock, which is not in"):
        read(folder, "FROM python\nCOPY app.py lock ./\n")


@pytest.mark.parametrize(
    ("sources", "places"),
    [
        ("data/a.csv app.py", {"x/data/a.csv", "x/app.py"}),
        ("data", {"x/data/a.csv", "x/data/b.csv"}),
        ("./data/./a.csv", {"x/a.csv"}),
        ("**/*.csv", {"x/data/a.csv", "x/data/b.csv"}),
        ("d*/./*.csv", {"x/a.csv", "x/b.csv"}),
    ],
)
def test_parents_keeps_the_folders_of_what_is_copied(
    folder: Path, sources: str, places: set[str]
) -> None:
    """From the root of the context, or from `/./` on."""
    assert files(read(folder, f"FROM python\nCOPY --parents {sources} /x/\n")) == places


@pytest.mark.parametrize(
    "how", ["COPY --chmod=755 entry.sh .", "COPY entry.sh .\nRUN chmod +x *.sh"]
)
def test_modes_are_changed(folder: Path, how: str) -> None:
    """By COPY and by RUN."""
    recipe = read(folder, f"FROM python\nWORKDIR /app\n{how}\n")
    assert recipe.files.entries["app/entry.sh"].mode == 0o755


def test_file_operations_of_run_are_done(folder: Path) -> None:
    """What people write in nine of ten Dockerfiles."""
    recipe = read(
        folder,
        'FROM python\nSHELL ["/bin/bash", "-c"]\nWORKDIR /app\nENV NAME=shop\nCOPY . .\n'
        "RUN mkdir -p /var/log/$NAME logs/{a,b} && touch /var/log/$NAME/x.log \\\n"
        '    # a comment\n    && echo "hello $NAME" > greeting && echo more >> greeting\n'
        "RUN set -eux; cd data; cp a.csv /tmp/; mv b.csv c.csv; ln -s c.csv link; rm -rf empty\n"
        "RUN sed -i 's/\\r$//' entry.sh && useradd -m -u 1000 shop && chown -R shop:shop /app\n"
        "RUN cat <<END > settings\nname = $NAME\nEND\n",
    )
    assert recipe.notes == ()
    content = {path: recipe.files.entries[path].read() for path in files(recipe)}
    assert content["app/greeting"] == b"hello shop\nmore\n"
    assert content["app/entry.sh"] == b"#!/bin/sh\n"
    assert content["app/settings"] == b"name = shop\n"
    assert {"var/log/shop/x.log", "tmp/a.csv", "app/data/c.csv"} <= set(content)
    assert recipe.files.entries["app/data/link"].link == "c.csv"
    assert "app/data/b.csv" not in content
    assert recipe.files.is_folder("app/logs/b")
    assert recipe.files.is_folder("home/shop")
    assert not recipe.files.is_folder("app/data/empty")


def test_what_is_not_done_is_said_in_one_note(folder: Path) -> None:
    """With its line; what stands beside it is done all the same."""
    recipe = read(
        folder,
        "FROM python\nRUN apt-get update && apt-get install -y libpq-dev && mkdir /x\n"
        "RUN curl -sSL https://example.org/i.sh | sh\nRUN until true; do touch /y; done\n",
    )
    (note,) = recipe.notes
    assert "RUN apt-get install -y libpq-dev (line 2)" in note
    assert "curl -sSL https://example.org/i.sh | sh (line 3)" in note
    assert "until true; do touch /y; done (line 4)" in note
    assert recipe.files.is_folder("x")


@pytest.mark.parametrize(
    ("base", "word"), [("node:22", "Node.js"), ("docker.io/library/openjdk:21-slim", "Java")]
)
def test_another_languages_base_image_is_told_at_once(folder: Path, base: str, word: str) -> None:
    """Before anything is built, with what runs it."""
    with pytest.raises(
        BadInputError, match=rf"Dockerfile:1: {base} is an image for {word}"
    ) as caught:
        read(folder, f"FROM {base} AS x\nFROM x\nCOPY . .\n")
    assert "--cluster minikube" in caught.value.hint
    read(folder, f"FROM {base} AS web\nFROM python:3.11\nCOPY . .\n")


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("touch r.txt; pip install -r r.txt", ("install", "-r", "r.txt")),
        ("python -m pip install --no-cache-dir --user flask", ("install", "flask")),
        ("uv pip install --system flask", ("install", "flask")),
        ("/usr/bin/pip3 install --prefix=/x flask", ("install", "flask")),
        ("apt-get update && PIP_NO_INPUT=1 pip install flask", ("install", "flask")),
        ("--mount=type=cache,target=/root/.cache pip install flask", ("install", "flask")),
    ],
)
def test_installs_are_recognised(folder: Path, run: str, words: tuple[str, ...]) -> None:
    """However they are written; where packages go is not the Dockerfile's to say here."""
    (install,) = read(folder, f"FROM python\nRUN {run}\n").installs
    assert (install.tool, install.words) == ("pip", words)


def test_packages_of_a_builder_stage_come_along(folder: Path) -> None:
    """A virtual environment is copied from the stage that made it."""
    recipe = read(
        folder,
        "FROM python AS builder\nRUN python -m venv /opt/venv && /opt/venv/bin/pip install attrs\n"
        "FROM python\nCOPY --from=builder /opt/venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH\n",
    )
    assert [install.words for install in recipe.installs] == [("install", "attrs")]
    assert recipe.environments == ("/opt/venv",)
    assert recipe.notes == ()


def test_onbuild_is_done_in_the_stage_that_is_based_on_it(folder: Path) -> None:
    """Before that stage's own instructions, and in no stage after it."""
    recipe = read(
        folder,
        "FROM python AS base\nONBUILD COPY app.py /app/\nONBUILD WORKDIR /app\n"
        "FROM base AS middle\nRUN cp app.py copy.py && rm app.py\nFROM middle\n",
    )
    assert (files(recipe), recipe.workdir) == ({"app/copy.py"}, "/app")


def test_a_bind_mount_is_there_for_its_run_alone(folder: Path) -> None:
    """Files and folders, of the app folder and of a stage; what RUN installs from them, too."""
    recipe = read(
        folder,
        "FROM python AS one\nCOPY app.py /in/\nFROM python\nWORKDIR /app\n"
        "RUN --mount=type=bind,source=data,target=/seen --mount=type=bind,from=one,src=/in,dst=in"
        " --mount=type=cache,target=/root/.cache cp /seen/a.csv in/app.py .\n"
        "RUN --mount=type=bind,source=entry.sh,target=requirements.txt"
        " pip install -r requirements.txt\n",
    )
    assert files(recipe) == {"app/a.csv", "app/app.py"}
    assert recipe.installs[0].files.get("app/requirements.txt")


def test_a_tools_installer_is_no_file_to_be_fetched(folder: Path) -> None:
    """The documentation of uv adds it and runs it; the tool is got when it is needed."""
    recipe = read(
        folder,
        "FROM python\nADD https://astral.sh/uv/install.sh /i.sh\nRUN sh /i.sh && rm /i.sh\n"
        "ADD https://astral.sh/uv/0.9/install.sh /i/\nRUN sh /i/install.sh && rm /i/*\n",
    )
    assert (files(recipe), recipe.notes) == (set(), ())


def test_uv_sync_makes_the_environment_where_uv_has_it(folder: Path) -> None:
    """Programs are named by it: `/app/.venv/bin/gunicorn`."""
    recipe = read(folder, "FROM python\nWORKDIR /app\nRUN uv sync --frozen\n")
    assert recipe.environments == ("/app/.venv",)


@pytest.mark.parametrize(
    ("text", "number"),
    [("SIGQUIT", 3), ("quit", 3), ("3", 3), ("SIGRTMIN+3", signal.SIGRTMIN + 3), ("$OWN", 10)],
)
def test_stopsignal_is_read_in_all_its_forms(folder: Path, text: str, number: int) -> None:
    """By name or number; a stage inherits it, and nothing is noted."""
    lines = f"FROM python AS one\nENV OWN=SIGUSR1\nSTOPSIGNAL {text}\nFROM one\nUSER me\n"
    recipe = read(folder, lines)
    assert (recipe.stop_signal, recipe.notes) == (number, ())


@pytest.mark.parametrize("text", ["SIGNONE", "0", "99", "TERM+1x", "RTMIN+"])
def test_what_is_no_signal_is_refused(folder: Path, text: str) -> None:
    """As Docker does, with the line."""
    with pytest.raises(BadInputError, match=r"Dockerfile:2: .*Invalid signal"):
        read(folder, f"FROM python\nSTOPSIGNAL {text}\n")


def test_an_entrypoint_leaves_the_cmd_of_its_own_stage(folder: Path) -> None:
    """And takes away the one of the stage it is based on."""
    recipe = read(folder, 'FROM x\nCMD ["serve"]\nENTRYPOINT ["./run"]\n')
    assert (recipe.entrypoint, recipe.cmd) == (("./run",), ("serve",))
    recipe = read(folder, 'FROM x AS one\nCMD ["serve"]\nFROM one\nENTRYPOINT ["./run"]\n')
    assert recipe.cmd == ()


def test_shell_form_runs_in_the_shell_that_is_named(folder: Path) -> None:
    """Also in a stage that is based on this one."""
    shell = 'SHELL ["/bin/sh", "-euxc"]'
    recipe = read(folder, f"FROM x AS one\n{shell}\nFROM one\nCMD exec serve\n")
    assert recipe.cmd == ("/bin/sh", "-euxc", "exec serve")


def test_a_shell_that_is_not_here_is_said(folder: Path) -> None:
    """The command runs in /bin/sh then."""
    recipe = read(folder, 'FROM x\nSHELL ["/opt/none/zsh", "-c"]\nCMD serve\n')
    assert recipe.cmd == ("/bin/sh", "-c", "serve")
    assert "there is no /opt/none/zsh here" in recipe.notes[0]


def test_quoted_names_are_unquoted(folder: Path) -> None:
    """In COPY, WORKDIR, USER and EXPOSE."""
    text = 'FROM x\nWORKDIR "/my app"\nCOPY "app.py" \'entry.sh\' ./\nUSER "me"\nEXPOSE "80"\n'
    recipe = read(folder, text)
    assert files(recipe) == {"my app/app.py", "my app/entry.sh"}
    assert (recipe.workdir, recipe.user, recipe.ports) == ("/my app", "me", (80,))


def test_every_exclude_counts(folder: Path) -> None:
    """The flag may be repeated."""
    recipe = read(folder, "FROM x\nCOPY --exclude=*.sh --exclude=**/b.csv . /in/\n")
    assert files(recipe) == {"in/app.py", "in/data/a.csv"}


def test_add_unpacks_an_archive_of_the_app_folder(folder: Path) -> None:
    """COPY does not; nothing in it gets out of the image."""
    with tarfile.open(folder / "site.tar.gz", "w:gz") as archive:
        archive.add(folder / "app.py", "in/app.py")
        archive.add(folder / "app.py", "../../up.py")
    recipe = read(folder, "FROM x\nWORKDIR /srv\nADD site.tar.gz www/\nCOPY site.tar.gz .\n")
    assert files(recipe) == {"srv/www/in/app.py", "up.py", "srv/site.tar.gz"}


def test_an_install_in_a_pipeline_is_done(folder: Path) -> None:
    """Its output alone goes to the others; what installs poetry itself needs no word."""
    script = "curl -sSL https://install.python-poetry.org | python3 -"
    recipe = read(folder, f"FROM x\nRUN yes | pip install six | tee log\nRUN {script}\n")
    assert [install.words for install in recipe.installs] == [("install", "six")]
    assert recipe.notes == ()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere.txt", "is not in"),
        ("data/a.csv", ".dockerignore leaves out"),
        ("venv", "is part of no image unless .dockerignore says so"),
    ],
)
def test_why_a_file_is_not_in_the_context_is_said(folder: Path, name: str, why: str) -> None:
    """It may be there and left out."""
    (folder / ".dockerignore").write_text("data\n")
    (folder / "venv").mkdir()
    with pytest.raises(BadInputError, match=why):
        read(folder, f"FROM x\nCOPY {name} .\n")


def test_a_misspelt_instruction_is_answered_with_the_right_one(folder: Path) -> None:
    """As Docker does it."""
    with pytest.raises(BadInputError, match="did you mean COPY"):
        read(folder, "FROM x\nCOPYY . .\n")


@pytest.mark.parametrize(
    ("base", "noted"),
    [("python:3.99-slim", True), ("python:3.8", False), ("python", False), ("ubuntu:3.99", False)],
)
def test_a_newer_python_than_this_machines_is_noted(folder: Path, base: str, noted: bool) -> None:
    """Its apps may use what is not here."""
    assert bool(read(folder, f"FROM {base}\n").notes) is noted


STAGE = "FROM python AS one\nWORKDIR /in\nCOPY . .\n"
WHEELS = STAGE + "RUN pip wheel --no-deps -w /in/wheels -r need.txt\nFROM python\n"
LISTED = "COPY --from=one /in/need.txt /need.txt\nRUN pip install -r /need.txt\n"


@pytest.mark.parametrize(
    ("text", "installed"),
    [
        (WHEELS + "COPY --from=one /in/wheels /w\nRUN pip install --no-cache /w/*\n", "pip -r"),
        (WHEELS + "COPY --from=one /in/wheels/*.whl /w/\nRUN pip install /w/*.whl\n", "pip -r"),
        (
            WHEELS + "COPY --from=one /in/wheels /w\nCOPY need.txt .\n"
            "RUN pip install --no-index --find-links=/w -r need.txt && rm -rf /w\n",
            "pip -r",
        ),
        (WHEELS + "RUN --mount=from=one,source=/in/wheels,target=/w pip install /w/*\n", "pip -r"),
        (WHEELS, ""),
        (STAGE + "RUN poetry export -o need.txt\nFROM x\n" + LISTED, "poetry --only main"),
        (STAGE + "RUN uv export --no-dev > need.txt\nFROM x\n" + LISTED, "uv --no-dev"),
        (STAGE + "RUN pip-compile -o need.txt a.in\nFROM x\n" + LISTED, "pip -r a.in"),
        (STAGE + "RUN pipenv requirements > need.txt\nFROM x\n" + LISTED, "pipenv"),
    ],
)
def test_what_one_command_collects_another_installs(
    folder: Path, text: str, installed: str
) -> None:
    """Wheels, and lists that a tool writes: the second command stands for the first."""
    (folder / "need.txt").write_text("six\n")
    recipe = read(folder, text)
    texts = [install.text for install in recipe.installs]
    assert len(texts) == bool(installed)
    assert all(word in text for text in texts for word in installed.split())
    assert recipe.notes == ()


def test_a_folder_is_copied_with_the_environment_in_it(folder: Path) -> None:
    """The installs of the stage come along, and the environment lies where the folder lies."""
    recipe = read(
        folder, "FROM x AS one\nWORKDIR /in\nRUN uv sync\nFROM y\nCOPY --from=one /in /out\n"
    )
    assert [install.text for install in recipe.installs] == ["uv sync"]
    assert recipe.environments == ("/out/.venv",)


@pytest.mark.parametrize(
    "run", ['FROM scratch\nCOPY --from=go /srv /srv\nCMD ["/srv"]\n',
            "FROM alpine\nWORKDIR /app\nCOPY --from=0 /go/bin/shop .\nCMD exec ./shop --all\n"],
)  # fmt: skip
def test_a_program_that_an_earlier_stage_compiles_is_refused_at_once(
    folder: Path, run: str
) -> None:
    """The last stage's base says nothing; what it runs comes from a stage for another language."""
    with pytest.raises(BadInputError, match=r"the program /\S+ is made from Go") as caught:
        read(folder, f"FROM golang:1.22 AS go\nRUN go build -o /srv\n{run}")
    assert caught.value.hint.command == "flashsale up --cluster minikube"


def test_a_distroless_image_runs_python_by_itself(folder: Path) -> None:
    """Its CMD is what Python is told; an ENTRYPOINT of one's own takes its place."""
    text = 'FROM gcr.io/distroless/python3-debian12\nCOPY app.py /\nCMD ["/app.py"]\n'
    assert read(folder, text).entrypoint == ("python3",)
    assert read(folder, text + 'ENTRYPOINT ["python3", "-u"]\n').entrypoint == ("python3", "-u")


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        ("", ("install", "six>=1", "flask")),
        (
            '[[package]]\nname="six"\nversion="1.16.0"\ngroups=["default", "dev"]\n'
            '[[package]]\nname="x"\nversion="1"\ngroups=["default"]\nmarker="os_name == \'nt\'"\n'
            '[[package]]\nname="pytest"\nversion="8"\ngroups=["dev"]\n',
            ("install", "six==1.16.0", "x==1 ; os_name == 'nt'"),
        ),
    ],
)
def test_pdm_installs_what_its_files_say(folder: Path, lock: str, words: tuple[str, ...]) -> None:
    """Without pdm: the lock file's pins, else what the project asks for."""
    (folder / "pyproject.toml").write_text('[project]\ndependencies=["six>=1", "flask"]\n')
    (folder / "pdm.lock").write_text(lock)
    recipe = read(folder, "FROM x\nWORKDIR /app\nCOPY . .\nRUN pdm install --prod\n")
    assert [(install.tool, install.words) for install in recipe.installs] == [("pip", words)]
    assert recipe.environments == ("/app/.venv",)


def test_a_program_that_would_come_with_what_is_not_done_is_refused_at_once(folder: Path) -> None:
    """It could not be started; one that is here, or in the image, can."""
    text = "FROM x\nRUN apk add no-such-server git\n"
    with pytest.raises(BadInputError, match=r"the image runs no-such-server, .*\(line 2\)"):
        read(folder, f'{text}CMD ["/usr/sbin/no-such-server"]\n')
    read(folder, f"{text}CMD git daemon\n")
    read(folder, f'{text}COPY app.py /bin/no-such-server\nCMD ["/bin/no-such-server"]\n')


def test_a_pattern_may_begin_with_a_bracket(folder: Path) -> None:
    """It is taken for a list only where that has quotes."""
    assert files(read(folder, "FROM python\nCOPY [a]pp.py /x/\n")) == {"x/app.py"}
    with pytest.raises(BadInputError, match="is not a JSON list"):
        read(folder, "FROM python\nCOPY ['app.py', '/x/']\n")
    with pytest.raises(BadInputError, match="lists what is no text: quote it"):
        read(folder, 'FROM python\nCMD ["python", 1]\n')


def test_links_to_folders_are_followed(folder: Path) -> None:
    """In what COPY takes, and where it puts it."""
    (folder / "link").symlink_to("data")
    recipe = read(
        folder,
        "FROM python\nRUN mkdir /real && ln -s /real /there\nCOPY link/a.csv /there/\n"
        "COPY link /all\nWORKDIR /there\nRUN touch x\n",
    )
    assert files(recipe) == {"there", "real/a.csv", "real/x", "all/a.csv", "all/b.csv"}


def test_links_out_of_the_app_folder_stay_links(folder: Path) -> None:
    """They lead to a file of the image, or nowhere; to copy one by its name is a mistake."""
    for name, target in {"up": "../x", "one": "two", "two": "one", "here": "."}.items():
        (folder / name).symlink_to(target)
    (folder.parent / "x").write_text("not for the image")
    entries = read(folder, "FROM python\nCOPY . /a/\n").files.entries
    assert [entries[f"a/{name}"].link for name in ("up", "one", "here")] == ["../x", "two", "."]
    with pytest.raises(BadInputError, match=r"COPY names up, a link to \.\./x, which is not in"):
        read(folder, "FROM python\nCOPY up /a/\n")


@pytest.mark.parametrize("then", ["WORKDIR /app", "COPY data /app", "COPY app.py /app/"])
def test_a_file_does_not_become_a_folder(folder: Path, then: str) -> None:
    """`COPY app.py /app` makes a file of that name, as Docker's does."""
    with pytest.raises(BadInputError, match=r"Dockerfile:3: /app is a file by then; .* /app/\."):
        read(folder, f"FROM python\nCOPY app.py /app\n{then}\n")


def test_a_misspelt_stage_is_answered_with_the_right_one(folder: Path) -> None:
    """Rather than taken for an image that cannot be had."""
    with pytest.raises(BadInputError, match=r"Dockerfile:3: .* bulider; did you mean builder\."):
        read(folder, "FROM python AS builder\nFROM python\nCOPY --from=bulider /x /y\n")


def test_a_known_image_is_no_misspelt_stage(folder: Path) -> None:
    """However much the name of a stage is like its own."""
    recipe = read(folder, "FROM node:20 AS nodejs\nFROM python\nCOPY --from=node /x /y\n")
    assert "files of the image node cannot be had here" in recipe.notes[0]
