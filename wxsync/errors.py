"""Every error that wxsync raises, in one tree.

::

    WxsyncError
     + ConfigError (every problem)       + SecretError
     + SourceError (source)              + SourceUnavailableError   + IncompleteReadError
     + WeComError                        + WeComTransportError      + CallbackRejectedError
                                         + UnsendableError (field; no call was made)
                                         + BreakerError (too many changes failed)
          WeComApiError (errcode, endpoint, hint): TokenError RateLimitError DeniedError
                                                   NotFoundError ConflictError FieldError
                                                    + StrayDepartmentError (the call WAS carried out)
     + MirrorError                       + SchemaBehindError
     + GuardError (counts, limits)       + StalePlanError           + RunInProgressError

A run stops on an error; the failure of one record is data in the run and never raised past it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class WxsyncError(Exception):
    """Something that stops a command; `code` names it for programs, `hint` says how to mend it."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(WxsyncError):
    """The configuration cannot be used; `problems` holds every fault, each with its path."""

    code = "config"

    def __init__(self, problems: Sequence[str], *, hint: str | None = None) -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = tuple(problems)


class SecretError(WxsyncError):
    """A secret that the config refers to cannot be had."""

    code = "secret"


class SourceError(WxsyncError):
    """The source `source` cannot serve as the truth; nothing may be concluded from it."""

    code = "source"

    def __init__(self, source: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"source {source}: {message}", hint=hint)
        self.source = source


class SourceUnavailableError(SourceError):
    """The source cannot be reached, or broke off while it was read."""

    code = "source_unavailable"


class IncompleteReadError(SourceError):
    """The source answered, with nothing where there were records before."""

    code = "source_incomplete"


class WeComError(WxsyncError):
    """WeCom cannot be used, or refused a call."""

    code = "wecom"


class BreakerError(WeComError):
    """So many changes of a run failed that it was stopped; what was done is done, the rest was not tried."""

    code = "breaker"


class WeComTransportError(WeComError):
    """A call got no usable answer; where `is_ambiguous`, it may have had its effect."""

    code = "wecom_transport"

    def __init__(self, message: str, *, is_ambiguous: bool, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.is_ambiguous = is_ambiguous


class CallbackRejectedError(WeComError):
    """A callback's signature, age or content is not WeCom's."""

    code = "callback_rejected"


class UnsendableError(WeComError):
    """The content for WeCom exceeds what it takes, in `field`; no call was made for it."""

    code = "wecom_unsendable"

    def __init__(self, field: str, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"{field}: {problem}", hint=hint)
        self.field = field
        self.problem = problem


class WeComApiError(WeComError):
    """WeCom answered `endpoint` with an `errcode` other than 0 (WeCom page 90313).

    Where `is_ambiguous`, an earlier attempt of the call may have had its effect all the same: its
    answer was lost, and this is what a repeat of it was told.
    """

    code = "wecom_api"

    def __init__(
        self,
        endpoint: str,
        errcode: int,
        errmsg: str,
        *,
        hint: str | None = None,
        is_ambiguous: bool = False,
    ) -> None:
        super().__init__(f"WeCom refused {endpoint}: errcode {errcode}, {errmsg}", hint=hint)
        self.endpoint = endpoint
        self.errcode = errcode
        self.errmsg = errmsg
        self.is_ambiguous = is_ambiguous


class TokenError(WeComApiError):
    """The access token was not accepted, also after it was fetched anew."""

    code = "wecom_token"


class RateLimitError(WeComApiError):
    """WeCom's frequency or concurrency limit, or a passing fault, that outlived every retry."""

    code = "wecom_rate_limit"


class DeniedError(WeComApiError):
    """Configuration or permission: no call of this kind will work until somebody changes something."""

    code = "wecom_denied"


class NotFoundError(WeComApiError):
    """What the call names is not there."""

    code = "wecom_not_found"


class ConflictError(WeComApiError):
    """What the call wants to take is taken."""

    code = "wecom_conflict"


class FieldError(WeComApiError):
    """WeCom does not accept a value of the call."""

    code = "wecom_field"


class StrayDepartmentError(FieldError):
    """WeCom created the member `userid`, and departments `department_ids` that nobody asked for (page 90195).

    The one API error after which the record exists; its errcode is 0.
    """

    code = "wecom_stray_department"

    def __init__(self, endpoint: str, userid: str, department_ids: Sequence[int]) -> None:
        ids = ", ".join(map(str, department_ids)) or "?"
        hint = f"the member exists: in the admin console move them out of department {ids}, and delete that"
        super().__init__(endpoint, 0, f"WeCom created department {ids} by itself for {userid}", hint=hint)
        self.userid = userid
        self.department_ids = tuple(department_ids)


class MirrorError(WxsyncError):
    """The mirror cannot be read or written."""

    code = "mirror"


class SchemaBehindError(MirrorError):
    """The mirror's schema is not the one that this version works with."""

    code = "mirror_schema"


class GuardError(WxsyncError):
    """The plan is out of bounds; nothing was written."""

    code = "refused"


class StalePlanError(WxsyncError):
    """The approved plan is not the one that would be carried out now; nothing was written.

    `differences` are what is otherwise, each a message for people.
    """

    code = "stale_plan"

    def __init__(self, message: str, *, hint: str | None = None, differences: Sequence[Any] = ()) -> None:
        super().__init__(message, hint=hint)
        self.differences = tuple(differences)


class RunInProgressError(WxsyncError):
    """Another run that is alive holds the lease of the corp."""

    code = "run_in_progress"
