"""docs/reference.md and the code say the same: keys, defaults, rules, options, JSON, codes, switches."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tests.house.command_line import exit_codes, named_commands
from tests.house.tree import ROOT
from wxsync import errors
from wxsync.cli import main
from wxsync.cli.main import cli, run
from wxsync.config.filters import FILTERS
from wxsync.config.limits import LimitRule
from wxsync.config.policy import CLEARABLE
from wxsync.config.shape import tables
from wxsync.engine.limits import MEASURED
from wxsync.errors import WxsyncError
from wxsync.model.batch_job import BatchJob, JobOverview, JobReport, JobState, RowResult, RowTally
from wxsync.model.change import VERBS, Change, FieldChange, Kind, Reason, Rejected, Verb
from wxsync.model.desired import Aside, Desired, LeftOut, ReadingProof
from wxsync.model.glance import Column, Glance, Looked, Tally
from wxsync.model.job import JobKind
from wxsync.model.loss import Loss, LossReason
from wxsync.model.member import UNIQUE_FIELDS
from wxsync.model.message import say
from wxsync.model.plan import Forecast, Limit, Plan
from wxsync.model.run import Outcome, OutcomeState, Run, RunState
from wxsync.report.as_json import error_document, plan_document, run_document
from wxsync.report.job_json import job_document, jobs_document
from wxsync.report.source_json import source_document
from wxsync.sandbox.app import GETTOKEN, OPERATIONS
from wxsync.sandbox.faults import Faults
from wxsync.sandbox.state import SandboxState
from wxsync.service import metric_names

REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
AT = datetime(2026, 1, 31, 8, 0, 0, tzinfo=UTC)


def section(title: str) -> str:
    """The text below a heading, up to the next one of its rank or above."""
    lines = REFERENCE.splitlines()
    [start] = [number for number, line in enumerate(lines) if re.fullmatch(rf"#+ {re.escape(title)}", line)]
    rank = len(lines[start]) - len(lines[start].lstrip("#"))
    found: list[str] = []
    for line in lines[start + 1 :]:
        if re.match(rf"#{{1,{rank}}} ", line):
            break
        found.append(line)
    return "\n".join(found)


def rows(text: str) -> list[list[str]]:
    """The rows of all tables whose first cell is one piece of code, the code without its marks."""
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if re.match(r"\| `[^`]+` \|", line)
    ]
    return [[row[0].strip("`"), *row[1:]] for row in cells]


def first_cells(title: str) -> list[str]:
    return [row[0] for row in rows(section(title))]


# Config


def settings() -> Iterator[tuple[str, str]]:
    """Every key of the config with its default as the reference writes it; tables are no keys."""
    inner = {f"{path}" for path, _ in tables()}
    for path, table in tables():
        if issubclass(table, LimitRule):
            continue
        for name, field in table.model_fields.items():
            key = f"{path}.{name}".lstrip(".")
            is_table = key in inner or f"{key}.NAME" in inner
            if not is_table or isinstance(field.default, LimitRule):
                yield key, default_of(field)


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "–" if value is None else f"`{toml(value)}`"


def toml(value: Any) -> str:
    if isinstance(value, LimitRule):
        if value.percent is None:
            return str(value.max)
        parts = {"percent": f"{value.percent:g}", "floor": value.floor, "max": value.max}
        return "{ " + ", ".join(f"{name} = {part}" for name, part in parts.items() if part is not None) + " }"
    if isinstance(value, dict):
        return "{}" if not value else str(value)
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def test_every_key_of_the_config_has_its_default() -> None:
    """The tables list each key once, with the default that the settings have."""
    told = sorted((row[0], row[2]) for row in rows(section("Config file")) if "." in row[0])

    assert told == sorted(settings())


def test_the_settings_without_effect_are_marked() -> None:
    """What this version accepts and does not use says so; nothing else does."""
    marked = {row[0] for row in rows(section("Config file")) if "*(later)*" in row[-1]}

    assert marked == {
        "sync.NAME.policy.invite",
    }


def test_every_clearable_field_is_named() -> None:
    """`clear_when_empty` lists what it takes."""
    [row] = [row for row in rows(section("Config file")) if row[0].endswith("clear_when_empty")]

    assert {*CLEARABLE, "extattr.NAME"} == set(re.findall(r"`([\w.]+)`", row[-1]))


def test_every_filter_is_named() -> None:
    """Every filter beside Jinja's own, and no other."""
    assert {re.sub(r"\(.*", "", cell) for cell in first_cells("Expressions")} == set(FILTERS)


