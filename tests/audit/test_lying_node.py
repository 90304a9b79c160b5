"""What one node that lies consistently is caught at: every lie that the job's own records contradict."""

from __future__ import annotations

import pytest

from contribution.payout import payouts
from tests.audit.conftest import added_event, altered_event, detail, dropped_event, failing


def tell(audited, lie, **changed):
    return audited.audit(market=audited.lying(lie), **changed)


def changed_list(name, place, change):
    def alter(arguments):
        values = list(arguments[name])
        values[place] = change(values[place])
        return {**arguments, name: values}

    return alter


def flipped(name, at=-1):
    def alter(arguments):
        data = bytearray(arguments[name])
        data[at] ^= 1
        return {**arguments, name: bytes(data)}

    return alter


def test_an_honest_node_raises_no_alarm(plain):
    assert failing(plain.audit(market=plain.lying(lambda method, params, result: result))) == set()


def test_a_dropped_submission_leaves_somebody_who_submitted_nothing_in_the_settlement(plain):
    report = tell(plain, dropped_event(plain, "Submitted", 1))
    account = plain.small.trainers[1].account.address
    assert ("round 1", "roll call") in failing(report)
    assert f"{account} is in the settlement and submitted nothing" in detail(report, "round 1", "roll call")
    assert ("job", "order of events") in failing(report)


def test_a_dropped_withdrawal_leaves_money_that_is_not_there(plain):
    report = tell(plain, dropped_event(plain, "Withdrawn", 3))
    assert failing(report) == {("money", "every wei"), ("job", "contract state")}
    assert "can withdraw 0 wei instead of" in detail(report, "money", "every wei")


def test_a_dropped_settlement_is_missed(plain):
    report = tell(plain, dropped_event(plain, "RoundSettled", 1))
    assert "RoundOpened in block" in detail(report, "job", "order of events")


def test_a_dropped_join_is_missed(plain):
    report = tell(plain, dropped_event(plain, "TrainerJoined", 2))
    account = plain.small.trainers[2].account.address
    assert f"{account} submitted in round 1 and is not active in it" in detail(report, "job", "order of events")


def test_a_dropped_end_is_missed(plain):
    report = tell(plain, dropped_event(plain, "JobEnded"))
    assert ("job", "contract state") in failing(report)


def test_pay_that_the_contributions_do_not_earn_is_named(plain):
    report = tell(plain, altered_event(plain, "RoundScored", changed_list("payouts", 0, lambda pay: pay + 1), 1))
    account = plain.record(2).trainers[0]
    assert ("round 2", "pay") in failing(report)
    assert f"the pay of {account} is" in detail(report, "round 2", "pay")
    assert ("money", "every wei") in failing(report)


@pytest.mark.parametrize(("number", "other"), [(1, 2), (2, 1), (2, 3), (3, 2)])
def test_pay_by_the_reward_of_another_round_is_named(plain, number, other):
    record, terms = plain.record(number), plain.small.view.terms
    assert terms.reward_decay == 2
    wrong = payouts(record.contributions, terms.reward_after(other - 1))
    report = tell(plain, altered_event(plain, "RoundScored", lambda a: {**a, "payouts": wrong}, number - 1))
    assert {(f"round {number}", "pay"), ("money", "every wei")} <= failing(report)
    account, paid, due = next(
        entry for entry in zip(record.trainers, wrong, record.payouts, strict=True) if entry[1] != entry[2]
    )
    assert f"the pay of {account} is {paid} wei instead of {due} wei" in detail(report, f"round {number}", "pay")
    if other < number:
        told = detail(report, "money", "every wei")
        assert f"round {number} paid {sum(wrong)} wei of a reward of {terms.reward_after(number - 1)} wei" in told


