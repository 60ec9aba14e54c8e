"""The worker by itself: a copy of its folder and a bare Python are enough to send."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flashsale.load import worker
from flashsale.load.plan import LoadPlan
from flashsale.load.target import find_target
from tests.load.lying_server import Liar


async def test_a_copy_of_the_folder_sends_without_anything_installed(tmp_path: Path) -> None:
    """So the same files can send from a container that holds nothing else."""
    copy = tmp_path / "flashsale" / "load" / "worker"
    shutil.copytree(Path(worker.__file__).parent, copy)
    async with Liar() as shop:
        plan = LoadPlan(find_target(shop.url), rate=50, seconds=0.2)
        task = json.dumps(asdict(plan.orders(0, 1)))
        begin = json.dumps({"start": time.monotonic() + 0.5})
        messages = await sent_by_copy(tmp_path, f"{task}\n{begin}\n")
        assert shop.requests == sum(message["sent"] for message in messages) == 10
    assert messages[-1]["done"]


async def sent_by_copy(folder: Path, text: str) -> list[dict[str, Any]]:
    """Run the copy, without site-packages, and read what it reports."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-s", "-E", "-m", "flashsale.load.worker"),
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    process.stdin.write(text.encode())
    assert process.stdout
    lines = [json.loads(line) async for line in process.stdout]
    await process.wait()
    return lines[1:]
