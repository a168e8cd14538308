"""Limits: the formula of the contract, its defaults, and what a table leaves out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wxsync.config.limits import LimitRule, LimitsSettings


@pytest.mark.parametrize(
    ("rule", "ours", "allowed"),
    [
        (LimitRule(percent=5, floor=5, max=50), 0, 5),
        (LimitRule(percent=5, floor=5, max=50), 100, 5),
        (LimitRule(percent=5, floor=5, max=50), 119, 5),
        (LimitRule(percent=5, floor=5, max=50), 120, 6),
        (LimitRule(percent=5, floor=5, max=50), 2000, 50),
        (LimitRule(percent=20, floor=20), 10_000, 2000),
        (LimitRule(max=10), 10_000, 10),
        (LimitRule(max=0), 10_000, 0),
        (LimitRule(floor=7, max=3), 10_000, 7),
        (LimitRule(percent=0, floor=0), 10_000, 0),
        (LimitRule(percent=2.3), 100_000, 2300),
        (LimitRule(percent=100), 7, 7),
    ],
)
def test_allowed(rule: LimitRule, ours: int, allowed: int) -> None:
    """allowed = max(floor, min(percent of what is ours, rounded down; max)), exactly."""
    assert rule.allowed(ours) == allowed


@given(st.integers(0, 100), st.integers(0, 100), st.none() | st.integers(0, 100), st.integers(0, 10**6))
def test_allowed_keeps_its_bounds(percent: int, floor: int, highest: int | None, ours: int) -> None:
    """Never below the floor; above it never over the percentage, nor over max."""
    allowed = LimitRule(percent=percent, floor=floor, max=highest).allowed(ours)
    assert allowed >= floor
    assert allowed == floor or allowed * 100 <= percent * ours
    assert highest is None or allowed <= max(floor, highest)


def test_defaults_are_the_contracts() -> None:
    """What the config leaves out holds at the contract's numbers; and at ours, of what it does not limit."""
    assert LimitsSettings().model_dump() == {
        "member_remove": {"percent": 5, "floor": 5, "max": 50},
        "member_create": {"percent": 20, "floor": 20, "max": None},
        "member_update": {"percent": 50, "floor": 50, "max": None},
        "field_change": {"percent": 20, "floor": 20, "max": None},
        "department_delete": {"percent": None, "floor": 0, "max": 10},
        "department_move": {"percent": 10, "floor": 5, "max": None},
        "tag_member_remove": {"percent": 20, "floor": 20, "max": None},
        "source_shrink": {"percent": 3, "floor": 5, "max": None},
        "department_create": {"percent": 50, "floor": 50, "max": None},
        "department_update": {"percent": 50, "floor": 50, "max": None},
        "tag_member_add": {"percent": 50, "floor": 200, "max": None},
    }


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("member_remove", {"percent": 10}, LimitRule(percent=10, floor=5, max=50)),
        ("member_remove", {"max": 7}, LimitRule(percent=5, floor=5, max=7)),
        ("member_remove", {}, LimitRule(percent=5, floor=5, max=50)),
        ("member_remove", 7, LimitRule(max=7)),
        ("member_remove", 0, LimitRule(max=0)),
        ("source_shrink", {"percent": 3}, LimitRule(percent=3, floor=5)),
        ("department_delete", {"percent": 50}, LimitRule(percent=50, max=10)),
        ("department_delete", LimitRule(max=3), LimitRule(max=3)),
    ],
)
def test_a_table_completes_itself_and_a_number_is_a_max(name: str, value: object, rule: LimitRule) -> None:
    """A table takes what it lacks from the default; a plain number is a max without percent."""
    assert getattr(LimitsSettings.model_validate({name: value}), name) == rule


@pytest.mark.parametrize(
    "value",
    [
        -1,
        True,
        2.5,
        "5 %",
        {"percent": -1},
        {"percent": 100.5},
        {"percent": float("nan")},
        {"percent": "5"},
        {"percent": True},
        {"floor": -1},
        {"floor": 1.5},
        {"max": -1},
        {"maximum": 3},
    ],
)
def test_other_values_are_refused(value: Any) -> None:
    """Negative numbers, more than 100 %, text, booleans and unknown keys are faults."""
    with pytest.raises(ValidationError):
        LimitsSettings.model_validate({"member_remove": value})


def test_a_rule_without_percent_and_max_is_refused() -> None:
    """A limit that limits nothing is a mistake."""
    with pytest.raises(ValidationError, match="needs a percent or a max"):
        LimitRule(floor=3)
