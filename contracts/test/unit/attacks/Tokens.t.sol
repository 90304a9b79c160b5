// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Terms} from "../../../src/Types.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Base} from "../../Base.sol";
import {
    BonusToken,
    CallbackToken,
    ControlledToken,
    FalseToken,
    FeeToken,
    LyingToken,
    PlainToken,
    RebasingToken,
    SilentToken
} from "../../mocks/Tokens.sol";

contract TokensTest is Base {
    function test_APlainTokenWorks() external {
        _works(address(new PlainToken()));
    }

    function test_ATokenThatReturnsNothingWorks() external {
        _works(address(new SilentToken()));
    }

    function test_ATokenWithCallbacksWorks() external {
        _works(address(new CallbackToken()));
    }

    function test_ATokenThatReturnsFalseIsRefusedAtFunding() external {
        address bad = address(new FalseToken());
        _refusedAtFunding(bad, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, bad));
    }

    function test_ATokenThatTakesAFeeIsRefusedAtFunding() external {
        uint256 due = _deposit(_terms());
        bytes memory reason =
            abi.encodeWithSelector(Errors.Market_DepositMismatch.selector, due - due / 100, due);
        _refusedAtFunding(address(new FeeToken()), reason);
    }

    function test_ATokenThatCreditsMoreIsRefusedAtFunding() external {
        uint256 due = _deposit(_terms());
        bytes memory reason = abi.encodeWithSelector(Errors.Market_DepositMismatch.selector, due + 1, due);
        _refusedAtFunding(address(new BonusToken()), reason);
    }

    function test_ATokenThatLosesTheDepositIsRefusedAtFunding() external {
        // Returns true and moves nothing.
        address bad = address(token);
        bytes memory pretended = abi.encode(true);
        Terms memory terms = _tokenTerms();
        vm.mockCall(
            bad, abi.encodeCall(PlainToken.transferFrom, (owner, address(market), _deposit(terms))), pretended
        );
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_DepositMismatch.selector, 0, _deposit(terms)));
        vm.prank(owner);
        market.create(terms, _specification());
    }

    function test_ATransferThatReturnsFalseRevertsTheWithdrawal() external {
        LyingToken lying = new LyingToken();
        uint256 jobId = _completed(address(lying), 1);
        uint256 due = market.withdrawable(jobId, trainers[0]);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(lying)));
        _withdraw(jobId, trainers[0]);
        vm.assertEq(market.withdrawable(jobId, trainers[0]), due, "still owed");
        vm.assertEq(lying.balanceOf(trainers[0]), 0, "nothing moved");
    }

    function test_ABlacklistedPayeeStopsNobodyElse() external {
        ControlledToken controlled = new ControlledToken();
        uint256 jobId = _completed(address(controlled), 1);
        controlled.setBlacklisted(trainers[0], true);
        controlled.setBlacklisted(BURN, true);
        vm.expectRevert(abi.encodeWithSelector(ControlledToken.Blacklisted.selector, trainers[0]));
        _withdraw(jobId, trainers[0]);
        for (uint256 i = 1; i < 5; ++i) {
            vm.assertEq(_withdraw(jobId, trainers[i]), 2001 + 2003, "another trainer");
        }
        _withdraw(jobId, owner);
        _withdraw(jobId, aggregator);
        _withdraw(jobId, referee);
        vm.prank(trainers[0]);
        market.withdraw(jobId, stranger);
        vm.assertEq(controlled.balanceOf(stranger), 2001 + 2003, "it can name another account");
    }

    function test_ABlacklistedTrainerStopsNoSettlement() external {
        ControlledToken controlled = new ControlledToken();
        Terms memory terms = _terms();
        terms.token = address(controlled);
        uint256 jobId = _running(terms, 5);
        controlled.setBlacklisted(trainers[0], true);
        controlled.setBlacklisted(owner, true);
        _round(jobId);
        vm.assertEq(market.progressOf(jobId).settledRounds, 1, "settling moves no token");
    }

    function test_APausedTokenDelaysWithdrawalsAndNothingElse() external {
        ControlledToken controlled = new ControlledToken();
        Terms memory terms = _terms();
        terms.token = address(controlled);
        uint256 jobId = _running(terms, 5);
        controlled.setPaused(true);
        for (uint256 i = 0; i < 3; ++i) {
            _round(jobId);
        }
        _passChallenge(jobId);
        market.complete(jobId);
        vm.expectRevert(abi.encodeWithSelector(ControlledToken.Paused.selector));
        _withdraw(jobId, trainers[0]);
        controlled.setPaused(false);
        vm.assertEq(_withdraw(jobId, trainers[0]), 3 * 2001 + 2003, "withdrawn when the pause is over");
    }

    function test_ATokenThatRebasesDownHurtsAllItsJobsAndNoOther() external {
        // The damage: jobs in one token share one balance, so that whoever withdraws last goes short.
        RebasingToken rebasing = new RebasingToken();
        uint256 first = _completed(address(rebasing), 1);
        uint256 second = _completed(address(rebasing), 1);
        uint256 coins = _completed(address(0), 1);
        uint256 held = rebasing.balanceOf(address(market));
        rebasing.rebase(address(market), held / 2);
        uint256 got = 0;
        for (uint256 i = 0; i < TRAINER + 5; ++i) {
            if (market.withdrawable(first, _party(i)) != 0) got += _withdraw(first, _party(i));
        }
        vm.assertEq(got, held / 2, "the first job is paid in full, out of half of what was held");
        vm.assertEq(rebasing.balanceOf(address(market)), 0, "nothing is left for the second");
        vm.expectRevert();
        _withdraw(second, trainers[0]);
        vm.assertEq(_withdraw(coins, trainers[0]), 2001 + 2003, "a job in the coin is not touched");
    }

    function test_ATokenThatRebasesUpLeavesTheSurplusBehind() external {
        RebasingToken rebasing = new RebasingToken();
        uint256 jobId = _completed(address(rebasing), 1);
        uint256 held = rebasing.balanceOf(address(market));
        rebasing.rebase(address(market), 2 * held);
        for (uint256 i = 0; i < TRAINER + 5; ++i) {
            if (market.withdrawable(jobId, _party(i)) != 0) _withdraw(jobId, _party(i));
        }
        vm.assertEq(rebasing.balanceOf(address(market)), held, "nobody's");
    }

    function _refusedAtFunding(address bad, bytes memory reason) private {
        Terms memory terms = _terms();
        terms.token = bad;
        uint256 deposit = _deposit(terms);
        PlainToken(bad).mint(owner, deposit);
        vm.prank(owner);
        PlainToken(bad).approve(address(market), deposit);
        vm.expectRevert(reason);
        vm.prank(owner);
        market.create(terms, _specification());
        vm.assertEq(market.jobCount(), 0, "no job was created");
        vm.assertEq(PlainToken(bad).balanceOf(owner), deposit, "nothing was taken");
    }

    /// @dev A job of so many rounds from its creation to its end.
    function _completed(address tokenAddress, uint16 rounds) private returns (uint256 jobId) {
        Terms memory terms = _terms();
        terms.token = tokenAddress;
        terms.rounds = rounds;
        jobId = _running(terms, 5);
        for (uint256 i = 0; i < rounds; ++i) {
            _round(jobId);
        }
        _passChallenge(jobId);
        market.complete(jobId);
    }

    function _works(address good) private {
        uint256 jobId = _completed(good, 3);
        Books memory expected = _books(jobId);
        for (uint256 i = 0; i < TRAINER + 5; ++i) {
            uint256 due = expected.withdrawable[i];
            if (due == 0) continue;
            vm.assertEq(_withdraw(jobId, _party(i)), due, "withdrawn");
            expected.market -= due;
            expected.balance[i] += due;
            expected.withdrawable[i] = 0;
            _assertBooks(jobId, expected);
        }
        vm.assertEq(expected.market, 0, "nothing is left");
    }
}
