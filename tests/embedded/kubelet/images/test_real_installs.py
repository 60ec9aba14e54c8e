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
SRC_PROJECT = PROJECT + 'package-dir = {"" = "src"}\n'
UNBUILT_PROJECT = PROJECT.partition("[build-system]")[0]


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


@pytest.mark.usefixtures("_index")
def test_a_projects_tool_is_there_for_the_container_to_run(tmp_path: Path) -> None:
    """`CMD ["uv", "run", ...]` is usual, and no container sees the uv of a home folder."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.py").write_text("")
    (folder / "pyproject.toml").write_text(UNBUILT_PROJECT)
    (folder / "Dockerfile").write_text("FROM python\nWORKDIR /app\nCOPY . .\nRUN uv sync\n")
    packages = build(ImageStore(tmp_path / "store"), folder / "Dockerfile").packages
    assert packages
    if (shutil.which("uv") or "").startswith("/usr/"):
        pytest.skip("containers see this machine's own uv")
    subprocess.run([packages / "bin" / "uv", "--version"], check=True, capture_output=True)


@pytest.mark.usefixtures("_index")
@pytest.mark.parametrize("project", [PROJECT, SRC_PROJECT], ids=["flat", "src"])
def test_an_editable_install_means_the_images_files(tmp_path: Path, project: str) -> None:
    """Not the folder where they were laid out to install, which is gone."""
    folder = tmp_path / "app"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "app.py").write_text("")
    (folder / "app.py").write_text("")
    (folder / "pyproject.toml").write_text(project.replace('"six"', ""))
    (folder / "Dockerfile").write_text(
        "FROM python\nWORKDIR /srv/it\nCOPY . .\nRUN pip install -e .\n"
    )
    packages = build(ImageStore(tmp_path / "store"), folder / "Dockerfile").packages
    assert packages
    (site,) = packages.glob("lib/python*/site-packages")
    texts = [file.read_text() for file in site.glob("__editable__*")]
    assert any("/srv/it" in text for text in texts)
    assert not any("flashsale-install-" in text for text in texts)
