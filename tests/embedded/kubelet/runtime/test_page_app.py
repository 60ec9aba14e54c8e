"""The exercise's own app and Dockerfile run unchanged."""

import json
from pathlib import Path

from flashsale.embedded.kubelet.images.image_store import ImageStore
from tests.embedded.kubelet import apps
from tests.embedded.kubelet.cluster import READY_AT_ONCE, Cluster, spec
from tests.embedded.kubelet.conftest import Ask


async def test_three_pods_listen_on_port_5000_at_once_and_each_knows_its_name(
    cluster: Cluster, ask: Ask
) -> None:
    """`-b 0.0.0.0:5000` works for all of them, and socket.gethostname() is the pod's name."""
    names = [f"flashsale-rs-{letter}" for letter in "abc"]
    for name in names:
        cluster.api.create(name, spec("flashsale:1.0", readinessProbe=READY_AT_ONCE))
    for name in names:
        await cluster.ready(name)
        status, text = await ask(cluster.url(name, "/buy?user=me"))
        answer = json.loads(text)
        assert (status, answer["served_by_pod"], answer["user"]) == (200, name, "me")
    assert len({cluster.url(name, "") for name in names}) == 3


async def test_a_deleted_page_pod_ends_with_exit_code_0(cluster: Cluster) -> None:
    """gunicorn gets SIGTERM and leaves cleanly: Succeeded, PodCompleted."""
    cluster.api.create("page", spec("flashsale:1.0", readinessProbe=READY_AT_ONCE))
    await cluster.ready("page")
    cluster.api.delete("page")
    await cluster.gone("page")
    assert cluster.api.statuses("page")[-1]["phase"] == "Succeeded"


async def test_the_reloader_of_flask_runs_in_every_pod(
    cluster: Cluster, images: ImageStore, tmp_path: Path, ask: Ask
) -> None:
    """`app.run(debug=True)` starts itself again with a copied environment: still the pod's."""
    app = apps.FLASK_APP.replace("port=5000)", "port=5000, debug=True)")
    text = apps.DOCKERFILE.replace(apps.DOCKERFILE.splitlines()[-1], 'CMD ["python", "app.py"]')
    dockerfile = apps.write(tmp_path / "debug", {"app.py": app, "Dockerfile": text})
    images.build("debug:1", dockerfile.parent, dockerfile)
    for name in ("one", "two"):
        cluster.api.create(name, spec("debug:1", readinessProbe=READY_AT_ONCE))
    for name in ("one", "two"):
        await cluster.ready(name)
        assert json.loads((await ask(cluster.url(name, "/")))[1])["pod"] == name
