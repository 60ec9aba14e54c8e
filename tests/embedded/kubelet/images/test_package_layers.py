"""Packages that RUN installs: an environment of the image's own, made once, without a network."""

import functools
import http.server
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from flashsale.embedded.kubelet.images.build_without_docker.install_commands import (
    Install,
    is_available,
    is_satisfied,
    wheel_words,
)
from flashsale.embedded.kubelet.images.image_files import ImageFiles
from flashsale.embedded.kubelet.images.image_store import ImageStore, NodeImage
from flashsale.embedded.kubelet.images.install_ways import Package
from flashsale.embedded.kubelet.images.package_layers import InstallError

WHEEL, BACKEND = (f"flashsale_{name}-1.0-py3-none-any.whl" for name in ("demo", "backend"))
DOCKERFILE = f"""\
FROM python:3.11-slim
WORKDIR /app
COPY {WHEEL} requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
CMD ["python", "app.py"]
"""


def write_wheel(file: Path, text: str) -> None:
    """Write a wheel with one module in it, which is a program as well if it has a `main`."""
    module = file.name.partition("-")[0]
    info = f"{module}-1.0.dist-info"
    name = f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n"
    pure = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr(f"{module}.py", text)
        wheel.writestr(f"{info}/METADATA", name)
        wheel.writestr(f"{info}/WHEEL", pure)
        wheel.writestr(f"{info}/RECORD", "")
        if "def main()" in text:
            program = f"[console_scripts]\n{module} = {module}:main\n"
            wheel.writestr(f"{info}/entry_points.txt", program)


def write_app(folder: Path) -> Path:
    """Write an app that needs a package which only its own folder has; returns its Dockerfile."""
    folder.mkdir()
    write_wheel(folder / WHEEL, "answer = 42\n")
    (folder / "requirements.txt").write_text(f"--no-index\n./{WHEEL}\n")
    (folder / "app.py").write_text("import flashsale_demo\n")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return folder / "Dockerfile"


def build(store: ImageStore, file: Path, name: str = "demo:1") -> NodeImage:
    """Build an image and return it."""
    store.build(name, file.parent, file)
    image = store.get(name)
    assert image
    return image


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    """A store in which apps find what others have installed."""
    return ImageStore(tmp_path_factory.mktemp("shared") / "store")


def test_an_image_has_what_it_installs(shared_store: ImageStore, tmp_path: Path) -> None:
    """Its Python finds the package, flashsale's does not; nor the other way round."""
    file = write_app(tmp_path / "app")
    assert shared_store.build("demo:1", file.parent, file).notes == ()
    image = shared_store.get("demo:1")
    assert image
    assert image.packages
    python = image.packages / "bin" / "python"
    script = "import flashsale_demo; print(flashsale_demo.answer)"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "42\n"
    assert find_spec("flashsale_demo") is None
    strange = subprocess.run([python, "-c", "import flask"], capture_output=True, check=False)
    assert b"ModuleNotFoundError" in strange.stderr


def test_the_same_packages_are_installed_once(shared_store: ImageStore, tmp_path: Path) -> None:
    """Another app, and changed code, share them; a changed requirement does not."""
    store, file = shared_store, write_app(tmp_path / "app")
    first = build(store, file)
    (file.parent / "app.py").write_text("import flashsale_demo as x\n")
    second = build(store, file, "other:1")
    assert second.id != first.id
    assert second.packages == first.packages
    (file.parent / "requirements.txt").write_text(f"# again\n--no-index\n./{WHEEL}\n")
    assert build(store, file).packages != first.packages


def test_a_failed_install_shows_its_last_lines_and_leaves_nothing(tmp_path: Path) -> None:
    """With file and line, and no half-made environment."""
    store, file = ImageStore(tmp_path / "store"), write_app(tmp_path / "app")
    (file.parent / "requirements.txt").write_text("--no-index\nno-such-package-anywhere\n")
    with pytest.raises(
        InstallError, match=r"^Dockerfile:4: pip install -r requirements.txt failed"
    ) as caught:
        store.build("demo:1", file.parent, file)
    assert "no-such-package-anywhere" in caught.value.details
    assert not [one for one in (tmp_path / "store" / "layers").iterdir() if one.is_dir()]


