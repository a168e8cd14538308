"""Facts to numbers with labels. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wxsync.mirror.latest import Latest
from wxsync.mirror.measurements import Measure, Place
from wxsync.model.change import VERBS
from wxsync.model.run import OutcomeState, RunState
from wxsync.service.facts import Facts, QuotaFacts, SyncFacts


class Sample(NamedTuple):
    """One number of one metric."""

    name: str
    labels: tuple[str, ...]
    number: float


OVER = tuple(state for state in RunState if state is not RunState.RUNNING)
SETTLED = (RunState.APPLIED, RunState.STOPPED)
"""A run that ended so went by its plan: nobody is asked for a yes to it any more."""
WHOLE = {
    Measure.PLANNED: "wxsync_plan_changes",
    Measure.ENDED: "wxsync_run_last_changes",
    Measure.ALL_ENDED: "wxsync_changes_total",
}
"""Measures of which each number is told, the zeros too: a counter that begins at one never grew."""
TOLD = {
    Measure.REJECTED: ("wxsync_plan_rejected", ("what", "detail")),
    Measure.FAILED: ("wxsync_run_last_failures", ("detail",)),
    Measure.ALL_FAILED: ("wxsync_failures_total", ("detail",)),
    Measure.RUNS: ("wxsync_runs_total", ("what", "how")),
}
"""Measures of which is told what there is, with the labels that they have."""
TOLD_STATES = (OutcomeState.DONE, OutcomeState.FAILED)


def samples(facts: Facts) -> Iterator[Sample]:
    """Every number that the mirror knows."""
    for sync in facts.syncs:
        yield from _of_runs(facts, sync)
        yield from _of_sources(sync)
        yield from _of_numbers(sync)
        yield from _of_limits(sync)
    for quota in facts.quotas:
        yield from _of_quota(quota)
    yield from _held(facts)
    for corp in facts.corps:
        yield from _of_corp(facts, corp)


def _of_runs(facts: Facts, sync: SyncFacts) -> Iterator[Sample]:
    names, latest, now = (sync.corp, sync.sync), sync.latest, facts.at.timestamp()
    if sync.interval is not None:
        yield Sample("wxsync_run_interval_seconds", names, sync.interval.total_seconds())
    if latest.succeeded_at is not None:
        succeeded = latest.succeeded_at.timestamp()
        yield Sample("wxsync_run_last_success_timestamp_seconds", names, succeeded)
        yield Sample("wxsync_run_last_success_age_seconds", names, max(now - succeeded, 0.0))
    yield Sample("wxsync_run_failures_in_a_row", names, latest.failures)
    since = latest.at_work_since
    at_work = 0.0 if since is None else max(now - since.timestamp(), 0.0)
    yield Sample("wxsync_run_at_work_seconds", names, at_work)
    yield from _of_last(names, latest)
    yield Sample("wxsync_plan_waiting", names, float(_is_waiting(sync)))


def _of_last(names: tuple[str, str], latest: Latest) -> Iterator[Sample]:
    last = latest.last
    if last is None:
        return
    yield Sample("wxsync_run_last_start_timestamp_seconds", names, last.started_at.timestamp())
    if last.finished_at is not None:
        took = (last.finished_at - last.started_at).total_seconds()
        yield Sample("wxsync_run_last_duration_seconds", names, max(took, 0.0))
    for state in OVER:
        yield Sample("wxsync_run_last_state", (*names, state.value), float(last.state is state))


def _is_waiting(sync: SyncFacts) -> bool:
    last = sync.latest.last
    is_settled = last is not None and last.state in SETTLED
    return bool(sync.numbers.get(Place(Measure.WAITS))) and not is_settled


def _of_sources(sync: SyncFacts) -> Iterator[Sample]:
    for read in sync.latest.readings:
        names = (sync.corp, sync.sync, read.source, read.query)
        yield Sample("wxsync_source_rows", names, read.rows)
        yield Sample("wxsync_source_complete", names, float(read.is_complete))


def _of_numbers(sync: SyncFacts) -> Iterator[Sample]:
    names = (sync.corp, sync.sync)
    zeros = {Place(Measure.PLANNED, kind, verb): 0 for kind, verbs in VERBS.items() for verb in verbs}
    for measure in (Measure.ENDED, Measure.ALL_ENDED):
        zeros |= {
            Place(measure, kind, verb, state): 0
            for kind, verbs in VERBS.items()
            for verb in verbs
            for state in TOLD_STATES
        }
    for place, number in sorted({**zeros, **sync.numbers}.items()):
        if place.measure in WHOLE:
            labels = [place.what, place.how, *([place.detail] if place.detail else [])]
            yield Sample(WHOLE[place.measure], (*names, *labels), number)
        elif place.measure in TOLD:
            name, parts = TOLD[place.measure]
            yield Sample(name, (*names, *(getattr(place, part) for part in parts)), number)


def _of_limits(sync: SyncFacts) -> Iterator[Sample]:
    for place, used in sorted(sync.numbers.items()):
        if place.measure is not Measure.LIMIT:
            continue
        labels = (sync.corp, sync.sync, place.what, place.detail, place.how)
        yield Sample("wxsync_limit_used", labels, used)
        allowed = sync.numbers.get(place._replace(measure=Measure.ALLOWED))
        if allowed is not None:
            yield Sample("wxsync_limit_allowed", labels, allowed)
            yield Sample("wxsync_limit_headroom_ratio", labels, (allowed - used) / max(allowed, 1))


def _of_quota(quota: QuotaFacts) -> Iterator[Sample]:
    labels = (quota.corp, quota.call, str(quota.window))
    yield Sample("wxsync_quota_calls", labels, quota.used)
    yield Sample("wxsync_quota_calls_allowed", labels, quota.allowed)
    yield Sample("wxsync_quota_headroom_ratio", labels, (quota.allowed - quota.used) / quota.allowed)


def _held(facts: Facts) -> Iterator[Sample]:
    held = {(quota.corp, quota.call): quota.held for quota in facts.quotas}
    for labels, seconds in held.items():
        yield Sample("wxsync_quota_held_seconds", labels, seconds)


def _of_corp(facts: Facts, corp: str) -> Iterator[Sample]:
    holder, leader = facts.leases.get(corp), facts.leaders.get(corp)
    yield Sample("wxsync_lease_held", (corp,), float(holder is not None))
    if holder is not None:
        yield Sample("wxsync_lease_holder_info", (corp, holder.owner, holder.host), 1.0)
    yield Sample("wxsync_leader", (corp,), float(leader is not None))
    if leader is not None:
        yield Sample("wxsync_leader_info", (corp, leader.host), 1.0)
    for waiting, number_of, age_of in (
        (facts.jobs, "wxsync_jobs_open", "wxsync_jobs_oldest_age_seconds"),
        (facts.backlog, "wxsync_callback_queue_length", "wxsync_callback_lag_seconds"),
    ):
        number, oldest = waiting.get(corp, (0, facts.at))
        yield Sample(number_of, (corp,), number)
        yield Sample(age_of, (corp,), max((facts.at - oldest).total_seconds(), 0.0))