# Rejected rows


def rules_in_code() -> set[str]:
    """Every rule that some line of the product gives: as `rule=…`, or in the place of a parameter `rule`."""
    trees = [ast.parse(path.read_bytes()) for path in (ROOT / "wxsync").rglob("*.py")]
    takers = {name: place for tree in trees for name, place in rule_takers(tree)}
    return {
        rule
        for tree in trees
        for rule in rules_of(tree, {**imported(tree, takers), **dict(rule_takers(tree))})
    }


def imported(tree: ast.AST, takers: dict[str, int]) -> dict[str, int]:
    """Those of `takers` that a module has from another one."""
    names = {each.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for each in node.names}
    return {name: place for name, place in takers.items() if name in names}


def rule_takers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Functions and classes with a parameter `rule`, and its place in a call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
            if "rule" in names:
                yield node.name, names.index("rule") - (names[0] == "self")
        elif isinstance(node, ast.ClassDef):
            for function in node.body:
                if isinstance(function, ast.FunctionDef) and function.name == "__init__":
                    names = [argument.arg for argument in function.args.args]
                    if "rule" in names:
                        yield node.name, names.index("rule") - 1


def rules_of(tree: ast.AST, places: dict[str, int]) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [keyword.value for keyword in node.keywords if keyword.arg == "rule"]
        if name in places and len(node.args) > places[name]:
            given.append(node.args[places[name]])
        for value in given:
            yield from rules_said(value)


def rules_said(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.JoinedStr):
        assert ast.unparse(value) == "f'duplicate_{field}'", (
            "a new family of rules: teach this test its names"
        )
        yield from (f"duplicate_{field}" for field in ("userid", *UNIQUE_FIELDS))


def test_every_rule_of_rejection_is_told() -> None:
    """The table has every rule that the code can give, once, and no other."""
    told = first_cells("Rejected rows")

    assert sorted(told) == sorted(rules_in_code())


# Plan, limits, states


def test_every_verb_reason_and_state_is_told() -> None:
    """Verbs, reasons of keeps, states of outcomes and runs: all, in the order of the code."""
    states = first_cells("Apply")

    assert first_cells("Verbs") == [verb.value for verb in Verb]
    assert sorted(first_cells("Why a record is kept")) == sorted(reason.value for reason in Reason)
    assert states == [*(state.value for state in OutcomeState), *(state.value for state in RunState)]


def test_every_reason_why_something_does_not_come_back_is_told() -> None:
    """All of them, in the order of the code."""
    told = first_cells("What an undo does not bring back")

    assert told == [reason.value for reason in LossReason]


def test_every_limit_is_told() -> None:
    """The limits of a plan are those that the code measures, and those that it makes one by one."""
    tree = ast.parse((ROOT / "wxsync" / "engine" / "limits.py").read_bytes())
    made = {
        keyword.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Limit"
        for keyword in node.keywords
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)
    }

    assert set(first_cells("Limits")) == made | set(MEASURED)


# Commands


@pytest.mark.parametrize(("words", "command"), list(named_commands(cli)), ids=str)
def test_every_option_of_a_command_is_told(words: tuple[str, ...], command: click.Command) -> None:
    """A heading for the command with its arguments; a row for each option with its values and default."""
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    written = " ".join([*words, *(f"[{argument.human_readable_name}]" for argument in arguments)])
    told = {row[0]: row for row in rows(section(f"`wxsync {written}`"))}
    options = {p.opts[0]: p for p in command.params if isinstance(p, click.Option)}

    assert set(told) == set(options)
    for flag, option in options.items():
        values, default = told[flag][1], told[flag][2]
        if isinstance(option.type, click.Choice):
            assert re.findall(r"`([^`]+)`", values) == list(option.type.choices)
        if option.is_flag:
            assert (values, default) == ("flag", "off")
        elif not option.multiple and option.default is not None and option.show_default is not False:
            shown = re.fullmatch(r"`(.*)`", default)
            told_by_help = option.show_default if isinstance(option.show_default, str) else option.default
            assert shown is None or shown[1] == str(told_by_help) or shown[1] == "service.language"


def test_the_exit_codes_are_those_of_the_code() -> None:
    """Every code that a command can leave with, and no other."""
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", section("Exit codes"), re.MULTILINE)}
    assert told == exit_codes()


