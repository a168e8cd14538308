"""docs/safety.md names tests that there are."""

from __future__ import annotations

import re

from tests.house.tree import ROOT


def test_every_test_that_holds_a_check_exists() -> None:
    """A check without a test would be a promise without ground."""
    text = (ROOT / "docs" / "safety.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *(?:async )?def (test_\w+)\(", path.read_text("utf-8"), re.MULTILINE)
    }
    assert len(named) > 20
    assert named - written == set()
