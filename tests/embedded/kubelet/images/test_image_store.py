"""Images: an app folder and a Dockerfile, without Docker."""

import threading
from pathlib import Path

import pytest

from flashsale.base.errors import BadInputError, FlashsaleError
from flashsale.embedded.kubelet.images import image_files
from flashsale.embedded.kubelet.images.image_store import ImageStore, NodeImage
from tests.embedded.kubelet import apps


def files(image: NodeImage) -> set[str]:
    """Return what is in an image."""
    return {str(p.relative_to(image.rootfs)) for p in image.rootfs.rglob("*") if p.is_file()}


class Bench:
    """An app folder and a store, built into `app:1`."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "app"
        self.folder.mkdir()
        self.store = ImageStore(root / "store")

    def write(self, **contents: str) -> None:
        for name, text in contents.items():
            (self.folder / name.replace("__", ".")).write_text(text)

    def build(self, dockerfile: str, **arguments: str) -> NodeImage:
        (self.folder / "Dockerfile").write_text(dockerfile)
        self.built = self.store.build(
            "app:1", self.folder, self.folder / "Dockerfile", arguments or None
        )
        image = self.store.get("app:1")
        assert image
        return image

    def refusal(self, dockerfile: str) -> str:
        with pytest.raises(BadInputError) as caught:
            self.build(dockerfile)
        return str(caught.value)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty app folder and an empty store."""
    return Bench(tmp_path)


def test_the_pages_dockerfile_becomes_an_image(bench: Bench) -> None:
    """Files where COPY puts them, the command as CMD says, and nothing to note."""
    bench.write(app__py=apps.FLASK_APP)
    image = bench.build(apps.DOCKERFILE)
    assert files(image) == {"app/app.py"}
    assert image.cmd[:3] == ("gunicorn", "-b", "0.0.0.0:5000")
    assert (image.workdir, image.ports, image.entrypoint) == ("/app", (5000,), ())
    assert (bench.built.built, bench.built.notes) == (True, ())
    assert image.name == "docker.io/library/app:1"


def test_flashsales_own_dockerfile_needs_no_note(bench: Bench) -> None:
    """It adds a user, which makes no difference here; USER is known."""
    bench.write(app__py="x = 1\n")
    own = Path(__file__).parents[4] / "Dockerfile"
    image = bench.build(own.read_text())
    assert bench.built.notes == ()
    assert image.user


def test_the_same_content_is_not_built_again(bench: Bench) -> None:
    """Time stamps do not count, contents do; going back to old content finds it."""
    bench.write(app__py="one")
    first = bench.build(apps.DOCKERFILE)
    bench.write(app__py="one")
    assert bench.build(apps.DOCKERFILE).id == first.id
    assert not bench.built.built
    bench.write(app__py="two")
    assert bench.build(apps.DOCKERFILE).id != first.id
    assert bench.built.built
    bench.write(app__py="one")
    assert bench.build(apps.DOCKERFILE).id == first.id
    assert not bench.built.built


def test_what_a_store_remembers_may_be_spoiled(bench: Bench, tmp_path: Path) -> None:
    """Names and the order of images are derived: the next build writes them anew."""
    bench.write(app__py=apps.FLASK_APP)
    identity = bench.build(apps.DOCKERFILE).id
    for folder in ("names", "history"):
        for file in (tmp_path / "store" / folder).iterdir():
            file.write_bytes(b"\xf8\x00rubbish")
    bench.store.collect({identity.removeprefix("sha256:")})
    assert bench.build(apps.DOCKERFILE).id == identity


def test_another_command_is_another_image(bench: Bench) -> None:
    """The configuration counts as content."""
    first = bench.build('FROM x\nCMD ["a"]\n')
    assert bench.build('FROM x\nCMD ["b"]\n').id != first.id


def test_store_that_cannot_be_written_is_told_in_words(bench: Bench, tmp_path: Path) -> None:
    """The system's sentence, without its number."""
    bench.write(app__py="app = None")
    (tmp_path / "store").write_text("a file")
    with pytest.raises(FlashsaleError, match=r"cannot be stored in .*: Not a directory\.$"):
        bench.build("FROM python\nCOPY app.py .\n")


