"""A plan or a run as one HTML file that needs nothing else: no network, no script, any screen, paper too."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from wxsync.model.plan import Plan
from wxsync.model.run import Run
from wxsync.report.headings import headings
from wxsync.report.run_view import OutcomeView, view_outcome, view_run
from wxsync.report.view import view_plan
from wxsync.report.wording import Wording, wording_for


def html_of_plan(plan: Plan, *, language: str, show_personal: bool) -> str:
    """The plan as a whole HTML page."""
    return _page(plan, None, wording_for(plan, language=language, show_personal=show_personal))


def html_of_run(run: Run, *, language: str, show_personal: bool) -> str:
    """The run as a whole HTML page: what became of it first, then its plan with every outcome."""
    return _page(run.plan, run, wording_for(run.plan, language=language, show_personal=show_personal))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("wxsync.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _page(plan: Plan, run: Run | None, wording: Wording) -> str:
    return (
        _environment()
        .get_template("report.html")
        .render(
            lang="zh-CN" if wording.language == "zh" else wording.language,
            words=headings(wording),
            plan=view_plan(plan, wording),
            run=None if run is None else view_run(run, wording),
            outcomes={} if run is None else _outcomes(run, wording),
            show_personal=wording.show_personal,
        )
    )


def _outcomes(run: Run, wording: Wording) -> dict[int, OutcomeView]:
    return {outcome.n: view_outcome(outcome, run, wording) for outcome in run.outcomes}
