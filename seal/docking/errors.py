"""What docking refuses.

Refusal
└── DockingRefused                  the general no of another body's system
    ├── DockingUnavailable          it cannot be asked now; nothing was done there
    ├── DockingOutcomeUnknown       it was asked and gave no answer: it may have done it
    ├── DockingAnswerUnreadable     it answered with what is no answer
    ├── DockingLoginRefused         it does not know our account
    ├── DockingSignatureRefused     it does not accept our signature
    ├── DockingDeclined             it understood and said no
    └── DockingDataRefused          what was to be sent does not fit its form; nothing was sent
CryptoError
└── KeyRefused
    └── UpstreamRefused             a department's system does not sign with this key
        ├── UpstreamUnavailable     it does not answer
        ├── UpstreamResting         it failed too often and is left alone for a while
        ├── UpstreamLoginRefused    it does not know us
        ├── UpstreamAnswerUnreadable
        └── UpstreamWrongSignature  what it gave does not verify under the key we know; it is thrown away
"""

from crypto.errors import KeyRefused
from kernel.errors import Reason, Refusal


class DockingRefused(Refusal):
    """Another body's system was asked, and what was wanted did not come about."""

    reason, code = Reason.UNAVAILABLE, "docking_refused"
    answer: str | None = None
    """The code it answered with, where it gave one."""
    request_id: str | None = None


class DockingUnavailable(DockingRefused):
    """The platform cannot be asked now; nothing was done there."""

    reason, code = Reason.UNAVAILABLE, "docking_unavailable"


class DockingOutcomeUnknown(DockingRefused):
    """The platform was asked and gave no answer: whether it did as asked only it knows."""

    reason, code = Reason.UNAVAILABLE, "docking_outcome_unknown"


class DockingAnswerUnreadable(DockingRefused):
    """The platform answered with something that is no answer."""

    reason, code = Reason.UNAVAILABLE, "docking_answer_unreadable"


class DockingLoginRefused(DockingRefused):
    """The platform does not accept our account, password or secret."""

    reason, code = Reason.UNAVAILABLE, "docking_login_refused"


class DockingSignatureRefused(DockingRefused):
    """The platform does not accept our signature or our challenge."""

    reason, code = Reason.UNAVAILABLE, "docking_signature_refused"


class DockingDeclined(DockingRefused):
    """The platform understood and said no; the detail has its code."""

    reason, code = Reason.CONFLICT, "docking_declined"


class DockingDataRefused(DockingRefused):
    """What was to be sent does not fit the platform's form; nothing was sent."""

    reason, code = Reason.BAD_INPUT, "docking_data_refused"


class UpstreamRefused(KeyRefused):
    """A department's system does not sign this with this key."""

    code = "upstream_refused"


class UpstreamUnavailable(UpstreamRefused):
    """A department's system does not answer."""

    code = "upstream_unavailable"


class UpstreamResting(UpstreamRefused):
    """A department's system failed several times and is not asked for a while."""

    code = "upstream_resting"


class UpstreamLoginRefused(UpstreamRefused):
    """A department's system does not accept who we say we are."""

    code = "upstream_login_refused"


class UpstreamAnswerUnreadable(UpstreamRefused):
    """A department's system answered with something that is no answer."""

    code = "upstream_answer_unreadable"


class UpstreamWrongSignature(UpstreamRefused):
    """What a department's system gave is no signature of the key it was asked for; it is thrown away."""

    code = "upstream_wrong_signature"
