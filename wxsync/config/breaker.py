"""When a run that goes wrong is stopped. Within bounds: nothing here turns it off."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wxsync.config.table import PositiveNumber, Table, WholeNumber


class BreakerSettings(Table):
    """[sync.NAME.breaker]: a trial before a large run, and how many failures stop any run."""

    trial: Annotated[PositiveNumber, Field(le=100)] = 20
    """So many changes are carried out and looked at before the others."""
    trial_from: Annotated[WholeNumber, Field(le=1000)] = 200
    """Runs of more changes than this begin with such a trial."""
    percent: Annotated[float, Field(strict=True, ge=0, le=25, allow_inf_nan=False)] = 5
    """More failures than this, in a hundred, stop the run."""
    of: Annotated[PositiveNumber, Field(ge=20, le=1000)] = 200
    """Of so many outcomes, the last ones."""
