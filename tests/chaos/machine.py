"""Hypothesis drives a world: what happens next is its choice, and the shortest way to a broken promise."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.chaos.world import World

NUMBERS: Final = st.integers(0, 2**16)
A_KILL_EVERY: Final = 12
"""Steps. The machine itself would choose a kill too seldom."""
Step = Callable[["Chaos", int], None]


@dataclass
class Tally:
    """What all worlds of one test have been through."""

    worlds: int = 0
    steps: int = 0
    kills: int = 0
    told: list[str] = field(default_factory=list)


class Chaos(RuleBasedStateMachine):
    """One world. It is calmed at its end: one run converges, the next plans nothing."""

    tally: ClassVar[Tally]

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="wxsync-chaos-")
        self._world: World | None = None
        self._is_over = False

    @initialize(seed=NUMBERS)
    def founded(self, seed: int) -> None:
        self._world = World(Path(self._folder.name) / "world", seed)

    @property
    def world(self) -> World:
        assert self._world is not None
        return self._world

    def _is_due(self) -> bool:
        """Time for a kill, and there is something to do that could be cut off."""
        since = self.world.steps[-A_KILL_EVERY + 1 :]
        is_behind = any(name in ("a_day_in_hr", "a_mass_change") for name, _ in since)
        return len(since) == A_KILL_EVERY - 1 and is_behind and all(name != "a_kill" for name, _ in since)

    def _act(self, name: str, number: int) -> None:
        try:
            self.world.act(name, number)
        except BaseException:
            self._is_over = True
            print(f"told again by: {self.trace()}")
            raise

    def trace(self) -> str:
        """The world in a line, as `traces/` keeps it."""
        return json.dumps({"seed": self.world.seed, "steps": self.world.steps})

    def teardown(self) -> None:
        try:
            if self._world is not None and not self._is_over:
                self._act("calm", 0)
        finally:
            if self._world is not None:
                self.tally.worlds += 1
                self.tally.steps += len(self.world.steps)
                self.tally.kills += self.world.kills
            self._folder.cleanup()

    @precondition(_is_due)
    @rule(number=NUMBERS)
    def a_kill(self, number: int) -> None:
        self._act("a_kill", number)


def _step(name: str) -> Step:
    def act(self: Chaos, number: int) -> None:
        self._act(name, number)

    act.__name__ = name
    return precondition(lambda self: not self._is_due())(rule(number=NUMBERS)(act))


OTHERS: Final = (
    "a_day_in_hr",
    "a_death",
    "a_fault",
    "a_hand",
    "a_mass_change",
    "a_plan",
    "a_run",
    "a_torn_reading",
    "an_approved_run",
    "calm",
    "days_pass",
    "hours_pass",
)
"""Every other step of a world."""

for _name in OTHERS:
    setattr(Chaos, _name, _step(_name))
