"""One submission, and everything that its trainer or the aggregator may do with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from marketplace.exclusion.evidence import Evidence, encode_evidence
from marketplace.exclusion.examination import Submitted
from marketplace.exclusion.judgement import Verdict, judge_exclusion
from marketplace.payload import envelope as envelopes
from marketplace.payload.context import EnvelopeContext
from marketplace.payload.disclosure import disclose
from marketplace.payload.envelope import EncryptionKeyPair, parse_envelope, seal
from marketplace.payload.update import encode_update
from marketplace.storage.unixfs import cid_of
from zk import polynomial_commitment as commitments
from zk.polynomial_commitment import Opening, commitment_hash, new_blinder
from zk.srs.development import development_srs
from zk.srs.file import StructuredReferenceString

DIMENSION, BITS = 20, 16
CONTEXT = EnvelopeContext(31337, "0x" + "c0" * 20, 5, 2, "0x" + "ab" * 20)
KEYS = EncryptionKeyPair.from_secret((12345).to_bytes(32, "big"))
STRANGER = EncryptionKeyPair.from_secret((54321).to_bytes(32, "big"))


@cache
def srs() -> StructuredReferenceString:
    """Made once; the open file stays readable when its directory is gone."""
    with TemporaryDirectory() as directory:
        return development_srs(Path(directory) / "small.srs", 64)


def commit(opening: Opening) -> bytes:
    return commitments.commit(srs(), opening)


def new_opening(value: int = 7, dimension: int = DIMENSION) -> Opening:
    return Opening(np.full(dimension, value, dtype=np.int16), new_blinder())


@dataclass(frozen=True)
class Case:
    """What was submitted, and the bytes behind the CID."""

    submitted: Submitted
    envelope: bytes

    def disclosure(self, keys: EncryptionKeyPair = KEYS) -> bytes:
        return disclose(parse_envelope(self.envelope, self.submitted.context), keys)

    def evidence(self, reason, **fields) -> bytes:
        submitted = self.submitted
        statement = Evidence(submitted.context, reason, submitted.cid, submitted.commitment_hash)
        return encode_evidence(replace(statement, **fields))

    def judge(self, reason, evidence: bytes | None, *, with_envelope: bool = True) -> Verdict:
        return judge_exclusion(self.submitted, reason, evidence, self.envelope if with_envelope else None, commit)


def submission(envelope: bytes, opening: Opening, context: EnvelopeContext = CONTEXT) -> Case:
    digest = commitment_hash(commit(opening))
    return Case(Submitted(context, cid_of(envelope), digest, KEYS.public, DIMENSION, BITS, 1), envelope)


def honest() -> Case:
    opening = new_opening()
    return submission(seal(encode_update(opening, BITS), KEYS.public, CONTEXT), opening)


def containing(content: bytes) -> Case:
    """A well-sealed envelope around any content."""
    return submission(seal(content, KEYS.public, CONTEXT), new_opening())


def signed_after(change) -> Case:
    """An envelope that its sender changed between sealing and signing."""
    opening, sender = new_opening(), EncryptionKeyPair.generate()
    shared = envelopes.shared_hash(sender, KEYS.public)
    key, key_commitment = envelopes._derive(shared, sender.public, KEYS.public)
    header = envelopes._MAGIC + sender.public + key_commitment + CONTEXT.encode()
    cipher = envelopes.ChaCha20Poly1305(key)
    unsigned = bytearray(header + cipher.encrypt(bytes(12), encode_update(opening, BITS), header))
    change(unsigned)
    return submission(envelopes._sign(bytes(unsigned), sender), opening)