@pytest.mark.parametrize("decay", [0, 1, 255])
def test_another_fall_of_the_rewards_is_not_that_of_the_contract(plain, decay):
    def otherwise(arguments):
        return {**arguments, "terms": {**arguments["terms"], "rewardDecay": decay}}

    report = tell(plain, altered_event(plain, "JobCreated", otherwise))
    assert {("job", "contract state"), ("round 1", "proof"), ("round 1", "pay"), ("round 3", "pay")} <= failing(report)
    assert f"reward_decay is 2 instead of {decay}" in detail(report, "job", "contract state")
    assert report.facts["rounds"][0]["reward_wei"] != plain.audit().facts["rounds"][0]["reward_wei"]


def test_pay_above_the_reward_is_named(plain):
    report = tell(plain, altered_event(plain, "RoundScored", changed_list("payouts", 0, lambda pay: pay + 10**18)))
    assert "of a reward of" in detail(report, "money", "every wei")


def test_a_weight_that_the_rule_does_not_give_is_named(plain):
    report = tell(plain, altered_event(plain, "RoundScored", changed_list("weights", 2, lambda weight: weight + 1)))
    assert failing(report) == {
        ("round 1", "weights and contributions"),
        ("round 1", "model step"),
        ("model", "final model"),
    }
    assert f"the weight of {plain.record(1).trainers[2]} is" in detail(report, "round 1", "weights and contributions")


def test_a_contribution_that_the_rule_does_not_give_is_named(plain):
    report = tell(plain, altered_event(plain, "RoundScored", changed_list("contributions", 1, lambda phi: phi - 1)))
    assert failing(report) == {("round 1", "weights and contributions")}
    assert "the contribution of" in detail(report, "round 1", "weights and contributions")


def test_a_changed_matrix_is_not_the_proven_one(plain):
    report = tell(plain, altered_event(plain, "RoundSettled", flipped("gram"), 2))
    assert ("round 3", "proof") in failing(report)
    assert "the matrix is not the one of these commitments" in detail(report, "round 3", "proof")


def test_a_changed_proof_is_refused(plain):
    report = tell(plain, altered_event(plain, "RoundSettled", flipped("proof", 70)))
    assert failing(report) == {("round 1", "proof")}


def test_swapped_commitments_are_not_those_submitted(plain):
    def swap(arguments):
        given = arguments["commitments"]
        return {**arguments, "commitments": given[64:128] + given[:64] + given[128:]}

    report = tell(plain, altered_event(plain, "RoundSettled", swap))
    assert {("round 1", "commitments"), ("round 1", "proof")} <= failing(report)
    assert f"the commitment of {plain.record(1).trainers[0]} hashes to" in detail(report, "round 1", "commitments")


def test_a_model_commitment_that_does_not_follow_is_named(plain):
    first = plain.record(1).model_commitment
    report = tell(plain, altered_event(plain, "RoundSettled", lambda a: {**a, "modelCommitment": first}, 2))
    assert {("round 3", "model step"), ("job", "contract state")} <= failing(report)
    assert "the weighted commitments make it" in detail(report, "round 3", "model step")
    assert "model_hash is" in detail(report, "job", "contract state")


def test_a_round_that_opened_with_another_model_is_named(plain):
    report = tell(plain, altered_event(plain, "RoundOpened", lambda a: {**a, "modelHash": b"\1" * 32}, 1))
    assert {("round 2", "model step"), ("job", "order of events")} <= failing(report)
    assert "the round opened with a model whose commitment hashes to" in detail(report, "round 2", "model step")


def test_the_aggregate_of_another_round_does_not_belong_to_the_proof(plain):
    first = plain.record(1).aggregate_cid
    report = tell(plain, altered_event(plain, "RoundSettled", lambda a: {**a, "aggregateCid": first}, 1))
    assert {("round 2", "proof"), ("model", "published sums")} <= failing(report)
    assert "round 1 where 2 is expected" in detail(report, "model", "published sums")


def test_a_trainer_who_is_made_up_is_named(plain):
    stranger = plain.small.owner.address
    report = tell(plain, altered_event(plain, "RoundScored", changed_list("trainers", 0, lambda _: stranger)))
    assert f"{stranger} is in the settlement and submitted nothing" in detail(report, "round 1", "roll call")
    assert ("round 1", "proof") in failing(report)


