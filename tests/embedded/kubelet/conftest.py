"""A running kubelet for each test; its images are built once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from flashsale.embedded.kubelet.images.image_store import ImageStore
from tests.embedded.kubelet import apps
from tests.embedded.kubelet.cluster import Cluster, MemoryAPI

Ask = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    """An image store with `flashsale:1.0` (the exercise's) `toggle:1.0` and `stopsignal:1.0`."""
    folder = tmp_path_factory.mktemp("images")
    store = ImageStore(folder / "store")
    page = apps.write(folder / "page", {"app.py": apps.FLASK_APP, "Dockerfile": apps.DOCKERFILE})
    toggle = apps.write(
        folder / "toggle",
        {"toggle.py": apps.TOGGLE_APP, "Dockerfile": apps.TOGGLE_DOCKERFILE},
    )
    store.build("flashsale:1.0", page.parent, page)
    store.build("toggle:1.0", toggle.parent, toggle)
    toggle.write_text(apps.TOGGLE_DOCKERFILE + "STOPSIGNAL SIGUSR1\n")
    store.build("stopsignal:1.0", toggle.parent, toggle)
    return store


@pytest.fixture
async def cluster(tmp_path: Path, images: ImageStore) -> AsyncIterator[Cluster]:
    """A kubelet that runs, with an API in memory."""
    async with Cluster(tmp_path, images, MemoryAPI()) as running:
        yield running


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Send a GET request on a connection of its own."""
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as client:

        async def get(url: str) -> tuple[int, str]:
            async with client.get(url, timeout=aiohttp.ClientTimeout(total=5)) as response:
                return response.status, await response.text()

        yield get
