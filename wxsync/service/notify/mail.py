"""A notice by e-mail, step by step, so that it is known at which step the line broke (RFC 5321)."""

from __future__ import annotations

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

import httpx

from wxsync.config.notify import SmtpChannelSettings
from wxsync.service.notify.parcel import SENT, Delivered, Parcel, in_doubt, not_sent
from wxsync.service.notify.words import letter

TIMEOUT: Final = 20.0
"""Seconds for each answer."""
ACCEPTED: Final = 250
RECIPIENT_ACCEPTED: Final = (250, 251)


def send_mail(channel: SmtpChannelSettings, parcel: Parcel, language: str, now: float) -> Delivered:
    """Hands the mail over to the server; blocks for as long as that takes."""
    mail = mail_of(channel, parcel, language, now).as_bytes(policy=SMTP)
    try:
        line = _connected(channel)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        return not_sent(f"the mail server cannot be used: {_why(error)}")
    with line:
        try:
            missed = _addressed(line, channel)
        except (OSError, ValueError, smtplib.SMTPException) as error:  # an address that is not ASCII
            return not_sent(f"the mail server refused the mail: {_why(error)}")
        return _handed_over(line, mail, missed)


def mail_of(channel: SmtpChannelSettings, parcel: Parcel, language: str, now: float) -> EmailMessage:
    """Plain text; no program answers it, and the same notice has the same Message-ID."""
    told = letter(parcel.notice, language)
    mail = EmailMessage()
    mail["Subject"] = f"[wxsync] {told.title}"
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.recipients)
    mail["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    domain = channel.sender.rpartition("@")[2]
    stamp = int(parcel.notice.at.timestamp())
    mail["Message-ID"] = (
        f"<wxsync.{parcel.notice.corp}.{parcel.notice.sync}.{parcel.number}.{stamp}@{domain}>"
    )
    mail["Auto-Submitted"] = "auto-generated"
    told_by_blocks = (told.facts, told.reasons, _filled(told.action, told.command), (told.origin,))
    mail.set_content("\n\n".join("\n".join(block) for block in told_by_blocks if block))
    return mail


def _filled(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


def _connected(channel: SmtpChannelSettings) -> smtplib.SMTP:
    """A line on which the server knows who sends, encrypted as the config says."""
    trusted = _trust(channel)
    if channel.security == "tls":
        line: smtplib.SMTP = smtplib.SMTP_SSL(channel.host, channel.port, timeout=TIMEOUT, context=trusted)
    else:
        line = smtplib.SMTP(channel.host, channel.port, timeout=TIMEOUT)
    try:
        line.ehlo_or_helo_if_needed()
        if channel.security == "starttls":
            line.starttls(context=trusted)
        if channel.username is not None and channel.password is not None:
            line.login(channel.username, channel.password.get_secret_value())
    except (OSError, smtplib.SMTPException):
        line.close()
        raise
    return line


def _trust(channel: SmtpChannelSettings) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    if channel.ca_file is not None:
        context.load_verify_locations(cafile=channel.ca_file)
    return context


def _addressed(line: smtplib.SMTP, channel: SmtpChannelSettings) -> int:
    """Who sends and who gets it; gives how many of them the server does not know. Raises where it is all."""
    code, answer = line.mail(channel.sender)
    if code != ACCEPTED:
        raise smtplib.SMTPResponseException(code, answer)
    codes = [line.rcpt(recipient)[0] for recipient in channel.recipients]
    if all(code not in RECIPIENT_ACCEPTED for code in codes):
        raise smtplib.SMTPResponseException(codes[0], b"no recipient is accepted")
    return sum(code not in RECIPIENT_ACCEPTED for code in codes)


def _handed_over(line: smtplib.SMTP, mail: bytes, missed: int) -> Delivered:
    """From here on a line that breaks leaves in doubt whether the mail went on."""
    try:
        code, _ = line.data(mail)
    except smtplib.SMTPResponseException as error:
        return not_sent(f"the mail server refused the mail: {_why(error)}")
    except (OSError, smtplib.SMTPException) as error:
        return in_doubt(f"the line to the mail server broke before it had said yes: {_why(error)}")
    if code != ACCEPTED:
        return not_sent(f"the mail server refused the mail: it answered {code}")
    problem = f"{missed} of the recipients are not accepted by the mail server" if missed else ""
    return Delivered(state=SENT.state, problem=problem)


def _why(error: Exception) -> str:
    """In short, and without what the server repeats of addresses."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}"
    if isinstance(error, ssl.SSLError):
        return f"encryption failed ({error.reason or type(error).__name__})"
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
