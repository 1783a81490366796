"""Applying: the signatures of a sealing whose intent is on record, and what our own verifier says of them."""

from dataclasses import replace

from crypto.errors import CryptoError
from crypto.keys import KeyVault
from seal.errors import SigningUnavailable
from seal.hands import achieved, check_accepted
from seal.model import Judge
from seal.preparing import Task
from seal.recording import Begun, Made, Recorder
from seal.trust.evidence import EvidenceSource


class Applier:
    """Touches the keys, and hands on what ``judge`` accepts alone; safe to share between threads."""

    def __init__(self, *, vault: KeyVault, judge: Judge, evidence: EvidenceSource | None, recorder: Recorder) -> None:
        self._vault = vault
        self._judge = judge
        self._evidence = evidence
        self._recorder = recorder

    def make(self, begun: Begun) -> Made:
        """Sign, once, by every hand; SealingRejected where our own verifier does not accept the result."""
        document = self._apply(begun)
        report = self._judge(document)
        check_accepted(report, begun.task.hands)
        return Made(begun=begun, document=document, report=report, reached=achieved(report, begun.task.hands))

    def _apply(self, begun: Begun) -> bytes:
        task = begun.task
        first, *others = task.hands
        try:
            document = first.apply(task.prepared, self._vault)
            for hand in others:
                prepared = hand.prepare(document)
                # Its digest holds the signature before it, so that it is known only now; the key is touched after.
                self._recorder.continued(begun, hand, prepared)
                document = hand.apply(prepared, self._vault)
        except CryptoError as error:
            raise SigningUnavailable("The key of this seal cannot sign now; nothing was sealed.") from error
        return self._raised(task, document)

    def _raised(self, task: Task, document: bytes) -> bytes:
        """Add what a lasting level asks for: evidence about every signature of the sealing, then one stamp over all."""
        first = task.hands[0]
        raise_level, level, stamping = first.format.raise_level, first.level, first.stamping
        if raise_level is None or level is None or not level.lasting or stamping is None or self._evidence is None:
            return document
        return raise_level(document, level, self._evidence, replace(stamping), count=len(task.hands))