def test_copy_follows_docker(bench: Bench) -> None:
    """Files, folders, wildcards, several sources, relative and absolute targets."""
    (bench.folder / "static" / "css").mkdir(parents=True)
    (bench.folder / "static" / "css" / "a.css").write_text("a")
    bench.write(app__py="1", b__py="2", c__txt="3")
    image = bench.build(
        "FROM x\nWORKDIR /srv\nWORKDIR app\n"
        'COPY app.py main.py\nCOPY *.py lib/\nCOPY static /www\nADD ["c.txt", "b.py", "./d/"]\n'
        "COPY static/css .\n"
    )
    expected = {"main.py", "lib/app.py", "lib/b.py", "d/c.txt", "d/b.py", "a.css"}
    assert files(image) == {f"srv/app/{name}" for name in expected} | {"www/css/a.css"}
    assert image.workdir == "/srv/app"


def test_some_folders_are_never_part_of_an_image(bench: Bench) -> None:
    """`COPY . .` leaves out .git, .venv, __pycache__ and what .dockerignore names."""
    for name in (".git", ".venv", "__pycache__", "data", "docs"):
        (bench.folder / name).mkdir()
        (bench.folder / name / "x").write_text("x")
    (bench.folder / ".dockerignore").write_text("# no\ndata\n**/*.log\n!keep.log\ndocs/x\n")
    bench.write(app__py="1", a__log="l", keep__log="k")
    kept = {"app.py", "keep.log", "Dockerfile"}
    assert files(bench.build("FROM x\nCOPY . .\n")) == kept


def test_variables_comments_and_continued_lines(bench: Bench) -> None:
    """ARG with defaults and --build-arg, ENV old and new, comments inside, the last stage only."""
    bench.write(app__py="1")
    text = """\
# a comment
ARG BASE=3.11
FROM python:${BASE} AS first
COPY app.py .
FROM x
ARG PLACE=default
ENV A=1 B="two words" \\
    # a comment in between
    C=$A-${MISSING:-else}
ENV OLD some text of $A
WORKDIR /$PLACE
COPY app.py ${A:+here}/
EXPOSE 5000/tcp 8000-8002
ENTRYPOINT ["python"]
CMD ["-m", "$A"]
"""
    image = bench.build(text, PLACE="given")
    assert image.env == {"A": "1", "B": "two words", "C": "-else", "OLD": "some text of 1"}
    assert files(image) == {"given/here/app.py"}
    assert (image.entrypoint, image.cmd) == (("python",), ("-m", "$A"))
    assert image.ports == (5000, 8000, 8001, 8002)


def test_shell_form_runs_in_a_shell(bench: Bench) -> None:
    """CMD without brackets."""
    image = bench.build("FROM x\nCMD gunicorn app:app\n")
    assert image.cmd == ("/bin/sh", "-c", "gunicorn app:app")


@pytest.mark.parametrize(
    ("run", "noted"),
    [
        ("pip install flask gunicorn", False),
        ("pip install --no-cache-dir flask~=3.1 'gunicorn>=20'", False),
        ("python -m pip install -r requirements.txt && adduser app", False),
        ("apt-get update && apt-get install -y no-tool", True),
        ("<<EOF\napt-get install -y no-tool\nEOF", True),
    ],
)
def test_run_is_noted_unless_it_makes_no_difference(bench: Bench, run: str, noted: bool) -> None:
    """What is installed already, or makes no difference, costs no word."""
    bench.write(requirements__txt="flask  # web\ngunicorn>=20\n")
    bench.build(f'FROM x\nCOPY . .\nRUN {run}\nCMD ["x"]\n')
    assert bool(bench.built.notes) is noted
    if noted:
        (note,) = bench.built.notes
        assert note.startswith("Not done on the embedded cluster: RUN apt-get install -y no-tool")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("FROM x\nCOPY nowhere.py .\n", 2, "nowhere.py, which is not in"),
        ("FROM x\n\nCOPY ../x .\n", 3, "outside the app folder"),
        ("FROM x\nFROBNICATE y\n", 2, "not a Dockerfile instruction"),
        ("FROM x\nCOPY app.py\n", 2, "needs a source and a destination"),
        ("FROM x\nEXPOSE web\n", 2, "is not a port"),
        ("FROM x\nADD https://example.org/x .\n", 2, "have to be fetched"),
        ("FROM x\nRUN <<EOF\nls\n", 2, "never ends"),
        ("COPY app.py .\nFROM x\n", 1, "before the first FROM"),
        ("FROM x\nWORKDIR\n", 2, "needs an argument"),
    ],
)
def test_mistakes_name_file_and_line(bench: Bench, text: str, line: int, why: str) -> None:
    """Exit code 2, and the place to look at."""
    bench.write(app__py="1")
    message = bench.refusal(text)
    assert f"Dockerfile:{line}: " in message
    assert why in message


