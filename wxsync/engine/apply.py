"""Carries a schedule out: many calls at once, each after what it waits for, every outcome kept."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias, cast

from wxsync.engine.batch import Batch
from wxsync.engine.judging import Judge
from wxsync.engine.results import Result, outcome_of, to_result
from wxsync.engine.rows import slices
from wxsync.engine.schedule import Part, Schedule, Unit
from wxsync.engine.single import Single
from wxsync.engine.trial import dependents_of, sample
from wxsync.errors import BreakerError, WeComError, WxsyncError
from wxsync.model.change import FieldChange, Verb
from wxsync.model.message import Message, say
from wxsync.model.run import Outcome, OutcomeState

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many changes are finished, and how many there are."""

MOST_LINE_FAULTS: Final = 5
"""So many calls in a row without an answer, and the run is stopped: WeCom is not there."""

BEING_RECORDED: Final = 6
"""So many more changes are under way than calls: while some are put on record, others use the line."""

GRACE: Final = 3.0
"""Seconds that calls under way get when the run is cancelled; of the others the next run finds out."""

STOPPING: Final = say("not tried, because the run was stopped")
TAKEN_BACK: Final = say("taken back, because the exchange that it is part of could not be finished")


class Stopped(Exception):
    """The run goes no further; `outcomes` are those of all changes, `error` says why.

    `has_written`: some call was carried out, or may have been, whatever became of its change.
    """

    def __init__(self, error: WxsyncError, outcomes: tuple[Outcome, ...], *, has_written: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.outcomes = outcomes
        self.has_written = has_written


async def apply(schedule: Schedule, single: Single, batch: Batch, progress: Progress) -> tuple[Outcome, ...]:
    """Carry out every unit, and give every change's outcome in the order of the plan.

    Those that go as rows of files wait for each other, all others for nothing but what they need. A large
    run begins with a trial: some changes of every verb, by calls, and the others only once those are looked
    at. So many failures as `breaker` allows, and no more, leave the run going.

    One record's failure fails that record and skips what needs it; the others go on.
    Raises Stopped where no call makes sense any more, or nothing can be put on record. Where it is
    cancelled it begins nothing more, and what is under way may still end and is put on record.
    """
    return await _Work(schedule, single, batch, progress).all()


class _Work:
    """The units that are ready, those under way, and what came of the finished ones."""

    def __init__(self, schedule: Schedule, single: Single, batch: Batch, progress: Progress) -> None:
        self._units = schedule.units
        self._imported = set(schedule.imported)
        """Units that go as rows of files, and have yet to."""
        self._rows: list[int] = []
        """Those of them that wait for nothing any more."""
        self._departments = set(schedule.imported_departments)
        """Units that go as one file of the tree, before any other."""
        self._told: set[int] = set()
        """Those of them of which it is known what became of them."""
        self._changes = schedule.changes
        self._single = single
        self._batch = batch
        self._progress = progress
        self._most = single.corp.concurrency + BEING_RECORDED
        self._results: dict[int, list[Result]] = {}
        parts = Counter(part.n for unit in schedule.units for part in unit.parts)
        self._total = len(parts)
        # Of a first load nearly every change has one part and waits for nothing: only the others are listed.
        self._parts_of = {n: count for n, count in parts.items() if count > 1}
        self._outcomes: dict[int, Outcome] = {}
        self._failed_units: set[int] = set()
        self._waiting: dict[int, int] = {}
        self._dependents = dependents_of(schedule.units)
        self._schedule = schedule
        rows = batch.rows
        self._judge = Judge(rows.corp, rows.run_id, schedule.changes)
        self._trial: set[int] = set()
        """Units that are tried before all others, and have yet to end."""
        self._tried: tuple[int, ...] = ()
        self._held: list[int] = []
        """Units that wait for nothing any more but the end of the trial."""
        self._ready: list[int] = []
        for number, unit in enumerate(schedule.units):
            if count := len(unit.needs | unit.after):
                self._waiting[number] = count
            else:
                self._release(number)
        self._line_faults = 0
        self._error: WxsyncError | None = None
        self._is_cancelled = False
        self._has_written = False

    async def all(self) -> tuple[Outcome, ...]:
        under_way: set[asyncio.Task[None]] = set()
        if self._departments:
            under_way.add(asyncio.create_task(self._import_departments()))
        else:
            self._begin_trial()
        try:
            while self._ready or under_way or self._rows:
                if self._rows and len(self._rows) == len(self._imported) and not self._departments:
                    rows, self._rows = self._rows, []
                    self._imported.clear()
                    under_way.add(asyncio.create_task(self._import(rows)))
                # WeCom would make a department anew that is deleted while the file with it is worked off.
                while self._ready and len(under_way) < self._most and not self._departments:
                    number = heapq.heappop(self._ready)
                    under_way.add(asyncio.create_task(self._run(number)))
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        except asyncio.CancelledError:
            self._is_cancelled = True
            if under_way:
                await asyncio.wait(under_way, timeout=GRACE)
            raise
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        outcomes = tuple(self._outcomes[n] for n in sorted(self._outcomes))
        if self._error is not None:
            raise Stopped(self._error, outcomes, has_written=self._has_written)
        return outcomes

    def _release(self, number: int) -> None:
        """This unit waits for nothing any more."""
        if number in self._departments or number in self._told:
            return
        if self._trial and number not in self._trial:
            self._held.append(number)
        elif number in self._imported:
            self._rows.append(number)
        else:
            heapq.heappush(self._ready, number)

    def _begin_trial(self) -> None:
        """Of a large run some go first, by calls, and whatever else is ready waits for them."""
        breaker = self._single.corp.settings.breaker
        if self._total <= breaker.trial_from:
            return
        turn = self._batch.rows.run_id
        chosen = sample(self._schedule, self._dependents, breaker.trial, turn, over=frozenset(self._told))
        self._trial, self._tried = set(chosen), tuple(sorted(chosen))
        self._imported -= chosen
        ready, self._ready, self._rows = [*self._ready, *self._rows], [], []
        for number in ready:
            self._release(number)

    async def _end_trial(self) -> None:
        """All of them have ended: the others go on, or the run does not."""
        changes = dict.fromkeys(part.n for number in self._tried for part in self._units[number].parts)
        outcomes = (self._outcomes.get(n) or outcome_of(n, self._results[n]) for n in changes)
        await self._heed(self._judge.on_trial(outcomes))
        held, self._held = self._held, []
        for number in held:
            self._release(number)

    async def _heed(self, verdict: Awaitable[BreakerError | None]) -> bool:
        """Whether the run goes on by what the breaker says."""
        try:
            found: WxsyncError | None = await verdict
        except WxsyncError as error:
            found = error
        self._error = self._error or found
        return self._error is None

    async def _run(self, number: int) -> None:
        unit = self._units[number]
        skipped = self._skipped(unit)
        results = await self._perform(unit) if skipped is None else [skipped for _ in unit.parts]
        await self._end([(number, results)], are_calls=True)

    def _skipped(self, unit: Unit) -> Result | None:
        """The outcome of a unit that is not tried, because one that it needs did not succeed."""
        culprit = next((need for need in sorted(unit.needs) if need in self._failed_units), None)
        return None if culprit is None else self._skip(self._because_of(culprit))

    async def _import_departments(self) -> None:
        """All of them together; those that are better told by a call wait for each other as calls do."""
        numbers = sorted(self._departments)
        parts = [self._units[number].parts[0] for number in numbers]
        tell = partial(self._tell_rows, len(parts))
        results = await self._told_by_file(parts, self._batch.perform_departments(parts, tell))
        ended: list[tuple[int, list[Result]]] = []
        for number, part in zip(numbers, parts, strict=True):
            result = results[part.n]
            if result is not None:
                self._note(result)
                self._told.add(number)
                ended.append((number, [result]))
        self._departments.clear()
        await self._judge_file(results)
        for number in numbers:
            if number not in self._told and not self._waiting.get(number):
                self._release(number)
        for some in slices(ended):
            await self._end(some)
        self._begin_trial()

    async def _import(self, numbers: Sequence[int]) -> None:
        """All rows together; those that are better told by a call are ready for one then."""
        ordered = sorted(numbers)
        skipped = {n: result for n in ordered if (result := self._skipped(self._units[n])) is not None}
        parts = [self._units[number].parts[0] for number in ordered if number not in skipped]
        tell = partial(self._tell_rows, len(parts))
        tried = [self._units[number].parts[0] for number in self._tried if self._is_done_row(number)]
        performing = self._batch.perform(parts, tell, self._judge_file, tried)
        results = await self._told_by_file(parts, performing)
        del parts
        for some in slices(ordered):
            ended: list[tuple[int, list[Result]]] = []
            for number in some:
                untold = self._skip(STOPPING)
                result = skipped.get(number) or results.get(self._units[number].parts[0].n, untold)
                if result is None:
                    heapq.heappush(self._ready, number)
                else:
                    self._note(result)
                    ended.append((number, [result]))
            await self._end(ended)

    def _is_done_row(self, number: int) -> bool:
        """A row of a file that was tried by a call, with success."""
        return number in self._schedule.imported and number not in self._failed_units

    async def _judge_file(self, results: Mapping[int, Result | None]) -> bool:
        """Whether the run goes on after a file of which these are the rows."""
        outcomes = (outcome_of(n, [result]) for n, result in results.items() if result is not None)
        return await self._heed(self._judge.on_file(outcomes))

    async def _told_by_file(
        self, parts: Sequence[Part], performing: Coroutine[object, object, Mapping[int, Result | None]]
    ) -> Mapping[int, Result | None]:
        if self._error is not None or self._is_cancelled:
            performing.close()
            return dict.fromkeys((part.n for part in parts), self._skip(STOPPING))
        try:
            return await performing
        except WxsyncError as error:
            return dict.fromkeys((part.n for part in parts), self._unrecorded(error))

    def _tell_rows(self, rows: int, share: float) -> None:
        self._tell(share * rows)

    def _tell(self, rows: float = 0.0) -> None:
        """How far it is; rows that WeCom has worked off count before their outcome is told."""
        self._progress(min(len(self._outcomes) + int(rows), self._total), self._total)

    async def _end(self, ended: Sequence[tuple[int, list[Result]]], *, are_calls: bool = False) -> None:
        """These units are over: put on record what became of them, and let go what waited for them."""
        for number, results in ended:
            if any(result.state is not OutcomeState.DONE for result in results):
                self._failed_units.add(number)
        parts = [part for number, _ in ended for part in self._units[number].parts]
        finished = await self._conclude(parts, [result for _, results in ended for result in results])
        if are_calls:
            await self._heed(self._judge.on_calls(finished))
        if self._trial:
            self._trial.difference_update(number for number, _ in ended)
            if not self._trial:
                await self._end_trial()
        for number, _ in ended:
            for dependent in self._dependents.get(number, ()):
                self._waiting[dependent] -= 1
                if self._waiting[dependent] == 0:
                    self._release(dependent)

    def _because_of(self, unit: int) -> Message:
        n = self._units[unit].parts[0].n
        return say("not tried, because change {n} before it did not succeed", n=n)

    @staticmethod
    def _skip(hint: Message) -> Result:
        return Result(state=OutcomeState.SKIPPED, hint=hint, attempts=0)

    async def _perform(self, unit: Unit) -> list[Result]:
        """The parts one after another; a cycle that breaks is taken back and fails for all in it.

        A cycle that was begun goes on even where the run is being stopped: somebody in it is cleared.
        """
        results: list[Result] = []
        begun: set[int] = set()
        broken: set[int] = set()
        for part in unit.parts:
            is_stopping = self._error is not None or self._is_cancelled
            if is_stopping and part.cycle not in begun:
                results.append(self._skip(STOPPING))
            elif part.cycle in broken:
                skipped = self._skip(say("not tried, because a step before it did not succeed"))
                results.append(replace(skipped, state=OutcomeState.FAILED))
            elif any(results[need].state is not OutcomeState.DONE for need in part.needs):
                results.append(self._skip(say("not tried, because a step before it did not succeed")))
            else:
                results.append(await self._attempt(part))
                if part.cycle is None:
                    continue
                if results[-1].state is OutcomeState.DONE:
                    begun.add(part.cycle)
                else:
                    begun.discard(part.cycle)
                    broken.add(part.cycle)
                    results = await self._take_back(unit.parts, results, part.cycle)
        return results

    async def _attempt(self, part: Part) -> Result:
        try:
            result = await self._single.perform(part)
        except WxsyncError as error:
            return self._unrecorded(error)
        self._note(result)
        return result

    def _unrecorded(self, error: WxsyncError) -> Result:
        self._error = self._error or error
        self._has_written = True  # or may have
        hint = say("it could not be put on record: {problem}", problem=error.message)
        return Result(state=OutcomeState.UNKNOWN, hint=hint)

    def _note(self, result: Result) -> None:
        """What a result says of the whole run."""
        self._has_written |= result.state in (OutcomeState.DONE, OutcomeState.UNKNOWN)
        self._line_faults = self._line_faults + 1 if result.is_line_fault else 0
        if result.stops is not None:
            self._error = self._error or result.stops
        elif self._line_faults >= MOST_LINE_FAULTS:
            self._error = self._error or WeComError(
                f"{MOST_LINE_FAULTS} calls in a row went without an answer", hint="run again later"
            )

    async def _take_back(self, parts: Sequence[Part], results: list[Result], cycle: int) -> list[Result]:
        """Whoever took a value gives it back, and whoever was cleared has it again; last taken first."""
        taken_back = list(results)
        for place in reversed(range(len(results) - 1)):
            if parts[place].cycle == cycle and results[place].state is OutcomeState.DONE:
                taken_back[place] = await self._restore(parts[place])
        return taken_back

    async def _restore(self, part: Part) -> Result:
        change = self._changes[part.n - 1]
        key = cast("str", change.key)
        actual = self._single.decision.actual
        former = {
            name: FieldChange(
                change.fields[name].after,
                next((value for value in actual.may_hold(key, name) if isinstance(value, str)), None),
            )
            for name in part.fields or ()
        }
        try:
            await self._single.write_member(part.n, key, former, Verb.UPDATE, TAKEN_BACK)
        except WeComError as error:
            hint = say("the circle broke and its former value could not be given back: do that by hand")
            return replace(to_result(error), state=OutcomeState.FAILED, hint=hint)
        except WxsyncError as error:
            self._error = self._error or error
            return Result(state=OutcomeState.UNKNOWN, hint=say("it could not be put on record"))
        return Result(state=OutcomeState.FAILED, hint=TAKEN_BACK)

    async def _conclude(self, parts: Sequence[Part], results: Sequence[Result]) -> list[Outcome]:
        """Put on record what became of the changes whose last part this was, and give those."""
        for part, result in zip(parts, results, strict=True):
            self._results.setdefault(part.n, []).append(result)
        finished = [
            outcome_of(n, self._results.pop(n))
            for n in dict.fromkeys(part.n for part in parts)
            if len(self._results[n]) == self._parts_of.get(n, 1)
        ]
        self._outcomes.update({outcome.n: outcome for outcome in finished})
        if finished and not self._is_unrecordable():
            try:
                await self._single.recorder.write(*finished)
            except WxsyncError as error:
                self._error = self._error or error
        self._tell()
        return finished

    def _is_unrecordable(self) -> bool:
        return self._error is not None and not isinstance(self._error, WeComError)
