"""A round that the rule voided: shown from the settlement's own calldata, which events don't repeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eth_utils.address import to_checksum_address
from web3 import Web3
from web3.exceptions import Web3Exception

from marketplace.audit.case import Case
from marketplace.audit.check import DiscrepancyError, NotShownError, require
from marketplace.audit.proof import require_proof, require_srs, settlement_of
from marketplace.audit.settlement import commitment_faults, decide, matrix_of, require_possible, roll_call_faults
from marketplace.chain.artifacts import load_artifact
from marketplace.chain.deployment import MARKET
from marketplace.chain.history import RoundRecord


def require_too_few_kept(case: Case, record: RoundRecord, *, reference: bool) -> str:
    """Decide a round again that ended void because the rule kept fewer than three; return what was found, in words.

    Nothing in the calldata is believed: its commitments must be those submitted, and the matrix proven for them.

    Raises
    ------
    NotShownError
        If the settlement was not handed in by a transaction of its own.
    CairnError
        If its commitments, its matrix or its proof don't hold, or the rule keeps three or more.
    """
    settled = _settled(case, record)
    require(roll_call_faults(case, settled) + commitment_faults(case, settled))
    require_possible(case, matrix_of(case, settled))
    require_proof(case, settlement_of(case, settled), case.references(settled), require_srs(case), reference=reference)
    weights, _ = decide(case, settled, reference=reference)
    kept = sum(weight > 0 for weight in weights)
    if kept:
        raise DiscrepancyError([f"the round was void because too few were kept, and the rule keeps {kept}"])
    return f"the proven matrix of {len(settled.trainers)} updates leaves fewer than three with a weight"


def _settled(case: Case, record: RoundRecord) -> RoundRecord:
    """Return the round with what the calldata says."""
    settlement = _decode(case.reading.calldata.get(bytes(record.ended_in or b"")))
    if (settlement["jobId"], settlement["round"]) != (case.reading.job, record.number):
        raise NotShownError(_MISSING)
    return replace(
        record,
        trainers=tuple(to_checksum_address(account) for account in settlement["trainers"]),
        commitments=settlement["commitments"],
        gram=settlement["gram"],
        aggregate_cid=settlement["aggregateCid"],
        proof=settlement["proof"],
    )


_MISSING = (
    "the settlement was not handed in by a transaction of its own, so that its matrix is in no event and no calldata; "
    "ask the aggregator for it"
)


def _decode(data: bytes | None) -> Mapping[str, Any]:
    if data is None:
        raise NotShownError(_MISSING)
    contract = Web3().eth.contract(abi=load_artifact(MARKET).abi)
    try:
        function, arguments = contract.decode_function_input(data)
    except (ValueError, Web3Exception) as fault:
        raise NotShownError(_MISSING) from fault
    if function.fn_name != "settle":
        raise NotShownError(_MISSING)
    settlement: Mapping[str, Any] = arguments["settlement"]
    return settlement
