"""Two processes on one mirror, and one of them is stopped past its lease, and wakes: it starts no call."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.house.tree import ROOT
from tests.journeys.rival import Facts
from tests.journeys.story import Story
from wxsync.mirror import schema
from wxsync.mirror.clocks import since_boot
from wxsync.sandbox.identity import Call
from wxsync.sandbox.serve import running_sandbox

ADDRESSES = ("127.0.0.2", "127.0.0.3")
LAST = "127.0.0.4"
PEOPLE = 40
TTL = 1.5
CALL = 0.5
PATIENCE = 600.0
SILENCE = "options=-c%20idle_in_transaction_session_timeout%3D300"
"""Milliseconds here, two minutes else: what is locked by a process that is stopped in a transaction."""


@dataclass(frozen=True)
class Arrival:
    """A call, as WeCom got it."""

    at: float
    ip: str
    path: str
    is_stopped: bool
    """Its process, at that moment."""


@dataclass
class Arena:
    """Who calls, who is stopped, and what each of them says. Told of every call by the sandbox.

    Whoever ends by KILL is started again for the runs that are left, as systemd would. Only the watchdog
    does that here: nobody is killed before all is over.
    """

    chance: random.Random
    base_url: str = ""
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    calls: list[Arrival] = field(default_factory=list)
    said: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lives: dict[str, threading.Thread] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    stops: int = 0
    kills: int = 0
    _stopped: str | None = None
    _until_stop: int = 6
    _until_wake: int = 0
    _enough: threading.Event = field(default_factory=threading.Event)
    _waker: threading.Thread | None = None
    _door: threading.Lock = field(default_factory=threading.Lock)
    _is_over: bool = False

    def start(self, facts: Facts) -> None:
        self.said[facts.ip] = []
        self.lives[facts.ip] = threading.Thread(target=self._live, args=(facts,), daemon=True)
        self.lives[facts.ip].start()

    def wait(self) -> None:
        """Until all have ended by themselves."""
        for ip, life in self.lives.items():
            life.join(PATIENCE)
            assert self.codes.get(ip) == 0, self.said[ip][-5:]

    def close(self) -> None:
        self._is_over = True
        self._enough.set()
        for process in list(self.processes.values()):
            process.kill()
        for life in self.lives.values():
            life.join()
        if self._waker is not None:
            self._waker.join()

    def on_call(self, call: Call) -> None:
        """Now and then whoever writes is stopped, until the other one has written a little."""
        self.calls.append(Arrival(since_boot(), call.ip, call.path, self._stopped == call.ip))
        if not call.is_write or call.ip not in ADDRESSES:
            return
        with self._door:
            if self._stopped is None:
                self._until_stop -= 1
                if self._until_stop <= 0:
                    self._stop(call.ip)
            elif call.ip != self._stopped:
                self._until_wake -= 1
                if self._until_wake <= 0:
                    self._enough.set()

    def _live(self, facts: Facts) -> None:
        """One process after the other, until one ends by itself."""
        left = facts
        while True:
            code = self._live_once(left)
            with self._door:
                if self._stopped == facts.ip:
                    self._go_on()
            if code != -signal.SIGKILL or self._is_over:
                self.codes[facts.ip] = code
                return
            self.kills += 1
            done = sum(each["what"] == "ended" for each in self.said[facts.ip])
            left = replace(facts, runs=facts.runs - done, first=done, seed=facts.seed + 1000 * self.kills)

    def _live_once(self, facts: Facts) -> int:
        command = [sys.executable, "-m", "tests.journeys.rival", facts.to_json()]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
        self.processes[facts.ip] = process
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.said[facts.ip].append(json.loads(line))
        return process.wait()

    def _stop(self, ip: str) -> None:
        self._stopped, self._until_wake = ip, self.chance.randrange(1, 12)
        self.stops += 1
        self._enough = threading.Event()
        process = self.processes[ip]
        process.send_signal(signal.SIGSTOP)
        self._waker = threading.Thread(target=self._wake, args=(ip, process, self._enough), daemon=True)
        self._waker.start()

    def _wake(self, ip: str, process: subprocess.Popen[str], enough: threading.Event) -> None:
        """When the other one has written enough, or has nothing left to write."""
        enough.wait(3 * TTL)
        self._hear_out(ip)
        with self._door:
            if self._enough is enough and self._stopped == ip:  # and has not been ended meanwhile
                self._go_on()
                process.send_signal(signal.SIGCONT)

    def _go_on(self) -> None:
        self._stopped, self._until_stop = None, self.chance.randrange(2, 15)

    def _hear_out(self, ip: str) -> None:
        """Until WeCom has met all that it had of `ip` before the stop: what it meets after that came later.

        Nothing of it waits in the kernel any more; and the sandbox, one thread, has carried out a call that
        it got after all of it.
        """
        while not self._is_over and any(waiting_from(ip)):
            time.sleep(0.005)
        for _ in range(2):
            if not self._is_over:
                httpx.get(f"{self.base_url}/cgi-bin/getcallbackip", trust_env=False, timeout=PATIENCE)

    # What came of it

    def takings(self) -> list[tuple[float, int, str]]:
        """When, with which token, who."""
        return sorted(
            (each["sought"], each["token"], ip)
            for ip, lines in self.said.items()
            for each in lines
            if each["what"] == "took"
        )

    def trespasses(self) -> list[str]:
        """Calls by one who had the lease no more, or not yet.

        What arrives from a process while it is stopped was with its socket before, and nobody is woken before
        all of that has arrived.
        """
        takings = self.takings()
        found = []
        for each in self.calls:
            if each.ip not in self.said:  # the question of `_hear_out`
                continue
            before = [(token, who) for sought, token, who in takings if sought <= each.at]
            is_holders = bool(before) and max(before)[1] == each.ip
            if each.path != "gettoken" and not is_holders and not each.is_stopped:
                found.append(f"{each}, when {max(before, default=None)} had the lease")
        return found

    def count(self, what: str) -> int:
        return sum(each["what"] == what for lines in self.said.values() for each in lines)


def waiting_from(ip: str) -> Iterator[int]:
    """Bytes on connections of `ip` that the other end's process has not read, or that are on their way."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    number = "".join(f"{int(part):02X}" for part in reversed(ip.split(".")))
    for line in lines:
        _, here, there, _, queues, *_ = line.split()
        to_send, to_read = (int(part, 16) for part in queues.split(":"))
        if there.startswith(number):
            yield to_read
        elif here.startswith(number):
            yield to_send


