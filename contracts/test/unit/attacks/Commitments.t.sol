// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Exclusion, Reason, Settlement} from "../../../src/Types.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Base} from "../../Base.sol";

contract CommitmentsTest is Base {
    function test_ACopiedCommitmentBlocksNobodyAndEarnsNothing() external {
        // The copier sees hash and CID in the mempool and is first. Its envelope opens under its own context only, so it
        // can't open what it copied.
        uint256 jobId = _running(_terms(), 6);
        bytes32 copied = keccak256(_commitment(jobId, trainers[1], 1));
        vm.prank(trainers[0]);
        market.submit(jobId, 1, copied, _cid("envelope"));
        for (uint256 i = 1; i < 6; ++i) {
            _submit(jobId, trainers[i]);
        }
        vm.assertEq(market.submissionOf(jobId, trainers[1]), copied, "the original is taken");
        _passSubmissions(jobId);
        _settle(_settlement(jobId, _exclude(Reason.Mismatch, _list(trainers[0]))));
        _passChallenge(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[0]), 0, "the copier");
        vm.assertEq(market.withdrawable(jobId, trainers[1]), 2001, "the original");
    }

    function test_ACommitmentOfAnotherRoundOrJobDoesNotSettle() external {
        uint256 first = _running(_terms(), 5);
        uint256 second = _running(_terms(), 5);
        _submitAll(first);
        _submitAll(second);
        Settlement memory settlement = _settlement(second);
        settlement.commitments = _settlement(first).commitments;
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.Market_CommitmentMismatch.selector,
                trainers[0],
                keccak256(_commitment(first, trainers[0], 1)),
                keccak256(_commitment(second, trainers[0], 1))
            )
        );
        vm.prank(aggregator);
        market.settle(settlement);
    }

    function test_OneCommitmentDoesNotPassForTwo() external {
        // Two commitments of one size that are cut elsewhere hash to something else.
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        Settlement memory settlement = _settlement(jobId);
        settlement.commitments = bytes.concat(settlement.commitments, new bytes(6));
        vm.expectRevert();
        vm.prank(aggregator);
        market.settle(settlement);
    }

    function test_TheAggregatorCanNotNameItselfOrAnybodyWhoDidNotSubmit() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        address[5] memory ghosts = [aggregator, owner, referee, stranger, address(market)];
        for (uint256 i = 0; i < ghosts.length; ++i) {
            Settlement memory settlement = _settlement(jobId);
            settlement.trainers[2] = ghosts[i];
            settlement.trainers = _ascending(settlement.trainers);
            vm.expectRevert();
            vm.prank(aggregator);
            market.settle(settlement);
            settlement = _settlement(jobId);
            settlement.exclusions = new Exclusion[](1);
            settlement.exclusions[0] = _exclusion(stranger, Reason.Mismatch);
            vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotSubmitted.selector, jobId, 1, stranger));
            vm.prank(aggregator);
            market.settle(settlement);
        }
    }

    function test_ASettlementCanNotBeCopiedByAnother() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        Settlement memory settlement = _settlement(jobId);
        address[4] memory others = [trainers[0], owner, referee, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(Errors.Market_NotAuthorised.selector, others[i], aggregator)
            );
            vm.prank(others[i]);
            market.settle(settlement);
        }
    }

    function testFuzz_AnyFlippedBitOfASettlementIsRefusedOrChangesNobodysMoney(uint256 place) external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        bytes memory call = abi.encodeCall(market.settle, (_settlement(jobId)));
        place %= 8 * (call.length - 4);
        call[4 + place / 8] ^= bytes1(uint8(1 << (place % 8)));
        Books memory before = _books(jobId);
        vm.prank(aggregator);
        (bool done,) = address(market).call(call);
        if (!done) return _assertBooks(jobId, before);
        // Only the matrix, the proof and the aggregate's digest are free; the rule here pays all alike.
        before.ledger.escrow -= 10_005;
        _assertBooks(jobId, before);
        vm.assertEq(market.progressOf(jobId).settledRounds, 1, "settled");
    }
}
