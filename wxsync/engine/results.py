"""What an answer of WeCom, or none, makes of one part of a schedule."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from wxsync.errors import (
    RateLimitError,
    StrayDepartmentError,
    UnsendableError,
    WeComApiError,
    WeComError,
    WeComTransportError,
)
from wxsync.model.message import Message, say
from wxsync.model.run import Outcome, OutcomeState
from wxsync.wecom import errcodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one part."""

    state: OutcomeState
    errcode: int | None = None
    hint: Message | None = None
    attempts: int = 1
    stops: WeComError | None = None
    """Set where no further call makes sense."""
    is_line_fault: bool = False
    """The way to WeCom is at fault and not this record."""


WORST_FIRST: Final = (
    OutcomeState.UNKNOWN,
    OutcomeState.FAILED,
    OutcomeState.SKIPPED,
    OutcomeState.DONE,
)

STRAY = say("WeCom put it into a department of its own making: move it out and delete that one")
NOT_TRIED = Result(state=OutcomeState.SKIPPED, hint=say("not tried, because the run was stopped"), attempts=0)
DONE = Result(state=OutcomeState.DONE)
NOTHING_TO_SEND = Result(state=OutcomeState.DONE, attempts=0)


def written(fields: Container[str]) -> Result:
    """Done, as far as WeCom tells it."""
    if "mobile" in fields:
        hint = say("WeCom ignores a new phone number for a member who has activated: sent, not proven")
        return replace(DONE, hint=hint)
    return DONE


def is_ambiguous(error: WeComError) -> bool:
    """The call may have had its effect all the same."""
    if isinstance(error, WeComTransportError | WeComApiError):
        return error.is_ambiguous
    # An answer that cannot be read came after the call, whatever it says.
    return not isinstance(error, UnsendableError)


def is_stopped(results: Mapping[int, Result | None]) -> bool:
    """One of them stops the run."""
    return any(result is not None and result.stops is not None for result in results.values())


@contextmanager
def already_so() -> Iterator[None]:
    """Take a refusal by which what was asked for is so already for success: gone is gone."""
    try:
        yield
    except WeComApiError as error:
        if errcodes.lookup(error.errcode, error.endpoint).action is not errcodes.Action.ALREADY:
            raise


def to_result(error: WeComError) -> Result:
    """A refusal is a failed outcome with its errcode; what nobody knows is an unknown one."""
    if isinstance(error, WeComTransportError):
        if error.is_ambiguous:
            hint = say("no answer came, so nobody knows whether it was carried out: the next run will see")
            return Result(state=OutcomeState.UNKNOWN, hint=hint, is_line_fault=True)
        hint = say("WeCom could not be reached")
        return Result(state=OutcomeState.FAILED, hint=hint, is_line_fault=True)
    if isinstance(error, StrayDepartmentError):
        return Result(state=OutcomeState.FAILED, hint=STRAY)
    if not isinstance(error, WeComApiError):
        state = OutcomeState.UNKNOWN if is_ambiguous(error) else OutcomeState.FAILED
        return Result(state=state, hint=say("{problem}", problem=error.message), stops=error)
    action = errcodes.lookup(error.errcode).action
    is_final = error.errcode == errcodes.FREQUENCY or action in (
        errcodes.Action.STOP,
        errcodes.Action.REFRESH,
    )
    return Result(
        state=OutcomeState.UNKNOWN if error.is_ambiguous else OutcomeState.FAILED,
        errcode=error.errcode,
        hint=errcodes.explain(error.errcode, error.errmsg),
        is_line_fault=isinstance(error, RateLimitError),
        stops=error if is_final else None,
    )


def outcome_of(n: int, results: Iterable[Result]) -> Outcome:
    """The worst of a change's parts is what became of it."""
    listed = list(results)
    worst = min(listed, key=lambda result: WORST_FIRST.index(result.state))
    hint = worst.hint or next((result.hint for result in listed if result.hint is not None), None)
    return Outcome(
        n=n,
        state=worst.state,
        errcode=worst.errcode,
        hint=hint,
        attempts=sum(result.attempts for result in listed),
    )