def test_a_withdrawal_that_is_made_up_is_named(plain):
    report = tell(plain, added_event(plain, "Withdrawn", lambda a: {**a, "amount": 5}, 2))
    assert "withdrew 5 wei of the 0 wei" in detail(report, "money", "every wei")


def test_a_strike_that_is_made_up_is_named(rich):
    other = rich.record(3).trainers[0]
    report = tell(rich, altered_event(rich, "Strike", lambda a: {**a, "trainer": other}))
    assert ("round 3", "strikes") in failing(report)
    words = detail(report, "round 3", "strikes")
    assert f"{other} was struck and its contribution is within the tolerance" in words
    assert "was not struck and its contribution is beyond the tolerance" in words


def test_a_removal_that_is_made_up_is_named(rich):
    other = rich.small.trainers[0].account.address
    report = tell(rich, altered_event(rich, "TrainerRemoved", lambda a: {**a, "trainer": other}, 1))
    assert f"says trainer {other} instead of" in detail(report, "job", "order of events")


def test_fees_that_were_not_earned_are_named(plain):
    report = tell(plain, altered_event(plain, "JobEnded", lambda a: {**a, "aggregatorFees": a["aggregatorFees"] + 1}))
    assert failing(report) == {("money", "every wei")}
    assert "aggregatorFees" in detail(report, "money", "every wei")


def test_a_burned_amount_that_was_not_due_is_named(rich):
    report = tell(rich, altered_event(rich, "Burned", lambda a: {**a, "amount": a["amount"] - 1}))
    assert failing(report) == {("money", "every wei")}
    assert "wei were burned of the" in detail(report, "money", "every wei")


def test_a_penalty_that_was_not_due_is_named(rich):
    report = tell(rich, altered_event(rich, "RoundExpired", lambda a: {**a, "share": a["share"] * 2}))
    assert "expired at" in detail(report, "money", "every wei")


def test_other_terms_are_not_those_of_the_proofs_nor_of_the_contract(plain):
    def dearer(arguments):
        return {**arguments, "terms": {**arguments["terms"], "rewardPerRound": 2 * 10**18}}

    report = tell(plain, altered_event(plain, "JobCreated", dearer))
    assert {("job", "contract state"), ("round 1", "proof"), ("round 1", "pay")} <= failing(report)
    assert "reward_per_round is" in detail(report, "job", "contract state")


def test_a_void_round_that_was_not_due_is_named(rich):
    report = tell(rich, altered_event(rich, "RoundVoided", lambda a: {**a, "cause": 2}))
    assert "was void as too many faulty, with" in detail(report, "job", "order of events")


def test_a_void_cause_that_no_market_has_is_named(rich):
    report = tell(rich, altered_event(rich, "RoundVoided", lambda a: {**a, "cause": 77}))
    assert "says what no market can" in detail(report, "job", "order of events")


def test_calldata_that_is_not_the_settlements_leaves_a_void_round_open(rich):
    def lie(method, params, result):
        return {**result, "input": "0x00"} if method == "eth_getTransactionByHash" else result

    report = tell(rich, lie)
    assert failing(report) == {("round 8", "void")}
    assert "in no event and no calldata" in detail(report, "round 8", "void")


def test_a_balance_that_is_too_small_is_named(rich):
    # Before anybody withdrew: the market at the block in which the job ended.
    ended = rich.small.view.history().named("JobEnded")[0].block

    def lie(method, params, result):
        if method == "eth_getBlockByNumber" and params[0] == "latest":
            return rich.market.w3.provider.make_request(method, [hex(ended), False])["result"]
        return "0x1" if method == "eth_getBalance" else result

    report = tell(rich, lie)
    assert failing(report) == {("money", "every wei")}
    assert "the market has 1 wei and owes" in detail(report, "money", "every wei")


