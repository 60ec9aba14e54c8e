"""Packages that RUN really installs from PyPI, with each of the usual tools."""

from __future__ import annotations

import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from flashsale.embedded.kubelet.images.image_store import ImageStore
from tests.embedded.kubelet.images.test_package_layers import PROJECT, build

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
UNBUILT_PROJECT = PROJECT.partition("[build-system]")[0]
DEAR = (pytest.mark.thorough, pytest.mark.timeout(300))  # what is ours of them: test_package_layers
WAYS = (
    pytest.param("pip install -r requirements.txt", "", id="pip -r"),
    pytest.param("uv pip install --system -r requirements.txt", "", id="uv pip"),
    pytest.param("uv sync --no-dev", UNBUILT_PROJECT, id="uv sync"),
    pytest.param("pip install .", PROJECT, id="pip .", marks=DEAR),
    pytest.param("pip install uv && uv sync", PROJECT, id="uv of a RUN", marks=DEAR),
    pytest.param("pip install poetry && poetry install", POETRY, id="poetry", marks=DEAR),
    pytest.param(
        "pip install pipenv && pipenv install --system --skip-lock", "", id="pipenv", marks=DEAR
    ),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    """A store, once PyPI can be reached; what one test has fetched the others find in it."""
    try:
        urllib.request.urlopen("https://pypi.org/simple/six/", timeout=10).close()
    except OSError as error:
        pytest.skip(f"PyPI cannot be reached: {error}")
    return ImageStore(tmp_path_factory.mktemp("store"))


@pytest.mark.parametrize(("command", "project"), WAYS)
def test_the_usual_tools_really_install(
    store: ImageStore, tmp_path: Path, command: str, project: str
) -> None:
    """Each from PyPI, the tool itself included, which the container may run.

    `CMD ["uv", "run", ...]` is usual, and no container sees the uv of a home folder.
    """
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM python\nWORKDIR /app\nCOPY . .\nRUN {command}\n")
    (folder / "app.py").write_text("import six\n")
    (folder / "requirements.txt").write_text("six==1.16.0\n")
    (folder / "Pipfile").write_text('[packages]\nsix = "*"\n')
    if project:
        (folder / "pyproject.toml").write_text(project)
    packages = build(store, folder / "Dockerfile").packages
    assert packages
    subprocess.run([packages / "bin" / "python", "-c", "import six"], check=True, cwd=folder)
    if command.startswith("uv sync") and not (shutil.which("uv") or "").startswith("/usr/"):
        subprocess.run([packages / "bin" / "uv", "--version"], check=True, capture_output=True)


def test_an_editable_install_means_the_images_files(store: ImageStore, tmp_path: Path) -> None:
    """Not the folder where they were laid out to install, which is gone."""
    for name, text in (("flat", PROJECT), ("src", PROJECT + 'package-dir = {"" = "src"}\n')):
        folder = tmp_path / "app" / name
        (folder / "src").mkdir(parents=True)
        (folder / "src" / "app.py").write_text("")
        (folder / "app.py").write_text("")
        own = text.replace('"six"', "").replace('"demo"', f'"{name}"')
        (folder / "pyproject.toml").write_text(own)
    file = tmp_path / "app" / "Dockerfile"
    file.write_text(
        "FROM python\nWORKDIR /srv/it\nCOPY . .\nRUN pip install setuptools\n"
        "RUN pip install --no-build-isolation -e ./flat -e ./src\n"
    )
    packages = build(store, file).packages
    assert packages
    (site,) = packages.glob("lib/python*/site-packages")
    for name in ("flat", "src"):
        texts = [each.read_text() for each in site.glob(f"__editable__*{name}*")]
        assert any(f"/srv/it/{name}" in text for text in texts)
        assert not any("flashsale-install-" in text for text in texts)
