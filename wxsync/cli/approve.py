"""`wxsync approve` and `wxsync reject`: somebody's word on a plan that waits."""

from __future__ import annotations

from pathlib import Path

import click

from wxsync.cli.options import config_option, open_mirror, open_settings, report_options
from wxsync.cli.output import Reporter
from wxsync.cli.sync import apply_once, only_option, operator, reporter_of
from wxsync.cli.waiting import run_to_end
from wxsync.config.settings import Settings
from wxsync.engine.reconcile import holding
from wxsync.errors import StalePlanError, WxsyncError
from wxsync.mirror import approvals
from wxsync.model.approval import Offer
from wxsync.runtime import open_corp, utc_now


@click.command()
@click.argument("digest")
@only_option
@report_options
@config_option
def approve(
    digest: str,
    only: tuple[str, ...],
    format_: str,
    output: Path | None,
    language: str | None,
    show_personal: bool,
    config: Path | None,
) -> int:
    """Say yes to the plan with this DIGEST, and carry out exactly that plan, once.

    The plan is made anew, and carried out only if it is still the same, within 24 hours of when it was
    made. It lifts the limits for this plan alone. Exit codes as of `wxsync apply`.
    """
    settings = open_settings(config)
    offer, undoes = _offer(settings, digest)
    if offer is None:
        raise StalePlanError(
            f"nothing was written: the mirror has no plan {digest}, so nobody can have looked at it",
            hint="look at the plan, and approve the digest that it shows: wxsync plan",
        )
    reporter = reporter_of(settings, format_, output, language, show_personal)
    return run_to_end(_approve(settings, offer, reporter, only, undoes))


async def _approve(
    settings: Settings, offer: Offer, reporter: Reporter, parts: tuple[str, ...], undoes: int | None
) -> int:
    reporter.claim_output()
    async with open_corp(settings, offer.sync) as corp, holding(corp, "manual") as held:
        return await apply_once(
            corp, held, reporter, offer.digest, undoes=undoes, parts=parts, may_write=True
        )


@click.command()
@click.argument("digest")
@config_option
def reject(digest: str, config: Path | None) -> None:
    """Say no to the plan with this DIGEST: it is not carried out, be it within its limits.

    Somebody may approve it anew. Another plan, of another digest, is not concerned.
    """
    settings = open_settings(config)
    offer, _ = _offer(settings, digest)
    if offer is None:
        raise WxsyncError(
            f"the mirror has no plan {digest}", hint="`wxsync plan` makes one and shows its digest"
        )
    with open_mirror(settings) as store, store.transaction() as connection:
        approvals.reject(connection, offer, str(operator()), utc_now())
    click.echo(f"Rejected: plan {offer.digest} of sync {offer.sync} is not carried out.")
    click.echo(f"Whoever wants it all the same says: wxsync approve {offer.digest}")


def _offer(settings: Settings, digest: str) -> tuple[Offer | None, int | None]:
    """The plan on record, and the run that it takes back, if it is an undo."""
    with open_mirror(settings) as store, store.reading() as connection:
        offer = approvals.offer_of(connection, digest)
        if offer is None:
            return None, None
        if offer.sync not in settings.sync or settings.sync[offer.sync].corp != offer.corp:
            raise WxsyncError(
                f"this plan is of sync {offer.sync} and corp {offer.corp}, which the config does not have",
                hint="name the config file with which it was made: --config",
            )
        return offer, approvals.undone_by(connection, offer)
