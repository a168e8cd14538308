"""Two daemons on one PostgreSQL: whoever leads is killed in the midst of a run, and the other ends it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.stage import Stage, emp_no, open_stage, wait_for
from tests.service.daemons import APPLY, LISTEN, SERVED, Process, daemon, runs_of
from wxsync.mirror import schema

PEOPLE = 60
CHANGED = 40
"""So many people have another title after each round."""
LEFT = 10
"""So many at least are not written yet when the leader dies."""
WITHIN = 30.0
LEADS = "this daemon leads for the corp"
LIMITS = "\n[sync.acme.limits]\nmember_update = 100000\nfield_change = 100000\n"


@dataclass
class Pair:
    """A company, its WeCom, and two daemons of which either may lead."""

    stage: Stage
    stack: ExitStack
    daemons: dict[str, Process] = field(default_factory=dict)
    lives: Counter[str] = field(default_factory=Counter)
    on_record: int = 0
    """So many changes of dead runs were on record as done."""

    def start(self, name: str) -> None:
        """Anew, with a log of its own."""
        self.lives[name] += 1
        self.daemons[name] = self.stack.enter_context(daemon(self.stage, f"{name}-{self.lives[name]}"))

    def leader(self) -> str:
        """Whoever says that it leads; only one does."""
        (name,) = (name for name, each in self.daemons.items() if LEADS in each.says())
        return name

    def promoted(self, title: str) -> int:
        """How many have that title in WeCom."""
        return sum(member.position == title for member in self.stage.wecom.members.values())

    def kill_in_the_midst(self, number: int) -> float:
        """HR promotes many, the leader is killed as it writes that; gives the seconds to the end."""
        title, leader, before = f"第{number}级", self.leader(), len(self.stage.wecom.writes)
        self.stage.sql(f"UPDATE employees SET title = '{title}' WHERE emp_no <= '{emp_no(CHANGED)}'")
        self.daemons[leader].begin()
        wait_for(lambda: 20 <= self.promoted(title) < CHANGED - LEFT)
        self.daemons[leader].kill()
        killed = time.monotonic()
        wait_for(lambda: self.promoted(title) == CHANGED, WITHIN)
        took = time.monotonic() - killed
        (other,) = (each for name, each in self.daemons.items() if name != leader)
        wait_for(lambda: "a run is over" in other.says())
        self._each_once(before)
        self.start(leader)
        return took

    def _each_once(self, before: int) -> None:
        """Whom the dead one had on record as done, once; of nobody else more than the one call repeated."""
        written = Counter(call.body["userid"] for call in self.stage.wecom.writes[before:] if call.body)
        dead = self.stage.ok("runs", str(runs_of(self.stage)[-2]["id"]), "--format", "json").json
        assert dead["state"] == "stopped"
        keys = {change["n"]: change["id"] for change in dead["plan"]["changes"]}
        done = {keys[each["n"]] for each in dead["outcomes"] if each["state"] == "done"}
        self.on_record += len(done)
        assert len(written) == CHANGED
        assert {userid for userid, times in written.items() if times > 1}.isdisjoint(done)
        assert max(written.values()) <= 2


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str) -> Iterator[Pair]:
    """Both are up, and each change takes WeCom a little."""
    schema.upgrade(postgres_url)
    with open_stage(tmp_path, mirror=postgres_url) as stage, ExitStack() as stack:
        stage.hire(13, PEOPLE)
        stage.configure((SERVED, LISTEN), APPLY, add=LIMITS)
        stage.ok("apply", "--yes")
        stage.wecom.faults.delay("user/update", 0.3, times=None)
        found = Pair(stage, stack)
        for name in ("a", "b"):
            found.start(name)
        wait_for(lambda: any(LEADS in each.says() for each in found.daemons.values()))
        yield found


def test_the_leader_dies_in_the_midst_and_the_other_ends_its_run(pair: Pair) -> None:
    """Three times: within 30 seconds all is done, nothing is lost, and nothing is done twice."""
    kill_again_and_again(pair, 3)


@pytest.mark.soak
def test_the_leader_dies_fifty_times(pair: Pair) -> None:
    """The same, fifty times."""
    kill_again_and_again(pair, 50)


def kill_again_and_again(pair: Pair, times: int) -> None:
    took = [pair.kill_in_the_midst(number) for number in range(1, times + 1)]
    print(f"{times} deaths: {sorted(took)[times // 2]:.1f} s in the median, {max(took):.1f} s at most")
    assert pair.on_record
    pair.stage.ok("plan", "--exit-code")
    pair.stage.ok("audit", "verify")
    for each in pair.daemons.values():
        each.stop()