def fight(story: Story, mirror_url: str, runs: int, seed: int) -> Arena:
    """So many runs by two processes, and then one by a third, which finds nothing left to do."""
    story.people(PEOPLE)
    story.save()
    schema.upgrade(mirror_url)
    arena = Arena(random.Random(seed))
    story.wecom.on_call = arena.on_call
    with ExitStack() as stack:
        arena.base_url = stack.enter_context(running_sandbox(story.wecom))
        stack.callback(arena.close)
        facts = Facts(
            mirror_url=mirror_url,
            base_url=arena.base_url,
            secret=story.wecom.contact_secret,
            hr=str(story.folder / "hr.db"),
            ip="",
            runs=0,
            seed=seed,
            changes=10,
            ttl=TTL,
            call=CALL,
            renewal=0.1,
        )
        for number, ip in enumerate(ADDRESSES):
            own = runs // 2 + (number < runs % 2)
            arena.start(replace(facts, ip=ip, runs=own, seed=seed * 2 + number))
        arena.wait()
        arena.start(replace(facts, ip=LAST, runs=2, changes=0))
        arena.wait()
    return arena


def check(story: Story, arena: Arena, runs: int) -> None:
    assert arena.trespasses() == []
    assert arena.count("ended") == runs + 2
    last = [each for each in arena.said[LAST] if each["what"] == "ended"]
    assert [(each["state"], each["writes"]) for each in last][1:] == [("applied", 0)]
    with closing(sqlite3.connect(story.folder / "hr.db")) as hr:
        wanted = dict(hr.execute("SELECT lower(emp_no), coalesce(title, '') FROM employees").fetchall())
    assert {userid: member.position for userid, member in story.wecom.members.items()} == wanted
    created = Counter(
        (call.body or {})["userid"]
        for call in story.wecom.writes
        if call.path == "user/create" and call.is_carried_out
    )
    assert created == dict.fromkeys(wanted, 1)


def tell(arena: Arena, runs: int) -> None:
    losses = {what: arena.count(what) for what in ("took", "lost", "broke", "waits")}
    print(
        f"{runs} runs, {arena.stops} stops, {arena.kills} ended by the watchdog, {len(arena.calls)} calls, "
        f"{losses}, {len(arena.trespasses())} by one who lost the lease"
    )


def test_of_two_processes_the_one_that_lost_its_lease_starts_no_call(
    postgres_url: str, tmp_path: Path
) -> None:
    """Whoever writes is stopped past its lease, and woken while the other one writes."""
    story = Story(tmp_path)
    arena = fight(story, f"{postgres_url}?{SILENCE}", 5, seed=1)
    tell(arena, 5)
    check(story, arena, 5)
    assert arena.stops > 0
    assert arena.count("took") > 7  # somebody took over from one that was stopped


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 12))
def test_of_two_processes_the_one_that_lost_its_lease_starts_no_call_for_long(
    postgres_url: str, tmp_path: Path, seed: int
) -> None:
    """The same: 200 runs in all."""
    story = Story(tmp_path)
    arena = fight(story, f"{postgres_url}?{SILENCE}", 20, seed=seed)
    tell(arena, 20)
    check(story, arena, 20)
    assert arena.count("took") > 22
