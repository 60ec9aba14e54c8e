"""A pod's volumes, as folders of this machine: emptyDir, configMap, projected and their like.

What a ConfigMap holds is written when the pod starts; later changes reach the next pod.
"""

from __future__ import annotations

import base64
import posixpath
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from flashsale.embedded.kubelet.runtime.container_env import ConfigError, pod_field
from flashsale.objects.models import Object

ConfigMaps = Callable[[str], Object | None]  # one of the pod's namespace, by its name
FOLDER = ".volumes"  # in the pod's folder; no container can be called that


class VolumeError(Exception):
    """A volume cannot be had (yet); the text is that of the kubelet's event."""


def provide(pod: Object, folder: Path, config_maps: ConfigMaps) -> dict[str, Path]:
    """Make a pod's volumes; returns where each is, by its name.

    Args:
        folder: the pod's own, whose emptyDirs outlive its containers.

    Raises:
        VolumeError: one of them cannot be made.
        OSError: the disk refuses.
    """
    made = {}
    for volume in pod["spec"].get("volumes") or []:
        name = volume["name"]
        try:
            made[name] = _provide(volume, pod, folder / FOLDER / name, config_maps)
        except ConfigError as error:
            raise VolumeError(f'MountVolume.SetUp failed for volume "{name}" : {error}') from error
    return made


def mounts(container: Object, volumes: Mapping[str, Path]) -> dict[str, Path]:
    """Return what a container mounts, by place."""
    found = {}
    for mount in container.get("volumeMounts") or []:
        if source := volumes.get(mount["name"]):
            below = source / mount["subPath"] if mount.get("subPath") else source
            if not below.exists():
                below.mkdir(parents=True)
            found["/" + mount["mountPath"].strip("/")] = below
    return found


def _provide(volume: Object, pod: Object, place: Path, config_maps: ConfigMaps) -> Path:
    if host := volume.get("hostPath"):
        return _host_path(host)
    place.mkdir(parents=True, exist_ok=True)
    if "emptyDir" in volume or set(volume) == {"name"}:
        return place
    sources = (volume.get("projected") or {}).get("sources")
    files: dict[str, bytes] = {}
    for source in [volume] if sources is None else sources:
        files |= dict(_files(source, pod, config_maps))
    for path in place.iterdir():  # of the kubelet's life before this one
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, content in files.items():
        file = place / posixpath.normpath("/" + name).lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return place


def _host_path(host: Object) -> Path:
    path, kind = Path(host["path"]), host.get("type") or ""
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    elif kind == "FileOrCreate":
        path.touch()
    if not path.exists():
        raise ConfigError(f"hostPath type check failed: {path} is not there")
    return path


def _files(source: Object, pod: Object, config_maps: ConfigMaps) -> Iterator[tuple[str, bytes]]:
    """Yield what a source puts into the volume: path and content."""
    if wanted := source.get("configMap"):
        yield from _of_config_map(wanted, pod, config_maps)
    elif secret := source.get("secret"):
        if not secret.get("optional"):
            name = secret.get("secretName") or secret.get("name", "")
            raise ConfigError(f'secret "{name}" not found')
    elif downward := source.get("downwardAPI"):
        for item in downward.get("items") or []:
            path = (item.get("fieldRef") or {}).get("fieldPath", "")
            yield item["path"], pod_field(path, pod).encode()
    elif "serviceAccountToken" not in source:  # there are no tokens here
        kind = next((key for key in source if key != "name"), "an empty source")
        raise ConfigError(f"volumes of the kind {kind} are not offered on the embedded cluster")


def _of_config_map(
    wanted: Object, pod: Object, config_maps: ConfigMaps
) -> Iterator[tuple[str, bytes]]:
    name, namespace = wanted.get("name", ""), pod["metadata"]["namespace"]
    found = config_maps(name)
    if found is None:
        if wanted.get("optional"):
            return
        raise ConfigError(f'configmap "{name}" not found')
    data = {key: text.encode() for key, text in (found.get("data") or {}).items()}
    data |= {key: base64.b64decode(text) for key, text in (found.get("binaryData") or {}).items()}
    items = wanted.get("items")
    for item in items if items is not None else [{"key": key, "path": key} for key in data]:
        if item["key"] in data:
            yield item["path"], data[item["key"]]
        elif not wanted.get("optional"):
            raise ConfigError(
                f"configmap references non-existent config key: {item['key']} ({namespace}/{name})"
            )
