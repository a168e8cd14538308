"""[notify.NAME]: the ways by which people are told what happened, one model a type."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from wxsync.config import addresses
from wxsync.config.placing import placed_file
from wxsync.config.secrets import Secret
from wxsync.config.table import PositiveNumber, Table, Text

ROBOT_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
ADDRESS: Final = re.compile(r"[^\s@<>\",;:]+@[^\s@<>\",;:]+")
ADMIN_CONSOLE: Final = "https://work.weixin.qq.com/wework_admin/frame#contacts"
SHORTEST_SECRET: Final = 16


def _mail_address(text: str) -> str:
    if not ADDRESS.fullmatch(text):
        raise ValueError('is no e-mail address such as "it@example.com"')
    return text


def _userid(text: str) -> str:
    if "|" in text or text.lower() == "@all":
        raise ValueError("is no userid: name each member")
    return text


def _link(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError('is not a web address such as "https://hr.example.com/wxsync"')
    return text


Address = Annotated[Text, AfterValidator(_mail_address)]
Userid = Annotated[Text, AfterValidator(_userid)]


class AppChannelSettings(Table):
    """[notify.NAME] with type = "app": a message by the app of the sync's corp."""

    type: Literal["app"]
    recipients: Annotated[tuple[Userid, ...], Field(min_length=1, max_length=1000)]
    """Userids."""
    approvers: tuple[Userid, ...] = ()
    """Those of them who may decide on a plan that waits; without any the cards have no buttons."""
    link: Annotated[Text, AfterValidator(_link)] = ADMIN_CONSOLE
    """What a tap on a card opens."""

    @field_validator("approvers")
    @classmethod
    def told(cls, approvers: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = {userid.casefold() for userid in info.data.get("recipients", approvers)}
        if unknown := [userid for userid in approvers if userid.casefold() not in known]:
            raise ValueError(f'names "{unknown[0]}", who is not among recipients: add them there')
        return approvers

    def may_decide(self, userid: str) -> bool:
        """WeCom ignores the case of userids."""
        return userid.casefold() in {each.casefold() for each in self.approvers}


class GroupChannelSettings(Table):
    """[notify.NAME] with type = "group": a message by the webhook of a group chat."""

    type: Literal["group"]
    webhook: Secret
    """The webhook's address as WeCom shows it, or its key alone."""

    @field_validator("webhook")
    @classmethod
    def keyed(cls, webhook: Secret) -> Secret:
        if not ROBOT_KEY.fullmatch(robot_key(webhook.get_secret_value())):
            raise ValueError("is no webhook of a group: copy its address, which ends in send?key=…")
        return webhook

    @property
    def key(self) -> str:
        return robot_key(self.webhook.get_secret_value())


class SmtpChannelSettings(Table):
    """[notify.NAME] with type = "smtp": an e-mail."""

    type: Literal["smtp"]
    host: Text
    port: Annotated[PositiveNumber, Field(le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: Path | None = None
    username: Text | None = None
    password: Secret | None = None
    sender: Address
    recipients: Annotated[tuple[Address, ...], Field(min_length=1, max_length=100)]

    _placed = field_validator("ca_file")(placed_file)

    @model_validator(mode="after")
    def guarded(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: give both, or neither")
        if self.password is not None and self.security == "none" and not addresses.is_loopback(self.host):
            raise ValueError('security is "none", which would send the password unencrypted: take "starttls"')
        return self


class HttpChannelSettings(Table):
    """[notify.NAME] with type = "http": a signed POST to a program."""

    type: Literal["http"]
    url: Secret
    """Often it holds a token."""
    secret: Secret
    """Signs each message (HMAC-SHA256)."""
    ca_file: Path | None = None
    proxy: Annotated[Text, AfterValidator(addresses.check_proxy)] | None = Field(default=None, repr=False)

    _placed = field_validator("ca_file")(placed_file)

    @field_validator("url")
    @classmethod
    def reachable(cls, url: Secret) -> Secret:
        try:
            parts = urlsplit(url.get_secret_value())
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise ValueError("is not an address that can be read") from None
        if parts.scheme not in ("https", "http") or not host:
            raise ValueError('is not a web address such as "https://alerts.example.com/wxsync"')
        if parts.scheme == "http" and not addresses.is_loopback(host):
            raise ValueError("is http://, which anybody on the way can read. Use https://")
        return url

    @field_validator("secret")
    @classmethod
    def long(cls, secret: Secret) -> Secret:
        if len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(
                f"is shorter than {SHORTEST_SECRET} characters: whoever guesses it signs as wxsync"
            )
        return secret


NotifySettings = Annotated[
    AppChannelSettings | GroupChannelSettings | SmtpChannelSettings | HttpChannelSettings,
    Field(discriminator="type"),
]


def robot_key(text: str) -> str:
    """The key in a webhook's address; the text itself where it is no address."""
    if "://" not in text:
        return text
    return next(iter(parse_qs(urlsplit(text).query).get("key", [])), "")
