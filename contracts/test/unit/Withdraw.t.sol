// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Terms, TrainerStatus} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";
import {PlainToken} from "../mocks/Tokens.sol";

contract WithdrawTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
        market.withdraw(1, owner);
    }

    function test_RevertGiven_NothingIsFree() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        vm.warp(market.progressOf(jobId).challengeEnd);
        _refuses(jobId, trainers[0], trainers[0], _nothing(jobId, trainers[0]));
        _refuses(jobId, owner, owner, _nothing(jobId, owner));
        _refuses(jobId, aggregator, aggregator, _nothing(jobId, aggregator));
        _refuses(jobId, referee, referee, _nothing(jobId, referee));
        _refuses(jobId, stranger, stranger, _nothing(jobId, stranger));
    }

    function test_RevertGiven_AllWasWithdrawn() external {
        uint256 jobId = _ended(_terms());
        _withdraw(jobId, trainers[0]);
        _refuses(jobId, trainers[0], trainers[0], _nothing(jobId, trainers[0]));
    }

    function test_RevertWhen_TheRecipientIsZero() external {
        uint256 jobId = _ended(_terms());
        bytes memory reason = abi.encodeWithSelector(Errors.Market_InvalidRecipient.selector, address(0));
        _refuses(jobId, owner, address(0), reason);
    }

    function test_RevertWhen_TheRecipientIsTheMarket() external {
        uint256 jobId = _ended(_terms());
        bytes memory reason = abi.encodeWithSelector(Errors.Market_InvalidRecipient.selector, market);
        _refuses(jobId, owner, address(market), reason);
    }

    function test_RevertWhen_TheRecipientRefusesTheCoin() external {
        uint256 jobId = _ended(_terms());
        uint256 refund = market.withdrawable(jobId, owner);
        bytes memory reason =
            abi.encodeWithSelector(Errors.Market_TransferFailed.selector, address(token), refund);
        _refuses(jobId, owner, address(token), reason);
        vm.assertEq(market.withdrawable(jobId, owner), refund, "it is still there");
    }

    function test_Given_PaidInTheNativeCoin() external {
        _withdrawsAll(_terms());
    }

    function test_Given_PaidInAToken() external {
        _withdrawsAll(_tokenTerms());
    }

    function test_Given_TheJobIsRunning() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        _passChallenge(jobId);
        Books memory expected = _books(jobId);
        vm.assertEq(expected.withdrawable[TRAINER], 2001, "pay of the first round");
        vm.assertEq(_withdraw(jobId, trainers[0]), 2001, "withdrawn");
        expected.market -= 2001;
        expected.balance[TRAINER] += 2001;
        expected.withdrawable[TRAINER] = 0;
        _assertBooks(jobId, expected);

        // Pay of two rounds, of which the second can be challenged, adds up once both are free.
        _round(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[0]), 0, "pay in its challenge window");
        vm.assertEq(market.withdrawable(jobId, trainers[1]), 2001, "pay that was not withdrawn");
        _passChallenge(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[1]), 4002, "pay of both rounds");
    }

    function test_Given_TheTrainerLeft() external {
        uint256 jobId = _running(_terms(), 6);
        vm.prank(trainers[0]);
        market.leaveJob(jobId);
        _round(jobId);
        _passChallenge(jobId);
        vm.assertEq(_withdraw(jobId, trainers[0]), 1667 + 2003, "pay and stake");
        vm.assertEq(
            uint256(market.trainerOf(jobId, trainers[0]).status), uint256(TrainerStatus.Out), "status"
        );
    }

    function test_When_TheRecipientIsAnotherAccount() external {
        uint256 jobId = _ended(_tokenTerms());
        Books memory expected = _books(jobId);
        uint256 amount = expected.withdrawable[TRAINER];
        vm.prank(trainers[0]);
        market.withdraw(jobId, stranger);
        expected.market -= amount;
        expected.balance[STRANGER] += amount;
        expected.withdrawable[TRAINER] = 0;
        _assertBooks(jobId, expected);
    }

    function test_Given_OneAccountHasSeveralRoles() external {
        Terms memory terms = _terms();
        terms.aggregator = owner;
        terms.referee = owner;
        uint256 jobId = _running(terms, 5);
        for (uint256 i = 0; i < 3; ++i) {
            _round(jobId);
        }
        _passChallenge(jobId);
        market.complete(jobId);
        vm.assertEq(_withdraw(jobId, owner), _deposit(terms) - 3 * 10_005 + terms.bond, "all in one");
    }

    function _ended(Terms memory terms) private returns (uint256 jobId) {
        jobId = _running(terms, 5);
        for (uint256 i = 0; i < 3; ++i) {
            _round(jobId);
        }
        _passChallenge(jobId);
        market.complete(jobId);
    }

    /// @dev Everybody withdraws; afterwards the market holds nothing.
    function _withdrawsAll(Terms memory terms) private {
        uint256 jobId = _ended(terms);
        for (uint256 i = 0; i < TRAINER + 5; ++i) {
            Books memory expected = _books(jobId);
            uint256 amount = expected.withdrawable[i];
            if (amount == 0) continue;
            vm.expectEmit(address(market));
            emit ITrainingMarket.Withdrawn(jobId, _party(i), _party(i), amount);
            if (terms.token != address(0)) {
                vm.expectEmit(terms.token);
                emit PlainToken.Transfer(address(market), _party(i), amount);
            }
            vm.assertEq(_withdraw(jobId, _party(i)), amount, "the view told the truth");
            expected.market -= amount;
            expected.balance[i] += amount;
            expected.withdrawable[i] = 0;
            _assertBooks(jobId, expected);
        }
        vm.assertEq(_balance(terms.token, address(market)), 0, "nothing is left");
    }

    function _nothing(uint256 jobId, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_NothingToWithdraw.selector, jobId, account);
    }

    function _refuses(uint256 jobId, address account, address to, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(account);
        market.withdraw(jobId, to);
    }
}
