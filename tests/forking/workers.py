"""Runs tests in processes that are forked once all tests are collected (Linux).

Each worker of pytest-xdist imports and collects all of them by itself: 5 s of CPU time before its
first test. Here a worker costs next to nothing, and so there may be more of them. A worker runs
one file after the other, and asks for the next when it has none left.
"""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

import pytest


def forks_workers(option: Any) -> bool:
    """Whether pytest-xdist would run files in workers, and forked ones can do it instead."""
    return sys.platform == "linux" and option.dist == "loadfile" and not option.usepdb


@dataclass
class Worker:
    """A worker as the process knows it that hands out the tests."""

    pid: int
    pipe: Connection
    todo: deque[int] = field(default_factory=deque)  # places of items that it has not finished
    last: int = 0  # the newest of those that it has finished
    failed: bool = False


class ForkedWorkers:
    """A plugin in place of pytest's own loop."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._files: deque[list[int]] = deque()  # places of items, by file
        self._workers: dict[Connection, Worker] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Hand files to workers until all are done; in a worker, run what is handed to it."""
        if session.testsfailed or session.config.option.collectonly:
            return None
        self._session = session
        by_file: dict[Any, list[int]] = {}
        for place, item in enumerate(session.items):
            by_file.setdefault(item.path, []).append(place)
        self._files.extend(by_file.values())
        if reporter := session.config.pluginmanager.get_plugin("terminalreporter"):
            reporter.showfspath = False  # they come in any order
        try:
            if pipe := self._hand_out():
                return run_tests(session, pipe)
        finally:
            for worker in self._workers.values():  # they were interrupted, too
                worker.pipe.close()
                os.waitpid(worker.pid, 0)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        return True

    def _hand_out(self) -> Connection | None:
        """Have workers run all files; returns the end of its pipe, in a worker alone."""
        for number in range(min(self._count, len(self._files))):
            if pipe := self._fork(number):
                return pipe
        while self._workers:
            for ready in wait(list(self._workers)):
                if pipe := self._listen(self._workers[ready]):
                    return pipe
        return None

    def _fork(self, number: int, todo: Iterable[int] = ()) -> Connection | None:
        """Start a worker, which begins with some tests, or with the next file."""
        ours, theirs = Pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            theirs.close()
            self._workers[ours] = Worker(pid, ours, deque(todo))
            return None
        for pipe in (ours, *self._workers):
            pipe.close()
        self._workers.clear()
        self._session.testsfailed = 0
        become_worker(self._session.config, number, self._count)
        return theirs

    def _listen(self, worker: Worker) -> Connection | None:
        """Hear one thing of a worker."""
        hook, config = self._session.config.hook, self._session.config
        try:
            said, data = worker.pipe.recv()
        except EOFError:
            return self._end(worker)
        if said == "next":
            stops = self._session.shouldfail or self._session.shouldstop
            if self._files and not (worker.todo or stops):
                worker.todo.extend(self._files.popleft())
            worker.pipe.send(list(worker.todo))
        elif said == "report":
            report = hook.pytest_report_from_serializable(config=config, data=data)
            worker.failed |= report.failed
            hook.pytest_runtest_logreport(report=report)
        elif said == "warning":
            words = ("message", "category", "filename", "lineno")
            message = warnings.WarningMessage(**{word: data.pop(word) for word in words})
            hook.pytest_warning_recorded.call_historic(kwargs={"warning_message": message, **data})
        else:
            worker.last = worker.todo.popleft()
            item = self._session.items[worker.last]
            hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return None

    def _end(self, worker: Worker) -> Connection | None:
        """Note that a worker has ended; if it crashed, another one takes its place."""
        del self._workers[worker.pipe]
        worker.pipe.close()
        session = self._session
        code = os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1])
        if code == pytest.ExitCode.INTERRUPTED:
            session.shouldstop = "a worker was interrupted"
        if session.shouldstop or session.shouldfail:
            return None
        if code == worker.failed and not worker.todo:
            return None
        item = session.items[worker.todo.popleft() if worker.todo else worker.last]
        text = f"A worker ended with exit code {code} in this test, or after it as its last one."
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", text, "call")
        session.config.hook.pytest_runtest_logreport(report=report)
        return self._fork(self._count, worker.todo) if worker.todo else None


def become_worker(config: pytest.Config, number: int, count: int) -> None:
    """Have streams and a place of our own, and leave the terminal to who forked us."""
    random.seed()
    name = f"gw{number}"
    os.environ["PYTEST_XDIST_WORKER"] = name  # what plugins know a worker by, as the next is
    config.workerinput = {"workerid": name, "workercount": count}  # type: ignore[attr-defined]
    config.pluginmanager.unregister(name="terminalreporter")
    if capture := config.pluginmanager.get_plugin("capturemanager"):
        capture.stop_global_capturing()
        capture.start_global_capturing()
        capture.suspend_global_capture()


def run_tests(session: pytest.Session, pipe: Connection) -> bool:
    """Run files of tests until there are none left, or nobody is there who wants to know."""
    hook = session.config.hook
    session.config.pluginmanager.register(Reporting(session, pipe))
    todo: deque[int] = deque()
    try:
        while not (session.shouldfail or session.shouldstop):
            if not todo:
                pipe.send(("next", None))
                todo.extend(pipe.recv())
            if not todo:
                break
            item = session.items[todo.popleft()]
            following: Any = session.items[todo[0]] if todo else session  # whose fixtures stay
            hook.pytest_runtest_protocol(item=item, nextitem=following)
            pipe.send(("finished", None))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # it was interrupted
    return True


class Reporting:
    """Tells who forked us what happens."""

    def __init__(self, session: pytest.Session, pipe: Connection) -> None:
        self._session, self._pipe = session, pipe

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Pass a report on."""
        config = self._session.config
        data = config.hook.pytest_report_to_serializable(config=config, report=report)
        self._tell("report", data)

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str, location: Any
    ) -> None:
        """Pass a warning of a test on."""
        if when == "runtest":
            place = {"filename": warning_message.filename, "lineno": warning_message.lineno}
            words = {"message": str(warning_message.message), "category": warning_message.category}
            of_test = {"when": when, "nodeid": nodeid, "location": location}
            self._tell("warning", {**place, **words, **of_test})

    def _tell(self, what: str, data: Any) -> None:
        try:
            self._pipe.send((what, data))
        except (BrokenPipeError, ConnectionResetError):
            self._session.shouldstop = "nobody wants to know"
