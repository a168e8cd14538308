"""Whatever happens to sources, WeCom, clock, line and process, in whatever order: the promises hold."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.machine import OTHERS, Chaos, Tally
from tests.chaos.world import ACTS, Broken, World, relive

TRACES: Final = Path(__file__).parent / "traces"
STEPS: Final = 60
KILLS: Final = 5
SOAK: Final = int(os.environ.get("WXSYNC_CHAOS_STEPS", "3000"))
"""`make soak` goes so many; as long as one likes."""
A_WORLD: Final = 60
"""Steps until the next one is founded."""
LIKELY: Final = {
    "a_day_in_hr": 6,
    "a_run": 4,
    "a_hand": 3,
    "a_fault": 2.5,
    "a_kill": 2,
    "a_death": 2,
    "calm": 2,
    "an_approved_run": 1.5,
    "a_torn_reading": 1.5,
    "days_pass": 1.5,
}


def drive(worlds: int, steps: int, **more: Any) -> Tally:
    Chaos.tally = Tally()
    run_state_machine_as_test(
        Chaos,
        settings=settings(
            max_examples=worlds,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )
    return Chaos.tally


def test_sixty_steps_with_five_kills() -> None:
    """The same ones each time; after each step, and at the end of each world, all is as promised."""
    tally = drive(2, STEPS, derandomize=True, phases=(Phase.generate,))
    assert tally.steps >= STEPS
    assert tally.kills >= KILLS


@pytest.mark.parametrize("trace", sorted(TRACES.glob("*.json")), ids=lambda path: path.stem)
def test_what_once_broke_a_promise(tmp_path: Path, trace: Path) -> None:
    """Every world that ever failed, lived through again."""
    kept = json.loads(trace.read_text("utf-8"))
    steps = [(str(name), int(number)) for name, number in kept["steps"]]
    try:
        relive(tmp_path / "world", kept["seed"], [*steps, ("calm", 0)])
    except Broken as error:
        raise AssertionError(f"{kept['what']}: {error}") from error


def test_every_step_is_among_those_that_the_machine_knows() -> None:
    """A new one is driven too."""
    assert {*OTHERS, "a_kill"} == set(ACTS)


@pytest.mark.soak
def test_as_many_steps_as_one_likes() -> None:
    """Hypothesis chooses; a world that breaks is shrunk to the shortest that does."""
    drive(max(1, SOAK // 2 // A_WORLD), A_WORLD, derandomize=False)


@pytest.mark.soak
def test_as_many_steps_by_chance(tmp_path: Path) -> None:
    """Plain chance, with more of what is likely to get in each other's way."""
    done = kills = 0
    while done < SOAK // 2:
        seed = random.SystemRandom().randrange(2**32)
        world = live(tmp_path / str(seed), seed)
        done, kills = done + len(world.steps), kills + world.kills
    print(f"{done} steps, {kills} kills")


def live(folder: Path, seed: int) -> World:
    """One world of that number; what breaks it is told so that it can be kept."""
    chance = random.Random(seed)
    world = World(folder, seed)
    weights = [LIKELY.get(name, 1.0) for name in ACTS]
    try:
        for name in chance.choices(ACTS, weights, k=A_WORLD):
            world.act(name, chance.randrange(2**16))
        world.act("calm", 0)
    except BaseException:
        print(f"told again by: {json.dumps({'seed': seed, 'steps': world.steps})}")
        raise
    return world