def test_old_images_and_their_packages_are_collected(tmp_path: Path) -> None:
    """All but the last two of an app, and what runs."""
    store, file = ImageStore(tmp_path / "store"), write_app(tmp_path / "app")
    first = build(store, file)
    built = []
    for number in range(4):
        (file.parent / "Dockerfile").write_text(f'FROM python\nCMD ["{number}"]\n')
        built.append(build(store, file).id.removeprefix("sha256:"))
    assert first.packages
    freed = store.collect(running={built[0]})
    left = {one.name for one in (tmp_path / "store" / "blobs").iterdir()}
    assert left == {built[0], *built[-2:]}
    assert not first.packages.exists()
    assert freed > 0


PROJECT = """\
[project]
name = "demo"
version = "1"
requires-python = ">=3.11"
dependencies = ["six"]
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
py-modules = ["app"]
"""
EXTRA = ("gunicorn", "gunicorn[gevent]")
NOWHERE = "http://127.0.0.1:9/simple"  # the port "discard": nobody listens

# A project that needs `flashsale-demo`, and what builds it: as setuptools does, but in no time.
SMALL_PROJECT = """\
[project]
name = "demo"
version = "1"
[build-system]
requires = ["flashsale-backend"]
build-backend = "flashsale_backend"
"""
BUILDS = """\
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    info, name = "demo-1.dist-info", "demo-1-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\\nName: demo\\nVersion: 1\\nRequires-Dist: flashsale-demo\\n"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.write("app.py")
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""

# Stands in for poetry and pipenv, of which the real ones take a minute: `--thorough`.
TOOL = """\
import os, sys
from pathlib import Path

def main():
    assert os.environ["POETRY_VIRTUALENVS_CREATE"] == "false"
    (site,) = Path(os.environ["VIRTUAL_ENV"]).glob("lib/python*/site-packages")
    text = "words = " + repr(sys.argv[1:])
    (site / (Path(sys.argv[0]).name + "_was_here.py")).write_text(text)
"""
TOOLS = ("poetry", "pipenv")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve an index that has a few packages; yields its address."""
    root = tmp_path_factory.mktemp("index")
    tools = {f"{name}-1.0-py3-none-any.whl": TOOL for name in TOOLS}
    for file, text in {WHEEL: "answer = 42\n", BACKEND: BUILDS, **tools}.items():
        write_wheel(root / file, text)
        folder = root / "simple" / file.partition("-")[0].replace("_", "-")
        folder.mkdir(parents=True)
        (folder / "index.html").write_text(f'<a href="/{file}">{file}</a>')
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()


def pip_alone(patch: pytest.MonkeyPatch, index: str) -> None:
    """Let pip be all that there is, and ask an index."""
    patch.setenv("PATH", os.defpath)
    if shutil.which("uv"):
        pytest.skip("uv is where the system's own programs are")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE"):
        patch.delenv(name, raising=False)
    patch.setenv("PIP_INDEX_URL", index)