def test_what_is_no_dockerfile_is_refused(bench: Bench) -> None:
    """Empty, binary, missing."""
    assert "no FROM" in bench.refusal("")
    (bench.folder / "Dockerfile").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInputError, match="not a text file"):
        bench.store.build("app:1", bench.folder, bench.folder / "Dockerfile")
    with pytest.raises(BadInputError, match="No such file"):
        bench.store.build("app:1", bench.folder, bench.folder / "absent")


def test_a_dockerfile_that_nests_without_end_is_refused(bench: Bench) -> None:
    """Whatever it nests."""
    text = "FROM python\nRUN " + "(" * 3000 + "true" + ")" * 3000 + "\n"
    assert "is nested too deeply to be read" in bench.refusal(text)


def test_a_huge_folder_is_refused_and_leaves_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is there for the data set that lies beside the app by accident."""
    monkeypatch.setattr(image_files, "MAX_BYTES", 1000)
    bench.write(big__bin="x" * 2000)
    with pytest.raises(BadInputError, match="more than") as caught:
        bench.build("FROM x\nCOPY . .\n")
    assert ".dockerignore" in caught.value.hint
    assert [*bench.store.list(), *(bench.folder.parent / "store" / "blobs").iterdir()] == []


def test_names_find_images(bench: Bench) -> None:
    """With and without docker.io, by digest, and listed; others are not there."""
    image = bench.build('FROM x\nCMD ["a"]\n')
    assert bench.store.get("docker.io/library/app:1") == image
    by_digest = bench.store.get(f"app@{image.id}")
    assert by_digest
    assert by_digest.id == image.id
    assert bench.store.get("app") is None
    bench.store.build("me/other", bench.folder, bench.folder / "Dockerfile")
    assert [one.name for one in bench.store.list()] == [
        "docker.io/library/app:1",
        "docker.io/me/other:latest",
    ]


def test_a_name_that_cannot_be_is_refused(bench: Bench) -> None:
    """Before anything is written."""
    with pytest.raises(BadInputError, match="cannot name an image"):
        bench.store.build("Not Good", bench.folder, bench.folder / "Dockerfile")


def test_a_reader_sees_whole_images_while_others_build(bench: Bench) -> None:
    """Two builders and a reader: the reader always finds one of the two, complete."""
    bench.write(app__py="0")
    bench.build(apps.DOCKERFILE)
    seen: set[str] = set()

    def build(number: int) -> None:
        folder = bench.folder.parent / f"app{number}"
        dockerfile = apps.write(folder, {"app.py": str(number), "Dockerfile": apps.DOCKERFILE})
        for _ in range(20):
            ImageStore(bench.folder.parent / "store").build("app:1", folder, dockerfile)

    builders = [threading.Thread(target=build, args=(number,)) for number in (1, 2)]
    for builder in builders:
        builder.start()
    while any(builder.is_alive() for builder in builders):
        image = bench.store.get("app:1")
        assert image
        seen.add((image.rootfs / "app" / "app.py").read_text())
    assert seen <= {"0", "1", "2"}
