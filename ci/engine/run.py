"""One run: which of its nodes runs when, what became of each, and the failures that end it."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from graphlib import TopologicalSorter
from typing import Any

from invoke.exceptions import Exit
from invoke.tasks import Task

from ci.engine import descendants, failure
from ci.engine.audience import Audience
from ci.engine.graph import Node
from ci.engine.leash import DEADLINE, FAILURE, Stopped
from ci.engine.settings import Settings
from ci.engine.signals import Events, Signals
from ci.engine.step import Step
from ci.engine.work import DONE, FAILED, Work
from ci.errors import LockstepError, Unfinished

Prepare = Callable[[Work], Callable[[], Any]]


class Run:
    """
    Performs nodes, as many at a time as may be, until one fails; then only those that always run and can.

    All that is decided is decided in the one thread that calls `to_the_end`; steps run in others.
    """

    def __init__(self, nodes: Sequence[Node], prepare: Prepare, settings: Settings, audience: Audience) -> None:
        self._nodes = nodes
        self._prepare = prepare
        self._settings = settings
        self.audience = audience
        self._events = Events()  # works that have ended, and signals
        self._signals = Signals(self._events)
        self._running: list[Work] = []
        self._readied: set[Node] = set()  # what was given the chance to get ready before its turn
        self._ended: dict[Node, Work] = {}
        self._failed: list[Work] = []
        self._interruption: BaseException | None = None  # as Invoke has it, in a plain task
        self._stopped_by = 0
        self._is_stuck = False  # something does not return
        self.results: dict[Task[Any], Any] = {}

    def to_the_end(self) -> None:
        """
        Perform all that can be and tell how it went.

        Raises:
            Exit: a task failed or a signal arrived, and all that is to say of it was said.
        """
        last = [node for node in self._nodes if node.is_last]
        with self._signals:
            for phase in sorted({node.phase for node in self._nodes}):
                self._go_through([node for node in self._nodes if node.phase == phase and node not in last])
            self._sum_up()
            self._go_through(last)
        self._leave()

    def _go_through(self, nodes: Sequence[Node]) -> None:
        """Perform `nodes`; the longest ways to the end first, what needs to be alone last."""
        here = set(nodes)
        sorter = TopologicalSorter({node: here.intersection(node.before) for node in nodes})
        sorter.prepare()
        ready: list[Node] = []
        while True:
            ready = sorted([*ready, *sorter.get_ready()], key=self._urgency)
            while ready and self._may_start(ready[0]):
                self._start(ready.pop(0))
            for node in filter(self._may_get_ready, nodes):
                self._readied.add(node)
                self._start(node, is_ahead=True)
            if not self._running:
                return
            work = self._await()
            if work and self._finish(work):
                sorter.done(work.node)

    def _urgency(self, node: Node) -> tuple[bool, int, int]:
        return node.is_alone, -node.chain, self._nodes.index(node)

    def _may_start(self, node: Node) -> bool:
        if self._stopped_by or (self._failed and not self._may_tell(node)):
            return False
        if node in self._at_work():  # getting ready still
            return False
        return not self._running if node.is_alone else len(self._running) < self._settings.jobs

    def _may_get_ready(self, node: Node) -> bool:
        """Return whether it can do so now: before its turn, after the last that is alone, in a place nobody wants."""
        if not (isinstance(node.task, Step) and node.task.gets_ready) or node in self._readied | self._ended.keys():
            return False
        return self._may_start(node) and node.alone_before <= self._ended.keys()

    def _at_work(self) -> set[Node]:
        return {work.node for work in self._running}

    def _may_tell(self, node: Node) -> bool:
        """Return whether, after a failure, one that always runs has something to tell, and can."""
        done = {one for one, work in self._ended.items() if work.state == DONE}
        always = isinstance(node.task, Step) and node.task.promise.always
        return always and node.is_last and bool(done) and done.issuperset(node.needs)

    def _start(self, node: Node, *, is_ahead: bool = False) -> None:
        voice = self.audience.voice(node, is_ahead=is_ahead)
        work = Work(node, self.audience.stage, voice, self._settings.grace_s, is_ahead=is_ahead)
        self._running.append(work)
        if not is_ahead:
            self.audience.started(node)
        body = self._prepare(work)
        if node.is_alone:
            self._perform_here(work, body)
            self._events.put(work)
        else:
            work.start(body, self._events)

    def _perform_here(self, work: Work, body: Callable[[], Any]) -> None:
        with self.audience.paused():
            if work.deadline_at is None:
                with self._signals.left_alone():
                    work.perform(body)
                return
            try:
                with self._signals.on_leash(work.leash, work.deadline_at):
                    work.perform(body)
            except Stopped:  # it had ended when the signal came
                pass

    def _await(self) -> Work | None:
        """Wait for something to happen, and do what it asks for; return what has ended or is given up."""
        due_at = min((work.due_at for work in self._running if work.due_at is not None), default=None)
        event = self._events.get(None if due_at is None else max(0.0, due_at - time.monotonic()))
        if event is None:
            return self._late()
        if isinstance(event, Work):
            return None if event.state else event
        if event == signal.SIGCHLD:
            descendants.reap()
        else:
            self._stop(event)
        return None

    def _late(self) -> Work | None:
        for work in self._running:
            if work.due_at is not None and work.due_at <= time.monotonic():
                if work.leash.reason:
                    return work
                work.pull(DEADLINE)
        return None

    def _stop(self, signum: int) -> None:
        self._stopped_by = self._stopped_by or signum
        self._pull(signal.Signals(signum).name, self._running)

    def _pull(self, reason: str, works: Sequence[Work]) -> None:
        for work in works:
            work.pull(reason)

    def _finish(self, work: Work) -> bool:
        """Take note of how it went; return whether it is done. What could not get ready is tried again in its turn."""
        self._running.remove(work)
        work.close()
        self._is_stuck |= work.is_given_up
        if work.is_ahead:
            return False
        self._ended[work.node] = work
        self.results[work.node.task] = work.result
        self.audience.ended(work)
        if work.state == FAILED:
            self._fail(work)
        if isinstance(work.error, KeyboardInterrupt):
            self._stopped_by, self._interruption = signal.SIGINT, work.error
        return work.state == DONE

    def _fail(self, work: Work) -> None:
        self._failed.append(work)
        if isinstance(work.error, LockstepError):
            self.audience.error(work.node.title, work.error)
        in_vain = [one for one in self._running if one.is_ahead or self._settings.on_failure == "kill"]
        self._pull(FAILURE, [one for one in in_vain if not one.leash.reason])

    def _sum_up(self) -> None:
        """Say how it went, before those that always run have the last words."""
        works = sorted((one for one in self._ended.values() if not one.node.is_last), key=lambda one: one.began_at)
        left = [node.title for node in self._nodes if not node.is_last and node not in self._ended]
        if works or left:
            self.audience.sum_up(works, self._critical_path(works), left)

    def _critical_path(self, works: Sequence[Work]) -> list[str]:
        """Return the tasks that each waited for the one before, up to the end; nothing if none ran beside another."""
        ends = [0.0, *(work.ended_at for work in works)]
        if all(work.began_at >= max(ends[: number + 1]) for number, work in enumerate(works)):
            return []
        path: list[Work] = []
        ways: list[Work] = list(works)
        while ways:
            path.append(max(ways, key=lambda one: one.ended_at))
            node = path[-1].node
            ways = [self._ended[one] for one in node.before if one in self._ended]
            ways = ways or [one for one in works if one.node.phase < node.phase]
        return [work.node.title for work in reversed(path)]

    def _leave(self) -> None:
        """End as it went: well, or with the exit code of the first failure or of the signal, and the words of all."""
        told = [failure.last_words(work.error) for work in self._failed if work.error]
        for _, words in told:
            if words:
                self.audience.say(words)
        exit_code = told[0][0] if told else 0
        if self._stopped_by:
            exit_code = 128 + self._stopped_by
            if not self._interruption:
                self.audience.error("", self._ending())
        self.audience.end(exit_code)
        if self._is_stuck:
            self.audience.stage.real[0].flush()
            os._exit(exit_code)  # what does not return could keep the interpreter from ending
        if self._interruption:
            raise self._interruption
        if exit_code:
            raise Exit(code=exit_code)

    def _ending(self) -> Unfinished:
        last = next((node for node in self._nodes if node.is_last), None)
        hint = f"to see what was done: inv {' '.join(last.argv())}" if last else ""
        return Unfinished(f"ended by {signal.Signals(self._stopped_by).name}", hint)
