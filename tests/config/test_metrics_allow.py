"""Who may read the metrics: networks in their usual form, or an error that says how to mend it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from wxsync.config.settings import ServiceSettings


def test_only_this_machine_unless_told_otherwise() -> None:
    """By both families."""
    assert ServiceSettings().metrics_allow == ("127.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    ("said", "meant"),
    [("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.7", "192.0.2.7/32"), ("FD00::/8", "fd00::/8")],
)
def test_an_address_is_a_network_of_one(said: str, meant: str) -> None:
    """And letters are small."""
    assert ServiceSettings.model_validate({"metrics_allow": [said]}).metrics_allow == (meant,)


@pytest.mark.parametrize("said", ["10.1.2.3/8", "10.0.0.0/33", "prometheus.example.com", "", "10.0.0"])
def test_what_is_no_network_is_an_error(said: str) -> None:
    """A host's address with a mask is none either: one of the two was not meant."""
    with pytest.raises(ValidationError):
        ServiceSettings.model_validate({"metrics_allow": [said]})


def test_nobody_may_where_the_list_is_empty() -> None:
    """That is a choice, too."""
    assert ServiceSettings.model_validate({"metrics_allow": []}).metrics_allow == ()