# JSON


def whole_plan() -> Plan:
    """A plan in which every key has something to say."""
    change = Change(
        kind=Kind.MEMBER,
        verb=Verb.UPDATE,
        key="E1",
        id="e1",
        name="林梅",
        fields={"mobile": FieldChange("13800000000", None)},
        why=say("why"),
        is_temporary=True,
        held={"mobile": "13800000000"},
        drift=("mobile",),
    )
    return Plan(
        sync="acme",
        corp_id="ww1234567890abcdef",
        created_at=AT,
        is_complete=True,
        changes=(change, dataclasses.replace(change, verb=Verb.KEEP, reason=Reason.GRACE)),
        rejected=(Rejected(kind=Kind.MEMBER, key="E2", field="mobile", rule="key", problem=say("why")),),
        limits=(Limit(name="field_change", count=1, allowed=2, detail="mobile", window="24h"),),
        causes=(say("why"),),
        waits=(say("why"),),
        asides=(
            Aside(source="ad", query="members", column=None, keys=("E9",)),
            Aside(source="ad", query="members", column="mobile", keys=("E1",)),
        ),
        readings=(leaving_out(),),
        not_undoable=(
            Loss(
                kind=Kind.MEMBER,
                key="E1",
                id="e1",
                name="林梅",
                reason=LossReason.IGNORED,
                why=say("why"),
                fields=("mobile",),
            ),
        ),
        undoes=1,
        forecast=Forecast(
            calls=9,
            seconds=0.1,
            rows=1,
            weighed=(Forecast(calls=9, seconds=0.1, rows=1),),
            obstacles=(say("why"),),
        ),
    )


def leaving_out() -> ReadingProof:
    """A reading of groups in which somebody is who is nobody of the sync."""
    groups = (LeftOut(name="vpn", count=1),)
    return ReadingProof(source="ad", query="tags", rows=1, is_complete=True, left_out=1, left_out_of=groups)


def whole_run() -> Run:
    return Run(
        id=1,
        sync="acme",
        trigger="manual",
        started_at=AT,
        finished_at=AT,
        state=RunState.APPLIED,
        plan=whole_plan(),
        outcomes=(Outcome(n=1, state=OutcomeState.DONE, attempts=1),),
        differences=(say("why"),),
    )


