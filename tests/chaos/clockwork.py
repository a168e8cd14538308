"""The commands of one sync without a process: as `Stage`, and patient for a moment only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from tests.journeys.stage import Stage
from wxsync.wecom.retries import Patience

BRIEF: Final = Patience(first_pause=0.001, longest_pause=0.002)
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


@dataclass
class Clockwork(Stage):
    """A stage whose calls are repeated at once."""

    patience: Patience = BRIEF

    @property
    def today(self) -> date:
        return self.now.astimezone(SHANGHAI).date()