def test_code_that_is_not_the_markets_is_named(plain):
    judge = plain.market.contract.functions.judge().call()

    def lie(method, params, result):
        return result[:-2] + "00" if method == "eth_getCode" and params[0] == judge else result

    report = tell(plain, lie)
    assert failing(report) == {("chain", "contracts")}
    assert f"the code at {judge} is not RoundJudge" in detail(report, "chain", "contracts")


def test_code_that_asks_another_verifier_is_named(plain):
    """The build leaves immutables open; what stands in them is compared too."""
    verifier = plain.market.deployment.verifier[2:].lower()

    def lie(method, params, result):
        return result.replace(verifier, "ab" * 20) if method == "eth_getCode" else result

    report = tell(plain, lie)
    assert failing(report) == {("chain", "contracts")}
    assert "holds 0x" + "00" * 12 + "ab" * 20 in detail(report, "chain", "contracts")


def test_a_time_that_does_not_belong_to_the_blocks_hash_is_named(plain):
    def lie(method, params, result):
        if method == "eth_getBlockByNumber" and params[0] != "latest":
            return {**result, "timestamp": hex(int(result["timestamp"], 16) + 1)}
        return result

    report = tell(plain, lie)
    assert failing(report) == {("chain", "logs")}
    assert "the header's fields hash to" in detail(report, "chain", "logs")


def test_logs_of_another_block_are_named(plain):
    def lie(method, params, result):
        return [{**log, "blockHash": "0x" + "11" * 32} for log in result] if method == "eth_getLogs" else result

    report = tell(plain, lie)
    assert failing(report) == {("chain", "logs")}
    assert "it says that block" in detail(report, "chain", "logs")


@pytest.mark.parametrize(
    "answer", [None, [], {}, [{}], [None], "0x", [{"address": "0x12"}], [{"address": "0x" + "00" * 20, "topics": 3}]]
)
def test_answers_that_are_no_answers_are_told_in_a_sentence(plain, answer):
    report = tell(plain, lambda method, params, result: answer if method == "eth_getLogs" else result)
    assert ("chain", "logs") in failing(report)
    assert "eth_getLogs can't be used" in detail(report, "chain", "logs")


@pytest.mark.parametrize("method", ["eth_call", "eth_getCode", "eth_getBlockByNumber", "eth_getBalance"])
@pytest.mark.parametrize("answer", [None, "0x", "nonsense", {}])
def test_no_answer_of_any_form_shows_a_stack_trace(plain, method, answer):
    report = tell(plain, lambda asked, params, result: answer if asked == method else result)
    assert failing(report)


def rearranged(order):
    def change(arguments):
        lists = ("trainers", "weights", "contributions", "payouts")
        return {**arguments, **{name: order(list(arguments[name])) for name in lists}}

    return change


ORDERS = {
    "permuted": (lambda entries: [entries[1], entries[0], *entries[2:]], "not in strictly ascending order"),
    "one twice": (lambda entries: [entries[0], *entries], "not in strictly ascending order"),
    "one left out": (lambda entries: entries[1:], "submitted and is neither accepted nor excluded"),
}


@pytest.mark.parametrize("kind", ORDERS)
def test_trainers_who_are_permuted_doubled_or_left_out_are_named(plain, kind):
    order, words = ORDERS[kind]
    report = tell(plain, altered_event(plain, "RoundScored", rearranged(order), 1))
    assert {("round 2", "roll call"), ("round 2", "proof")} <= failing(report)
    assert words in detail(report, "round 2", "roll call")


def test_an_exclusion_that_was_never_evidenced_on_chain_is_false(rich):
    other = rich.small.view.history().rounds[1].aggregate_cid
    report = tell(rich, altered_event(rich, "Excluded", lambda a: {**a, "evidence": other}))
    assert {("round 1", "exclusions"), ("round 1", "proof")} <= failing(report)
    assert "FALSE is the exclusion of" in detail(report, "round 1", "exclusions")