def key_paths(value: Any, path: str = "") -> Iterator[str]:
    """Every key of a document as the reference names it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            key = "<field>" if path.endswith(("fields", "held")) else name
            yield from key_paths(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for each in value:
            yield from key_paths(each, f"{path}[]")
    else:
        yield path


def test_every_key_of_a_plan_is_told() -> None:
    """wxsync-plan/1 has the keys of the table, and no other."""
    document = plan_document(whole_plan())

    assert set(first_cells("`wxsync-plan/1`")) == set(key_paths(document))
    assert set(document["summary"]) == {kind.value for kind in VERBS}


def test_every_key_of_a_run_is_told() -> None:
    """wxsync-run/1 has the keys of the table, and no other; its plan is a plan."""
    document = run_document(whole_run())

    assert set(document.pop("plan")) == set(plan_document(whole_plan()))
    assert set(first_cells("`wxsync-run/1`")) == {*key_paths(document), "plan"}


def test_every_key_of_what_the_sources_gave_is_told() -> None:
    """wxsync-source/1 has the keys of the table, and no other."""
    reading = ReadingProof(source="hr", query="members", rows=1, is_complete=False, problem=say("why"))
    glance = Glance(
        source="hr",
        query="members",
        rows=1,
        columns=(Column(name="a", filled=1),),
        tallies=(Tally(by="parent_dn", name="x", count=1),),
    )
    desired = Desired(
        departments={}, members={}, tags={}, readings=(reading, leaving_out()), asides=whole_plan().asides
    )
    looked = Looked(sync="acme", read_at=AT, glances=(glance,), desired=desired)
    document = source_document(looked)
    as_in_a_plan = ("unmatched", "conflicts", "left_out")
    lists = {f"{name}[]" for name in ("departments", "members", "rejected", *as_in_a_plan)}
    plan = plan_document(whole_plan())

    assert [document.pop(name) for name in as_in_a_plan] == [plan[name] for name in as_in_a_plan]
    assert set(first_cells("`wxsync-source/1`")) == {*key_paths(document), *lists}


def test_every_key_of_a_job_is_told() -> None:
    """wxsync-job/1 has the keys of the table, and no other; every kind and state of a job has its word."""
    overview = JobOverview(
        job=BatchJob(
            id=1,
            run_id=1,
            corp="acme",
            sync="acme",
            kind=JobKind.SYNC_MEMBERS,
            state=JobState.RUNNING,
            rows=1,
            prepared_at=AT,
        ),
        counts={OutcomeState.FAILED: 1},
    )
    row = RowResult(n=1, key="E1", userid="e1", verb=Verb.CREATE)
    tally = RowTally(state=OutcomeState.FAILED, errcode=60104, count=1, hint=say("why"))
    document = job_document(JobReport(overview=overview, tallies=(tally,), results=(row,)), AT)
    [listed] = jobs_document([overview], AT)
    document["counts"] = {"<state>": 1}
    table = section("`wxsync-job/1`")
    states = re.findall(r"^- `(\w+)`: ", section("`wxsync jobs [JOB]`"), re.MULTILINE)

    assert set(first_cells("`wxsync-job/1`")) == set(key_paths(document))
    assert set(listed) == set(document) - {"format", "tallies", "results"}
    assert all(f"`{kind.value}`" in table for kind in JobKind)
    assert states == [state.value for state in JobState]


def test_every_key_of_an_error_is_told() -> None:
    """wxsync-error/1 has the keys of the table, and no other."""
    assert set(first_cells("`wxsync-error/1`")) == set(error_document(code="error", message="why"))


def test_every_error_code_is_told() -> None:
    """The code of every error that there is, and those that only the command line gives."""
    kinds = [
        kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, WxsyncError)
    ]
    told = {row[0]: row[2] for row in rows(section("Error codes"))}
    complaints = re.findall(r"_complain\(\s*\"(\w+)\"", inspect.getsource(main))

    assert set(told) == {kind.code for kind in kinds} | set(complaints)
    assert {code for code, exit_code in told.items() if exit_code == "4"} == {"refused", "stale_plan"}
    assert {code for code, exit_code in told.items() if exit_code == "2"} == {"usage"}


@pytest.mark.parametrize("command", [("status",), ("db", "status"), ("runs",)])
def test_the_keys_of_other_documents_are_told(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """status, db status and runs print as JSON what the reference says, on a mirror that is new."""
    config = tmp_path / "wxsync.toml"
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    config.write_text(re.sub(r'"env:\w+"', '"made-up"', text), encoding="utf-8")
    config.chmod(0o600)

    code = run(["--config", str(config), *command, "--format", "json"])

    document = json.loads(capsys.readouterr().out)
    keys = {key for each in ([document] if isinstance(document, dict) else document) for key in each}
    assert code == 0
    assert keys <= set(re.findall(r"`(\w+)`", section("`wxsync-run/1`")))
    assert keys or command == ("runs",)


# Metrics


def test_every_metric_is_told() -> None:
    """The table has each metric once, in the order of the code, with its kind, labels and meaning."""
    told = [
        (row[0], row[1], tuple(re.findall(r"`(\w+)`", row[2])), row[3]) for row in rows(section("Metrics"))
    ]

    assert told == [(metric.name, metric.kind, metric.labels, metric.help) for metric in metric_names.ALL]


# Sandbox


def test_every_switch_of_the_sandbox_is_told() -> None:
    """The switches of its state, the calls that it knows, the faults that it makes."""
    text = section("Sandbox")
    fields = [field.name for field in dataclasses.fields(SandboxState) if field.init]
    switches = fields[: fields.index("faults")]
    known = text.partition("Calls that it knows, below `/cgi-bin/`: ")[2].partition("\n")[0]
    calls = re.findall(r"`([\w/]+)`", known)
    table = text.partition("In Python")[2].partition("`state.faults`")[0]
    faults = {name for name in vars(Faults) if not name.startswith("_")} - {"take", "waiting"}

    assert [row[0] for row in rows(table)] == switches
    assert sorted(calls) == sorted({*OPERATIONS, GETTOKEN})
    assert faults <= set(re.findall(r"`(\w+)`", text.partition("`state.faults`")[2]))


def test_models_are_tables() -> None:
    """What this module walks is all that the config has: every model is reached from the top."""
    reached = {table for _, table in tables()}

    assert all(issubclass(table, BaseModel) for table in reached)
    assert {path for path, _ in tables()} >= {"mirror", "corp.NAME.app.callback", "sync.NAME.policy"}
