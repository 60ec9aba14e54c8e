"""Packages that RUN installs: an environment of the image's own, made once, without a network."""

import subprocess
import urllib.request
import zipfile
from pathlib import Path

import pytest

from flashsale.embedded.kubelet.images.image_store import ImageStore, NodeImage
from flashsale.embedded.kubelet.images.package_layers import InstallError

WHEEL = "flashsale_demo-1.0-py3-none-any.whl"
DOCKERFILE = f"""\
FROM python:3.11-slim
WORKDIR /app
COPY {WHEEL} requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
CMD ["python", "app.py"]
"""


def write_app(folder: Path) -> Path:
    """Write an app that needs a package which only its own folder has; returns its Dockerfile."""
    folder.mkdir()
    info = "flashsale_demo-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("flashsale_demo.py", "answer = 42\n")
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: flashsale-demo\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
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


def test_an_image_has_what_it_installs(tmp_path: Path) -> None:
    """Its Python finds the package; flashsale's own does not."""
    image = build(ImageStore(tmp_path / "store"), write_app(tmp_path / "app"))
    assert image.packages
    python = image.packages / "bin" / "python"
    script = "import flashsale_demo; print(flashsale_demo.answer)"
    said = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "42\n"


def test_the_same_packages_are_installed_once(tmp_path: Path) -> None:
    """Another app, and changed code, share them; a changed requirement does not."""
    store, file = ImageStore(tmp_path / "store"), write_app(tmp_path / "app")
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
POETRY = """\
[tool.poetry]
package-mode = false
[tool.poetry.dependencies]
python = ">=3.11"
six = "*"
[[tool.poetry.source]]
name = "index"
url = "https://pypi.org/simple"
priority = "primary"
"""
WAYS = {
    "pip -r": ("pip install -r requirements.txt", ""),
    "pip .": ("pip install .", PROJECT),
    "uv pip": ("uv pip install --system -r requirements.txt", ""),
    "uv sync": ("pip install uv && uv sync --no-dev", PROJECT),
    "poetry": ("pip install poetry && poetry install --no-interaction", POETRY),
    "pipenv": ("pip install pipenv && pipenv install --system --skip-lock", ""),
}


@pytest.fixture(scope="module")
def _index() -> None:
    """Skip where PyPI cannot be reached."""
    try:
        urllib.request.urlopen("https://pypi.org/simple/six/", timeout=10).close()
    except OSError as error:
        pytest.skip(f"PyPI cannot be reached: {error}")


@pytest.mark.usefixtures("_index")
@pytest.mark.parametrize(("command", "project"), WAYS.values(), ids=list(WAYS))
def test_the_usual_tools_really_install(tmp_path: Path, command: str, project: str) -> None:
    """Each from PyPI, the tool itself included where the Dockerfile installs it."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM python\nWORKDIR /app\nCOPY . .\nRUN {command}\n")
    (folder / "app.py").write_text("import six\n")
    (folder / "requirements.txt").write_text("six==1.16.0\n")
    (folder / "Pipfile").write_text('[packages]\nsix = "*"\n')
    if project:
        (folder / "pyproject.toml").write_text(project)
    image = build(ImageStore(tmp_path / "store"), folder / "Dockerfile")
    assert image.packages
    python = image.packages / "bin" / "python"
    subprocess.run([python, "-c", "import six"], check=True, cwd=folder)


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
