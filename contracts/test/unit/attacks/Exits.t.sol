// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Reason, Terms} from "../../../src/Types.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Base} from "../../Base.sol";

/// @notice Nobody slips away with money that is at stake, and nobody's exit costs others theirs.
contract ExitsTest is Base {
    function test_AStakeCanNotLeaveInFrontOfAStrike() external {
        uint256 jobId = _running(_terms(), 6);
        _harm(2);
        _round(jobId);
        _submitAll(jobId);
        _passChallenge(jobId);
        vm.prank(trainers[2]);
        market.leaveJob(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NothingToWithdraw.selector, jobId, trainers[2]));
        _withdraw(jobId, trainers[2]);
        _settle(jobId);
        _passChallenge(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[2]), 0, "the stake is burned");
        vm.assertEq(market.ledgerOf(jobId).burned, 2003, "burned");
    }

    function test_ABondCanNotLeaveInFrontOfAPenalty() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NothingToWithdraw.selector, jobId, aggregator));
        _withdraw(jobId, aggregator);
        _passSettlement(jobId);
        market.expire(jobId, 1);
        vm.assertEq(market.ledgerOf(jobId).bond, 22_019 - 11_009, "the penalty is taken");
    }

    function test_FeesCanNotLeaveInFrontOfAFlag() external {
        Terms memory terms = _terms();
        terms.rounds = 1;
        uint256 jobId = _running(terms, 5);
        _round(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NothingToWithdraw.selector, jobId, aggregator));
        _withdraw(jobId, aggregator);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(trainers[i]);
            market.flag(jobId, 1);
        }
        vm.assertEq(market.withdrawable(jobId, aggregator), 22_019 - 11_009, "no fee for the flagged round");
    }

    function test_TheOwnerCanNotAbortInFrontOfASettlement() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        vm.prank(owner);
        market.abort(jobId);
        _settle(jobId);
        _passChallenge(jobId);
        market.complete(jobId);
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(_withdraw(jobId, trainers[i]), 2001 + 2003, "pay and stake");
        }
        vm.assertEq(_withdraw(jobId, aggregator), 1009 + 22_019, "fee and bond");
    }

    function test_TheOwnerCanNotTakeTheEscrowOfARunningJob() external {
        uint256 jobId = _running(_terms(), 5);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NothingToWithdraw.selector, jobId, owner));
        _withdraw(jobId, owner);
        vm.prank(owner);
        market.abort(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NothingToWithdraw.selector, jobId, owner));
        _withdraw(jobId, owner);
    }

    function test_ALeaverStopsNeitherQuorumNorSettlement() external {
        uint256 jobId = _running(_terms(), 5);
        for (uint256 i = 0; i < 5; ++i) {
            vm.prank(trainers[i]);
            market.leaveJob(jobId);
        }
        _round(jobId);
        _passChallenge(jobId);
        market.complete(jobId);
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(_withdraw(jobId, trainers[i]), 2001 + 2003, "the round was paid all the same");
        }
    }

    function test_ATermNeverChangesOnceAJobExists() external {
        // Whoever does whatever, a running job keeps terms, verifier and rule.
        uint256 jobId = _running(_terms(), 6);
        bytes memory terms = abi.encode(market.termsOf(jobId));
        address verifier = address(market.verifier());
        vm.prank(aggregator);
        market.rotateKey(jobId, keccak256("another key"));
        _create(_tokenTerms());
        _submitAll(jobId);
        _settle(_settlement(jobId, _exclude(Reason.Mismatch, _list(trainers[0]))));
        vm.prank(owner);
        market.abort(jobId);
        _round(jobId);
        _passChallenge(jobId);
        market.complete(jobId);
        vm.assertEq(abi.encode(market.termsOf(jobId)), terms, "terms");
        vm.assertEq(address(market.verifier()), verifier, "verifier");
    }

    function test_MissingNoticesAloneCostNobodyAnything() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        vm.prank(aggregator);
        market.missing(jobId, 1, _first(5));
        _settle(jobId);
        _passChallenge(jobId);
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(market.withdrawable(jobId, trainers[i]), 2001, "pay");
        }
        vm.assertEq(market.seatsOf(jobId).excludedLast, 0, "nobody is excluded");
    }

    /// @dev Everyone is kept; one of six does harm beyond the tolerance.
    function _harm(uint256 index) private {
        uint256[] memory weights = new uint256[](6);
        int256[] memory contributions = new int256[](6);
        for (uint256 i = 0; i < 6; ++i) {
            weights[i] = 1;
            contributions[i] = i == index ? int256(-10) : int256(10);
        }
        rule.set(weights, contributions);
    }
}
