"""Orders for faults from a file: TOML, or JSON of the same shape."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, Strict, ValidationError
from pydantic_core import ErrorDetails

from wxsync.config.problems import SENTENCES, dotted
from wxsync.config.suggestions import did_you_mean
from wxsync.config.table import PositiveNumber, Switch, Table, Text, WholeNumber
from wxsync.errors import ConfigError
from wxsync.sandbox.faults import FaultKind, Timing
from wxsync.sandbox.state import SandboxState

Share = Annotated[float, Field(gt=0, le=1)]
Errcode = Annotated[int, Strict()]

NEEDS: Final[Mapping[str, str]] = {"errcode": "errcode", "http_status": "status", "delay": "seconds"}
"""kind -> the key that it needs; no other kind takes that key."""
WILD: Final = frozenset("*?[")


class CallFault(Table):
    """One `[[fault]]`: what the calls of a path meet."""

    call: Text
    kind: FaultKind
    at: PositiveNumber | None = None
    times: PositiveNumber | Literal["all"] | None = None
    chance: Share = 1.0
    after: Switch | None = None
    errcode: Errcode | None = None
    status: Annotated[int, Strict(), Field(ge=100, le=599)] | None = None
    seconds: Annotated[float, Field(gt=0, le=3600)] | None = None

    def order(self, state: SandboxState) -> None:
        """Into the orders of a sandbox; with a chance and no `times` it stays for good."""
        timing = Timing(skip=(self.at or 1) - 1, chance=self.chance)
        if self.times is not None or self.chance < 1:
            timing["times"] = None if self.times == "all" else self.times
        if self.after is not None:
            timing["after"] = self.after
        faults = state.faults
        match self.kind:
            case FaultKind.ERRCODE:
                faults.answer(self.call, self.errcode or 0, **timing)
            case FaultKind.HTTP_STATUS:
                faults.http_status(self.call, self.status or 0, **timing)
            case FaultKind.DELAY:
                faults.delay(self.call, self.seconds or 0, **timing)
            case _:
                plain = {
                    FaultKind.RESET: faults.reset,
                    FaultKind.UNREACHABLE: faults.unreachable,
                    FaultKind.WARNING: faults.warn,
                    FaultKind.CUT: faults.cut,
                    FaultKind.TEXT_ERRCODE: faults.text_errcode,
                    FaultKind.HTML: faults.html,
                    FaultKind.HUGE: faults.huge,
                }
                plain[self.kind](self.call, **timing)


class JobFault(Table):
    """One `[[job]]`: what becomes of the next jobs of a call."""

    call: Text
    kind: Literal["hang", "fail", "fail_rows"]
    share: Annotated[float, Field(ge=0, le=1)] | None = None
    errcode: Errcode | None = None
    every: PositiveNumber = 2
    at: PositiveNumber = 1
    times: PositiveNumber = 1

    def order(self, state: SandboxState) -> None:
        jobs, skip = state.job_faults, self.at - 1
        match self.kind:
            case "hang":
                share = 0.5 if self.share is None else self.share
                jobs.hang(self.call, at=share, times=self.times, skip=skip)
            case "fail":
                errcode = self.errcode or 302005
                jobs.fail(self.call, errcode, at=self.share or 0.0, times=self.times, skip=skip)
            case "fail_rows":
                errcode = self.errcode or -1
                jobs.fail_rows(self.call, errcode, every=self.every, times=self.times, skip=skip)


class CallbackOrders(Table):
    """The table `[callbacks]`: what happens to events on their way."""

    duplicate: WholeNumber = 0
    same_bytes: Switch = False
    turn_round: WholeNumber = 0
    lose: WholeNumber = 0

    def order(self, state: SandboxState) -> None:
        faults = state.outbox.faults
        faults.duplicate(times=self.duplicate, same_bytes=self.same_bytes)
        faults.turn_round(times=self.turn_round)
        faults.lose(times=self.lose)


class FaultFile(Table):
    """All orders of one file."""

    seed: WholeNumber = 1
    fault: tuple[CallFault, ...] = ()
    job: tuple[JobFault, ...] = ()
    callbacks: CallbackOrders = CallbackOrders()

    def order(self, state: SandboxState) -> None:
        """Into a sandbox, beside the orders that it has; callbacks get these alone."""
        state.faults.seed = self.seed
        for fault in self.fault:
            fault.order(state)
        for job in self.job:
            job.order(state)
        self.callbacks.order(state)


def load_faults(path: Path, calls: Collection[str]) -> FaultFile:
    """The orders in a file, for a sandbox that knows these calls.

    `ConfigError` with every fault of the file, each with its line or key.
    """
    data = _read(path)
    try:
        found = FaultFile.model_validate(data)
    except ValidationError as error:
        lines = [_sentence(details) for details in error.errors(include_url=False, include_input=False)]
        raise _unusable(path, lines) from error
    problems = [
        *_unknown_calls("fault", [each.call for each in found.fault], calls),
        *_unknown_calls("job", [each.call for each in found.job], calls),
        *(problem for number, each in enumerate(found.fault) for problem in _misfits(number, each)),
    ]
    if problems:
        raise _unusable(path, problems)
    return found


def _read(path: Path) -> Any:
    """The file's data. TOML's and JSON's own words say in which line it breaks off."""
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise _unusable(path, [error.strerror or "cannot be read"]) from error
    except (ValueError, RecursionError) as error:
        raise _unusable(path, [str(error)]) from error


def _unusable(path: Path, problems: list[str]) -> ConfigError:
    hint = "docs/reference.md, Sandbox, says what a faults file holds"
    return ConfigError([f"{path}: {problem}" for problem in problems], hint=hint)


def _sentence(details: ErrorDetails) -> str:
    place = tuple(part for part in details["loc"] if part not in BRANCHES)
    if details["type"] == "extra_forbidden":
        table = place[0] if len(place) > 1 else ""
        known = TABLES.get(str(table), FaultFile)
        return f"{dotted(place)}: no such key.{did_you_mean(str(place[-1]), known.model_fields)}"
    facts = details.get("ctx", {})
    text = SENTENCES.get(details["type"], details["msg"].removeprefix("Input ")).format(**facts)
    return f"{dotted(place)}: {text}" if place else text


TABLES: Final[Mapping[str, type[Table]]] = {
    "fault": CallFault,
    "job": JobFault,
    "callbacks": CallbackOrders,
}

BRANCHES: Final = frozenset(("constrained-int", "int", "literal['all']"))
"""What pydantic adds to a place for the branch of a union."""


def _unknown_calls(table: str, named: list[str], calls: Collection[str]) -> list[str]:
    return [
        f"{table}[{number}].call: the sandbox has no call {call}.{did_you_mean(call, calls)}"
        for number, call in enumerate(named)
        if call not in calls and WILD.isdisjoint(call)
    ]


def _misfits(number: int, fault: CallFault) -> list[str]:
    """Keys that this kind needs and lacks, or has and cannot use."""
    lacks = [key for kind, key in NEEDS.items() if kind == fault.kind and getattr(fault, key) is None]
    extra = [key for kind, key in NEEDS.items() if kind != fault.kind and getattr(fault, key) is not None]
    return [
        *(f"fault[{number}].{key}: is required for {fault.kind}" for key in lacks),
        *(f"fault[{number}].{key}: does not go with {fault.kind}" for key in extra),
    ]
