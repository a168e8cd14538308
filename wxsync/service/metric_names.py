"""Every metric: its name, kind, labels and meaning. docs/reference.md has the same table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricName:
    """One metric, by Prometheus' conventions."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: Literal["gauge", "counter"] = "gauge"


def _named(name: str, labels: str, help_: str) -> MetricName:
    is_counter = name.endswith("_total")
    return MetricName(
        name=name, help=help_, labels=tuple(labels.split()), kind="counter" if is_counter else "gauge"
    )


SYNC: Final = "corp sync"

ALL: Final[tuple[MetricName, ...]] = (
    _named("wxsync_build_info", "version", "1; the version of wxsync that answers"),
    _named("wxsync_mirror_ready", "", "1 where the mirror answers and fits this version, else 0"),
    _named("wxsync_mirror_read_seconds", "", "how long it took to read all of this from the mirror"),
    _named("wxsync_loop_silence_seconds", "", "since the loop that does the work last went round"),
    _named("wxsync_run_interval_seconds", SYNC, "the longest time between two starts of the schedule"),
    _named(
        "wxsync_run_last_success_timestamp_seconds",
        SYNC,
        "when the last run ended that went to its end with everything read whole",
    ),
    _named("wxsync_run_last_success_age_seconds", SYNC, "since then"),
    _named("wxsync_run_last_start_timestamp_seconds", SYNC, "when the last run began that is over"),
    _named("wxsync_run_last_duration_seconds", SYNC, "how long it took"),
    _named("wxsync_run_last_state", f"{SYNC} state", "1 for the state in which it ended, 0 for the others"),
    _named("wxsync_run_failures_in_a_row", SYNC, "so many of the last runs failed or were stopped"),
    _named("wxsync_run_at_work_seconds", SYNC, "since the run under way began; 0 without one"),
    _named("wxsync_runs_total", f"{SYNC} verb state", "runs that are over"),
    _named("wxsync_source_rows", f"{SYNC} source query", "rows that the last run read"),
    _named("wxsync_source_complete", f"{SYNC} source query", "1 where they are proven to be all, else 0"),
    _named("wxsync_plan_changes", f"{SYNC} kind verb", "changes of the last plan"),
    _named("wxsync_plan_rejected", f"{SYNC} kind rule", "rows that the last plan could not use"),
    _named("wxsync_plan_waiting", SYNC, "1 where the last plan waits for somebody to approve it, else 0"),
    _named("wxsync_limit_used", f"{SYNC} limit detail window", "what the last plan uses of a limit"),
    _named("wxsync_limit_allowed", f"{SYNC} limit detail window", "how much of it it may use unasked"),
    _named(
        "wxsync_limit_headroom_ratio",
        f"{SYNC} limit detail window",
        "the share of it that is left; below 0 where it is exceeded",
    ),
    _named(
        "wxsync_run_last_changes", f"{SYNC} kind verb state", "changes of the last run, by how they ended"
    ),
    _named("wxsync_run_last_failures", f"{SYNC} errcode", "changes of the last run that failed"),
    _named("wxsync_changes_total", f"{SYNC} kind verb state", "changes of all runs, by how they ended"),
    _named("wxsync_failures_total", f"{SYNC} errcode", "changes of all runs that failed"),
    _named("wxsync_quota_calls", "corp call window", "calls that count in a window of WeCom's limits"),
    _named("wxsync_quota_calls_allowed", "corp call window", "how many may"),
    _named("wxsync_quota_headroom_ratio", "corp call window", "the share of them that is left"),
    _named(
        "wxsync_quota_held_seconds", "corp call", "for how long WeCom takes no more of them (45009), else 0"
    ),
    _named("wxsync_lease_held", "corp", "1 where a run has the corp's lease, else 0"),
    _named("wxsync_lease_holder_info", "corp holder host", "1; which one"),
    _named("wxsync_leader", "corp", "1 where a daemon leads the corp, else 0"),
    _named("wxsync_leader_info", "corp host", "1; on which host"),
    _named("wxsync_jobs_open", "corp", "imports by file that are under way"),
    _named("wxsync_jobs_oldest_age_seconds", "corp", "since the oldest of them was made; 0 without one"),
    _named("wxsync_callback_queue_length", "corp", "callbacks that wait to be worked off"),
    _named("wxsync_callback_lag_seconds", "corp", "since the oldest of them came; 0 without one"),
    _named("wxsync_callbacks_received_total", "corp kind", "callbacks that this process has taken"),
    _named(
        "wxsync_callbacks_unknown_total", "corp", "events worked off by this process that nothing goes by"
    ),
    _named("wxsync_callbacks_rejected_total", "reason", "callbacks that this process has refused"),
)
"""In the order in which they are told."""
BY_NAME: Final = {metric.name: metric for metric in ALL}
