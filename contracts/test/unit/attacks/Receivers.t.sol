// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Settlement, Terms} from "../../../src/Types.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Base} from "../../Base.sol";
import {CallbackToken} from "../../mocks/Tokens.sol";
import {Bombing, Burning, Reentrant, Refusing, RevertBombing} from "../../mocks/Wallets.sol";

contract ReceiversTest is Base {
    bytes32[] private _noProof;

    function test_AReceiverCanNotReenterAnyFunctionOfAnyJob() external {
        Reentrant attacker = new Reentrant();
        uint256 jobId = _payable(address(attacker), _terms());
        uint256 other = _payable(address(attacker), _terms());
        bytes[] memory calls = _both(_calls(jobId, address(attacker)), _calls(other, address(attacker)));
        attacker.arm(address(market), calls);
        Books memory expected = _books(jobId);
        uint256 due = market.withdrawable(jobId, address(attacker));

        vm.prank(address(attacker));
        vm.assertEq(market.withdraw(jobId, address(attacker)), due, "withdrawn");
        vm.assertEq(address(attacker).balance, due, "received");
        _assertAllRefused(attacker, calls.length);
        expected.market -= due;
        _assertBooks(jobId, expected);
        vm.assertEq(market.withdrawable(other, address(attacker)), due, "the other job owes as before");
    }

    function test_ATokensCallbackCanNotReenterAnyFunctionOfAnyJob() external {
        CallbackToken callback = new CallbackToken();
        Terms memory terms = _terms();
        terms.token = address(callback);
        Reentrant attacker = new Reentrant();
        uint256 jobId = _payable(address(attacker), terms);
        bytes[] memory calls = _calls(jobId, address(attacker));
        attacker.arm(address(market), calls);
        uint256 due = market.withdrawable(jobId, address(attacker));

        vm.prank(address(attacker));
        market.withdraw(jobId, address(attacker));
        vm.assertEq(callback.balanceOf(address(attacker)), due, "received");
        _assertAllRefused(attacker, calls.length);
    }

    function test_ADepositorsCallbackCanNotReenterAnyFunctionOfAnyJob() external {
        CallbackToken callback = new CallbackToken();
        Terms memory terms = _terms();
        terms.token = address(callback);
        Reentrant attacker = new Reentrant();
        uint256 known = _running(terms, 5);
        bytes[] memory calls = _calls(known, address(attacker));
        attacker.arm(address(market), calls);
        owner = address(attacker);
        uint256 jobId = _create(terms);
        _assertAllRefused(attacker, calls.length);
        vm.assertEq(jobId, 2, "the job was created once");
        vm.assertEq(callback.balanceOf(address(market)), _held(known) + _deposit(terms), "and paid once");
    }

    function test_NoViewShowsAHalfDoneWithdrawal() external {
        Reentrant attacker = new Reentrant();
        uint256 jobId = _payable(address(attacker), _terms());
        attacker.arm(address(market), _views(jobId, address(attacker)));
        vm.prank(address(attacker));
        market.withdraw(jobId, address(attacker));
        _assertAllRefused(attacker, 10);
    }

    function test_ViewsThatNeverChangeMeanwhileStayOpen() external {
        Reentrant attacker = new Reentrant();
        uint256 jobId = _payable(address(attacker), _terms());
        bytes[] memory calls = new bytes[](4);
        calls[0] = abi.encodeCall(market.joinDigest, (jobId));
        calls[1] = abi.encodeCall(market.jobCount, ());
        calls[2] = abi.encodeCall(market.rules, ());
        calls[3] = abi.encodeCall(market.verifier, ());
        bytes[4] memory before = [
            abi.encode(market.joinDigest(jobId)),
            abi.encode(market.jobCount()),
            abi.encode(market.rules()),
            abi.encode(market.verifier())
        ];
        attacker.arm(address(market), calls);
        vm.prank(address(attacker));
        market.withdraw(jobId, address(attacker));
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(attacker.answers(i), before[i], "the same before, meanwhile and after");
        }
    }

    function test_AReceiverThatRevertsHarmsItselfOnly() external {
        _harmsItselfOnly(address(new Refusing()));
    }

    function test_AReceiverThatRevertsWithAMegabyteHarmsItselfOnly() external {
        _harmsItselfOnly(address(new RevertBombing()));
    }

    function test_AReceiverThatBurnsAllGasHarmsItselfOnly() external {
        _harmsItselfOnly(address(new Burning()));
    }

    function test_AReceiverThatReturnsAMegabyteIsPaid() external {
        address bomb = address(new Bombing());
        uint256 jobId = _payable(bomb, _terms());
        uint256 due = market.withdrawable(jobId, bomb);
        vm.prank(bomb);
        // Copying a megabyte back would cost more than 2,000,000 gas for the memory alone.
        market.withdraw{gas: 2_800_000}(jobId, bomb);
        vm.assertEq(bomb.balance, due, "received");
    }

    function _harmsItselfOnly(address hostile) private {
        uint256 jobId = _payable(hostile, _terms());
        uint256 due = market.withdrawable(jobId, hostile);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_TransferFailed.selector, hostile, due));
        vm.prank(hostile);
        market.withdraw{gas: 3_000_000}(jobId, hostile);
        vm.assertEq(market.withdrawable(jobId, hostile), due, "its money is still there");

        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(_withdraw(jobId, trainers[i]), 3 * 1667 + 2003, "the others are paid");
        }
        _withdraw(jobId, owner);
        _withdraw(jobId, aggregator);
        _withdraw(jobId, referee);
        vm.prank(hostile);
        market.withdraw(jobId, stranger);
        vm.assertEq(stranger.balance, due, "it can name an account that takes the coin");
        vm.assertEq(address(market).balance, 0, "nothing is left");
    }

    /// @dev A completed job in which five trainers and the account took part.
    function _payable(address account, Terms memory terms) private returns (uint256 jobId) {
        terms.startDeadline = uint40(_now() + 1 days);
        jobId = _joined(terms, 5);
        _join(jobId, account);
        market.start(jobId);
        for (uint256 i = 0; i < 3; ++i) {
            _round(jobId);
        }
        _passChallenge(jobId);
        market.complete(jobId);
    }

    function _held(uint256 jobId) private view returns (uint256) {
        return uint256(market.ledgerOf(jobId).escrow) + market.ledgerOf(jobId).bond + 5 * 2003;
    }

    /// @dev Every function that changes anything.
    function _calls(uint256 jobId, address account) private view returns (bytes[] memory calls) {
        Settlement memory settlement;
        settlement.jobId = jobId;
        calls = new bytes[](17);
        calls[0] = abi.encodeCall(market.create, (_terms(), _specification()));
        calls[1] = abi.encodeCall(market.abort, (jobId));
        calls[2] = abi.encodeCall(market.accept, (jobId, KEY));
        calls[3] = abi.encodeCall(market.rotateKey, (jobId, KEY));
        calls[4] = abi.encodeCall(market.missing, (jobId, 1, _first(1)));
        calls[5] = abi.encodeCall(market.settle, (settlement));
        calls[6] = abi.encodeCall(market.join, (jobId, market.joinDigest(jobId), _noProof));
        calls[7] = abi.encodeCall(market.leaveJob, (jobId));
        calls[8] = abi.encodeCall(market.submit, (jobId, 1, KEY, _cid("envelope")));
        calls[9] = abi.encodeCall(market.submitReference, (jobId, 1, KEY, _cid("reference")));
        calls[10] = abi.encodeCall(market.flag, (jobId, 1));
        calls[11] = abi.encodeCall(market.start, (jobId));
        calls[12] = abi.encodeCall(market.closeSubmissions, (jobId, 1));
        calls[13] = abi.encodeCall(market.voidRound, (jobId, 1));
        calls[14] = abi.encodeCall(market.expire, (jobId, 1));
        calls[15] = abi.encodeCall(market.complete, (jobId));
        calls[16] = abi.encodeCall(market.withdraw, (jobId, account));
        calls = _append(calls, abi.encodeCall(market.burn, (jobId)));
        calls = _append(calls, abi.encodeCall(market.refuteGram, (jobId, 1, KEY, "", "")));
    }

    function _views(uint256 jobId, address account) private view returns (bytes[] memory calls) {
        calls = new bytes[](10);
        calls[0] = abi.encodeCall(market.termsOf, (jobId));
        calls[1] = abi.encodeCall(market.identityOf, (jobId));
        calls[2] = abi.encodeCall(market.progressOf, (jobId));
        calls[3] = abi.encodeCall(market.seatsOf, (jobId));
        calls[4] = abi.encodeCall(market.seatHolder, (jobId, 0));
        calls[5] = abi.encodeCall(market.ledgerOf, (jobId));
        calls[6] = abi.encodeCall(market.trainerOf, (jobId, account));
        calls[7] = abi.encodeCall(market.submissionOf, (jobId, account));
        calls[8] = abi.encodeCall(market.phaseOf, (jobId));
        calls[9] = abi.encodeCall(market.withdrawable, (jobId, account));
    }

    function _append(bytes[] memory calls, bytes memory call) private pure returns (bytes[] memory all) {
        all = new bytes[](calls.length + 1);
        for (uint256 i = 0; i < calls.length; ++i) {
            all[i] = calls[i];
        }
        all[calls.length] = call;
    }

    function _both(bytes[] memory a, bytes[] memory b) private pure returns (bytes[] memory all) {
        all = a;
        for (uint256 i = 0; i < b.length; ++i) {
            all = _append(all, b[i]);
        }
    }

    function _assertAllRefused(Reentrant attacker, uint256 count) private view {
        vm.assertEq(attacker.tries(), count, "calls tried");
        vm.assertEq(attacker.successes(), 0, "calls that got through");
        bytes memory reason =
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        for (uint256 i = 0; i < count; ++i) {
            vm.assertEq(attacker.answers(i), reason, "refused as reentrant");
        }
    }
}
