"""A job that is paid in an ERC-20: deposits are approved exactly, and everybody draws tokens."""

from __future__ import annotations

from marketplace.chain.artifacts import read_artifact
from marketplace.chain.structs import JobState
from tests.parties.conftest import ETHER, TEST_TOKEN, TRAINERS, WINDOW, build_small_market


def test_a_whole_job_in_tokens_leaves_no_token_and_no_allowance_behind(tmp_path):
    small = build_small_market(tmp_path, in_tokens=True, rounds=2)
    small.start()
    market, job, terms = small.market, small.job, small.view.terms
    token = market.w3.eth.contract(terms.token, abi=read_artifact(TEST_TOKEN).abi)
    place = market.deployment.market
    held = terms.deposit + terms.bond + TRAINERS * terms.stake
    assert token.functions.balanceOf(place).call() == held
    for _ in range(40):
        acted = [*(trainer.step() for trainer in small.trainers), small.referee.step(), small.aggregator.step()]
        if market.progress(job).job_state.ended:
            break
        if not any(acted):
            small.pass_time(WINDOW // 2 + 1)
    assert market.progress(job).job_state is JobState.COMPLETED
    parties = [small.owner, small.aggregator.account, small.referee.account, *(t.account for t in small.trainers)]
    before = {account.address: token.functions.balanceOf(account.address).call() for account in parties}
    amounts = {account.address: market.withdrawable(job, account.address) for account in parties}
    for account in parties:
        if amounts[account.address]:
            market.withdraw(account, job, account.address)
        after = token.functions.balanceOf(account.address).call()
        assert after - before[account.address] == amounts[account.address]
        assert token.functions.allowance(account.address, place).call() == 0
    assert sum(amounts.values()) == held
    assert token.functions.balanceOf(place).call() == 0
    assert amounts[small.aggregator.account.address] == terms.bond + 2 * (ETHER // 10)
