"""Orders for faults from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wxsync.errors import ConfigError
from wxsync.sandbox.fault_file import load_faults
from wxsync.sandbox.faults import FaultKind
from wxsync.sandbox.state import SandboxState

CALLS = ("gettoken", "user/create", "user/get", "department/create", "batch/syncuser")

ALL = """
seed = 7

[[fault]]
call = "user/create"
kind = "errcode"
errcode = 45009
chance = 0.25

[[fault]]
call = "user/*"
kind = "http_status"
status = 503
at = 3
after = true

[[fault]]
call = "*"
kind = "delay"
seconds = 1.5
times = 4

[[fault]]
call = "user/get"
kind = "cut"
times = "all"

[[job]]
call = "batch/syncuser"
kind = "fail_rows"
errcode = 60103
every = 3

[[job]]
call = "batch/*"
kind = "hang"
share = 0.25
at = 2

[callbacks]
duplicate = 2
same_bytes = true
turn_round = 1
lose = 3
"""


@pytest.fixture
def load(tmp_path):
    def read(text, name="faults.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return load_faults(path, CALLS)

    return read


def test_a_file_orders_everything(load):
    """Calls, jobs and callbacks, each with what it needs; a chance holds for good, a place once."""
    state = SandboxState()
    load(ALL).order(state)
    found = [
        (fault.path, fault.kind, fault.times, fault.skip, fault.is_after, fault.chance)
        for fault in state.faults.waiting
    ]
    assert found == [
        ("user/create", FaultKind.ERRCODE, None, 0, False, 0.25),
        ("user/*", FaultKind.HTTP_STATUS, 1, 2, True, 1.0),
        ("*", FaultKind.DELAY, 4, 0, False, 1.0),
        ("user/get", FaultKind.CUT, None, 0, True, 1.0),
    ]
    assert [(fault.errcode, fault.status, fault.seconds) for fault in state.faults.waiting] == [
        (45009, 0, 0),
        (0, 503, 0),
        (0, 0, 1.5),
        (0, 0, 0),
    ]
    assert state.faults.seed == 7
    assert [(job.path, job.times, job.skip) for job in state.job_faults.waiting] == [
        ("batch/syncuser", 1, 0),
        ("batch/*", 1, 1),
    ]
    fates = [order.make() for order in state.job_faults.waiting]
    assert [fates[0].bad_row(number) for number in range(4)] == [0, 0, 60103, 0]
    assert fates[1].hangs_at == 0.25
    faults = state.outbox.faults
    assert (faults.duplicates, faults.with_same_bytes, faults.backwards, faults.lost) == (2, True, 1, 3)


def test_json_of_the_same_shape(load):
    """A file whose name ends in .json."""
    document = {"fault": [{"call": "gettoken", "kind": kind} for kind in ("reset", "html", "huge")]}
    state = SandboxState()
    load(json.dumps(document), "faults.json").order(state)
    assert [fault.kind.value for fault in state.faults.waiting] == ["reset", "html", "huge"]


@pytest.mark.parametrize("kind", [kind.value for kind in FaultKind])
def test_every_kind_can_be_ordered(load, kind):
    """With the one key that some of them need."""
    key = {"errcode": "errcode = -1", "http_status": "status = 500", "delay": "seconds = 1"}.get(kind, "")
    state = SandboxState()
    load(f'[[fault]]\ncall = "*"\nkind = "{kind}"\n{key}').order(state)
    assert [fault.kind for fault in state.faults.waiting] == [kind]


def test_the_example_of_the_reference_can_be_used(load):
    """What docs/reference.md shows is a file that orders three faults, a job's and callbacks'."""
    reference = (Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")
    example = reference.partition("### Faults file")[2].partition("```toml")[2].partition("```")[0]
    found = load(example)
    assert (len(found.fault), len(found.job), found.callbacks.duplicate) == (3, 1, 2)


def problems(load, text, name="faults.toml"):
    with pytest.raises(ConfigError) as caught:
        load(text, name)
    assert all(name in problem for problem in caught.value.problems)
    return [problem.partition(f"{name}: ")[2] for problem in caught.value.problems]


def test_every_wrong_key_is_named(load):
    """All at once, with the place, and what may have been meant."""
    text = """
    sead = 1
    [[fault]]
    call = "user/create"
    kind = "errcode"
    errcode = "45009"
    chanse = 0.5
    [[fault]]
    kind = "slow"
    at = 0
    chance = 2
    [callbacks]
    duplicates = 1
    """
    found = problems(load, text)
    assert [problem.partition(":")[0] for problem in found] == [
        "fault[0].errcode",
        "fault[0].chanse",
        "fault[1].call",
        "fault[1].kind",
        "fault[1].at",
        "fault[1].chance",
        "callbacks.duplicates",
        "sead",
    ]
    assert found[1] == 'fault[0].chanse: no such key. Did you mean "chance"?'
    assert found[0] == "fault[0].errcode: must be a whole number"
    assert found[-1] == 'sead: no such key. Did you mean "seed"?'


def test_what_does_not_fit_together_is_named(load):
    """A call that nobody knows, a key that is missing, a key that does not belong."""
    text = """
    fault = [{call = "user/creat", kind = "errcode"}, {call = "user/x*", kind = "delay", errcode = 1}]
    job = [{call = "batch/x", kind = "hang"}]
    """
    assert problems(load, text) == [
        'fault[0].call: the sandbox has no call user/creat. Did you mean "user/create"?',
        "job[0].call: the sandbox has no call batch/x.",
        "fault[0].errcode: is required for errcode",
        "fault[1].seconds: is required for delay",
        "fault[1].errcode: does not go with delay",
    ]


def test_a_file_that_breaks_off_names_its_line(load, tmp_path):
    """In TOML's and JSON's own words."""
    assert "line 2" in problems(load, 'seed = 1\n[[fault]\ncall = "*"')[0]
    assert "line 2" in problems(load, '{"fault": [\n{"call": 3,}]}', "faults.json")[0]
    with pytest.raises(ConfigError, match="No such file"):
        load_faults(tmp_path / "none.toml", CALLS)
    assert problems(load, "[]", "faults.json") == ["must be a table"]
