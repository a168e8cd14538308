"""The commands of one sync without a process: as `Stage`, and patient for a moment only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.journeys.stage import IMPATIENT, Stage
from wxsync.runtime import open_corp
from wxsync.sandbox.transport import SandboxTransport
from wxsync.wecom.retries import Patience

BRIEF: Final = Patience(first_pause=0.001, longest_pause=0.002)
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


@dataclass
class Clockwork(Stage):
    """A stage whose calls are repeated at once."""

    @property
    def today(self) -> date:
        return self.now.astimezone(SHANGHAI).date()

    def _run(self, act: Any) -> Any:
        async def story() -> Any:
            opening = open_corp(
                self.settings,
                self.sync,
                clock=lambda: self.now,
                transport=self.line or SandboxTransport(self.state),
                patience=BRIEF,
                pauses=IMPATIENT,
            )
            async with opening as corp:
                return await act(corp if self.sources is None else replace(corp, sources=tuple(self.sources)))

        return asyncio.run(story())