def test_a_tool_that_the_dockerfile_installs_installs_the_app(
    index: str, shared_store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in the image's own environment, with the words of its RUN."""
    pip_alone(monkeypatch, index)
    file = write_app(tmp_path / "app")
    file.write_text(
        "FROM python\nCOPY . .\nRUN pip install poetry pipenv\n"
        "RUN poetry install --only main && pipenv install --deploy\n"
    )
    packages = build(shared_store, file).packages
    assert packages
    script = "import pipenv_was_here, poetry_was_here as p; print(p.words, pipenv_was_here.words)"
    python = packages / "bin" / "python"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "['install', '--only', 'main'] ['install', '--deploy']\n"


@dataclass(frozen=True)
class Installed:
    """What pip has installed while there was an index."""

    store: ImageStore
    project: Path  # the Dockerfile of SMALL_PROJECT
    image: NodeImage


@pytest.fixture(scope="module")
def with_index(index: str, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A project that was built and installed."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "Dockerfile").write_text("FROM python\nCOPY . .\nRUN pip install --upgrade .\n")
    (folder / "app.py").write_text("import flashsale_demo\n")
    (folder / "pyproject.toml").write_text(SMALL_PROJECT)
    store = ImageStore(tmp_path_factory.mktemp("store"))
    with pytest.MonkeyPatch.context() as patch:
        pip_alone(patch, index)
        return Installed(store, folder / "Dockerfile", build(store, folder / "Dockerfile"))


@pytest.fixture
def installed(with_index: Installed, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """The same, now that the index cannot be reached."""
    pip_alone(monkeypatch, NOWHERE)
    return with_index


def write_requirements(file: Path, text: str) -> None:
    """Let an app install what a text lists."""
    (file.parent / "requirements.txt").write_text(text)


def test_pip_installs_without_a_network_what_it_has_installed_before(
    installed: Installed, tmp_path: Path
) -> None:
    """Another layer whose packages are known is made; the flags of its RUN do not matter."""
    file = write_app(tmp_path / "app")
    write_requirements(file, "flashsale-demo==1.0  # as it was\n")
    image = build(installed.store, file)
    assert image.packages
    assert image.packages != installed.image.packages
    python = image.packages / "bin" / "python"
    subprocess.run([python, "-c", "import flashsale_demo"], check=True)


def test_a_package_that_was_never_installed_needs_the_index(
    installed: Installed, tmp_path: Path
) -> None:
    """The reason is the index, not what the kept wheels lack."""
    file = write_app(tmp_path / "app")
    write_requirements(file, "flashsale-demo\nanother-one\n")
    with pytest.raises(InstallError) as caught:
        build(installed.store, file)
    assert caught.value.offline
    assert "127.0.0.1" in caught.value.details
    assert "PIP_INDEX_URL" in str(caught.value.hint)


def test_an_app_that_is_a_package_is_built_again_without_a_network(installed: Installed) -> None:
    """What builds it was kept with what it needs."""
    file = installed.project
    (file.parent / "app.py").write_text("import flashsale_demo\nchanged = True\n")
    image = build(installed.store, file)
    assert image.packages
    assert image.packages != installed.image.packages
    script = "import app; assert app.changed"
    subprocess.run([image.packages / "bin" / "python", "-c", script], check=True, cwd="/")


def test_an_extra_that_flashsale_lacks_is_installed() -> None:
    """`gunicorn[gevent]` is not there because gunicorn is."""
    plain, extra = (Install("pip", ("install", what), "/", ImageFiles()) for what in EXTRA)
    assert is_satisfied(plain)
    assert not is_satisfied(extra)
    assert not is_available(extra)


WHERE = ("-r", "all.txt", "-i", "https://here/simple", "--upgrade", "-e", ".", "plain")
SIX = Package("six", "1.16.0", "https://here/six-1.16.0-py2.py3-none-any.whl#sha256=1")
BUILDS_IT = "setuptools>=61"
SOURCE = Package("plain", "2", "https://here/plain-2.tar.gz#sha256=2")


@pytest.mark.parametrize(
    ("packages", "builds", "kept", "words"),
    [
        ([SIX], [], [], ["--no-deps", "-i", "https://here/simple", SIX.url]),
        ([SIX], [], ["six-1.16.0-py2.py3-none-any.whl"], []),
        ([SIX, SOURCE], [], [], [*WHERE[:4], SIX.url, "plain==2"]),
        (
            [SOURCE],
            ["setuptools>=61"],
            ["plain-2-py3-none-any.whl"],
            [*WHERE[:4], "setuptools>=61"],
        ),
        ([], [BUILDS_IT], ["setuptools-83.0.0-py3-none-any.whl"], []),
        ([], [], [], []),
    ],
    ids=["wheel", "kept wheel", "source", "kept source", "kept backend", "nothing"],
)
def test_what_pip_fetched_is_kept_once(
    packages: list[Package], builds: list[str], kept: list[str], words: list[str]
) -> None:
    """Without a look at the index for wheels, and without a build of the app itself."""
    assert wheel_words(WHERE, packages, builds, kept) == words


def test_what_a_projects_own_tool_says_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is there and fails, no other one is tried; where it is not, pip may do."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "poetry").write_text("#!/bin/sh\necho the lock file is old\nexit 1\n")
    (programs / "poetry").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    file = write_app(tmp_path / "app")
    file.write_text("FROM python\nRUN poetry install\n")
    with pytest.raises(InstallError) as caught:
        ImageStore(tmp_path / "store").build("demo:1", file.parent, file)
    assert caught.value.details == "the lock file is old"
