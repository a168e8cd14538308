"""The browser that shows the HTML reports to the tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.servers.presence import require

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Without a font that has them, Chinese characters render as boxes.
CHINESE_FONTS = Path("/usr/share/fonts/opentype/noto")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that can be run with --headless=new --no-sandbox."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    require(package="chromium", present=found is not None)
    require(package="fonts-noto-cjk", present=any(CHINESE_FONTS.glob("NotoSansCJK*")))
    assert found is not None
    return found
