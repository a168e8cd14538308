"""Whatever answers in WeCom's place: out comes a record of plain values, or an error of ours."""

from __future__ import annotations

import asyncio
import inspect
import json
import math
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network

import httpx
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.wecom.families import CASES, FAMILIES, GROUPS, Case, Impostor
from tests.wecom.hostility import replies, to_response, written
from tests.wecom.line import SECRET
from wxsync.errors import WeComApiError, WeComError
from wxsync.model.unknown import UNKNOWN

EXAMPLES = 2_000
SOAKED = 100_000
MB = 2**20
PLAIN = (bool, type(None), bytes, datetime, IPv4Network, IPv6Network)

Meet = Callable[[Case, httpx.Response], object]


@contextmanager
def impostor() -> Iterator[Meet]:
    """What a call gives where something else answers, in one loop for all examples of a test."""

    async def outcome(case: Case, answer: httpx.Response) -> object:
        try:
            return await stand_in.meet(case, answer)
        except WeComError as error:
            return error

    with asyncio.Runner() as runner:
        stand_in = Impostor()
        yield lambda case, answer: runner.run(outcome(case, answer))


def check_outcome(outcome: object) -> None:
    if isinstance(outcome, WeComError):
        check_error(outcome)
    else:
        check_plain(outcome)


def check_plain(value: object) -> None:
    """No dict, no text that cannot be written, no number that no database keeps."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, PLAIN) or value is UNKNOWN:
        pass
    elif isinstance(value, int):
        assert abs(value) < 2**63
    elif isinstance(value, tuple | frozenset):
        for each in value:
            check_plain(each)
    else:
        assert is_dataclass(value), f"{type(value)} comes out of a call"
        for each in fields(value):
            check_plain(getattr(value, each.name))


def check_error(error: WeComError) -> None:
    """It can be printed, is a line or two, and tells no secret."""
    told = f"{error} {error.hint} {error!r} {''.join(traceback.format_exception(error))}"
    told.encode()
    assert len(str(error)) < 3000
    assert SECRET not in told
    assert "tok-secret" not in told
    if isinstance(error, WeComApiError):
        assert type(error.errcode) is int


def hold_off(group: str, examples: int, part: int = 0) -> None:
    """The property, for the calls of one group; each part has other answers than the one before it."""
    count = 0
    with impostor() as meet:

        @seed(part)
        @settings(
            max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(
            st.sampled_from(GROUPS[group]).flatmap(
                lambda case: st.tuples(st.just(case), replies(case.answer))
            )
        )
        def never_fails_otherwise(answered: tuple) -> None:
            nonlocal count
            count += 1
            case, reply = answered
            check_outcome(meet(case, to_response(reply)))

        never_fails_otherwise()
    assert count >= examples


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_but_our_own_errors(group):
    """Fields that are missing, of other types, huge, half characters, HTML: 2,000 answers in all."""
    hold_off(group, math.ceil(EXAMPLES / len(GROUPS)))


@pytest.mark.soak
@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("group", GROUPS)
def test_nothing_but_our_own_errors_for_long(group, part):
    """The same with 100,000 answers and more."""
    hold_off(group, math.ceil(SOAKED / len(GROUPS) / 2), part)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_documented_answer_is_read(case):
    """Else the others would be refused for nothing, and the property would prove nothing."""
    with impostor() as meet:
        outcome = meet(
            case, httpx.Response(200, content=written({"errcode": 0, "errmsg": "ok", **case.answer}))
        )
    if case.is_refused:
        assert isinstance(outcome, WeComError)
    else:
        assert not isinstance(outcome, WeComError), outcome
        check_plain(outcome)


@pytest.mark.parametrize("case", GROUPS["tokens"], ids=str)
def test_a_token_that_a_refusal_spells_out_is_not_told(case):
    """WeCom refuses the token, gives one all the same, and has it in the text of its refusal, too."""
    body = {**case.answer, "errcode": 1, "errmsg": "none for you: tok-secret-1"}
    with impostor() as meet:
        outcome = meet(case, httpx.Response(200, content=written(body)))
    assert isinstance(outcome, WeComError)
    check_error(outcome)


def test_every_call_is_tried():
    """A new method of any family belongs into the table."""
    public = {
        f"{family.__name__}.{name}"
        for family in FAMILIES
        for name, _ in inspect.getmembers(family, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    assert public == {str(case) for case in CASES}


def test_an_impostor_is_seen_through():
    """The checks themselves can fail: a dict, half a character, a number without end, a secret."""
    value: object
    for value in ({}, "\ud800", 2**63, ("a", [1]), 0.5):
        with pytest.raises((AssertionError, UnicodeEncodeError)):
            check_plain(value)
    for error in (WeComError(SECRET), WeComError("a" * 3000), WeComError("\ud800")):
        with pytest.raises((AssertionError, UnicodeEncodeError)):
            check_error(error)


def huge(case: Case, size: int) -> dict[str, bytes]:
    """Bodies of `size` bytes, by what is huge in them."""
    whole = {"errcode": 0, "errmsg": "ok", **case.answer}
    lists = {name: value for name, value in case.answer.items() if isinstance(value, list) and value}
    rows = {name: value * (size // len(lists) // len(json.dumps(value))) for name, value in lists.items()}
    texts = [name for name, value in case.answer.items() if isinstance(value, str)]
    return {
        "html": b"<html>" + b"x" * size,
        "errmsg": written({"errcode": 40003, "errmsg": "a" * (size // 2) + "1380000000" * (size // 20)}),
        "ok": written({**whole, "errmsg": "Warning" * (size // 7)}),
        "rows": written({**whole, **rows}),
        "texts": written({**whole, **{name: "1" * (size // max(1, len(texts))) for name in texts}}),
        "characters": written(
            {**whole, **{name: "é\u200b" * (size // 5 // max(1, len(texts))) for name in texts}}
        ),
        "deep": b'{"errcode":0,"errmsg":"ok","x":' + b"[" * size,
        "number": b'{"errcode":' + b"1" * size + b"}",
    }


def choke_on(case: Case) -> None:
    with impostor() as meet:
        for body in huge(case, 10 * MB).values():
            start = time.monotonic()
            check_outcome(meet(case, httpx.Response(200, content=body)))
            assert time.monotonic() - start < 20


FEW = [cases[0] for cases in GROUPS.values()]
FEW += [case for case in CASES if str(case) in ("Lookups.list_members", "Messages.send", "Jobs.get_result")]


@pytest.mark.parametrize("case", FEW, ids=str)
def test_ten_megabytes(case):
    """They are read, or refused, and nobody chokes on them."""
    choke_on(case)


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES, ids=str)
def test_ten_megabytes_in_every_call(case):
    """The same for each of them."""
    choke_on(case)
