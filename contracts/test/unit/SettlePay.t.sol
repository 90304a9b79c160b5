// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Exclusion, Phase, Progress, Reason, Seats, Settlement, Terms} from "../../src/Types.sol";
import {Step} from "../../src/interfaces/IRoundVerifier.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Base} from "../Base.sol";

contract SettlePayTest is Base {
    uint256[] private _weights;
    int256[] private _contributions;

    function test_Given_PaidInTheNativeCoin() external {
        _pays(_terms());
    }

    function test_Given_PaidInAToken() external {
        _pays(_tokenTerms());
    }

    function test_When_NobodyContributed() external {
        uint256 jobId = _submitted(_terms(), 5);
        _answer([int256(0), 0, -7, 0, 0]);
        Books memory expected = _books(jobId);
        _settle(jobId);
        _passChallenge(jobId);
        _assertBooks(jobId, expected);
        vm.assertEq(market.progressOf(jobId).settledRounds, 1, "settled all the same");
    }

    function test_When_OneTakesAll() external {
        uint256 jobId = _submitted(_terms(), 5);
        _answer([int256(0), 1, -1, 0, 0]);
        Books memory expected = _books(jobId);
        _settle(jobId);
        _passChallenge(jobId);
        expected.ledger.escrow -= 10_007;
        expected.withdrawable[TRAINER + 1] = 10_007;
        _assertBooks(jobId, expected);
    }

    function test_Given_NoReference() external {
        uint256 jobId = _running(_terms(), 5);
        _submitTrainers(jobId);
        _passSubmissions(jobId);
        _answer([int256(10), 10, -1000, 10, 10]);
        _settle(jobId);
        vm.assertEq(market.progressOf(jobId).referenceRounds, 0, "the referee earned nothing");
        vm.assertEq(market.trainerOf(jobId, trainers[2]).strikes, 0, "without reference no strike");
    }

    function test_When_TheReferenceIsExcluded() external {
        uint256 jobId = _submitted(_terms(), 5);
        vm.expectEmit(address(market));
        emit ITrainingMarket.Excluded(jobId, 1, referee, Reason.Mismatch, _cid("evidence"));
        _settle(_settlement(jobId, _exclude(Reason.Mismatch, _list(referee))));
        vm.assertEq(market.progressOf(jobId).referenceRounds, 0, "the referee earned nothing");
        vm.assertEq(market.progressOf(jobId).settledRounds, 1, "the round counts");
    }

    function test_When_TheReferenceIsUnavailable() external {
        uint256 jobId = _submitted(_terms(), 5);
        vm.prank(aggregator);
        market.missing(jobId, 1, _list(referee));
        _passDelivery(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.Excluded(jobId, 1, referee, Reason.Unavailable, "");
        _settle(_settlement(jobId, _exclude(Reason.Unavailable, _list(referee))));
        vm.assertEq(market.progressOf(jobId).referenceRounds, 0, "the referee earned nothing");
    }

    function test_When_ATrainerIsUnavailable() external {
        uint256 jobId = _submitted(_terms(), 7);
        vm.prank(aggregator);
        market.missing(jobId, 1, _first(2));
        vm.warp(START + 601);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectEmit(address(market));
            emit ITrainingMarket.Excluded(jobId, 1, trainers[i], Reason.Unavailable, "");
        }
        _settle(_settlement(jobId, _exclude(Reason.Unavailable, _first(2))));
        vm.assertEq(market.progressOf(jobId).settledRounds, 1, "more than f unavailable ones void nothing");
        vm.assertEq(market.seatsOf(jobId).excludedLast, 3, "the excluded");
    }

    function test_When_ATrainerIsFaulty() external {
        Reason[3] memory reasons = [Reason.Undecryptable, Reason.Mismatch, Reason.OutOfRange];
        for (uint256 i = 0; i < 3; ++i) {
            uint256 jobId = _submitted(_terms(), 6);
            Exclusion[] memory list = _exclude(reasons[i], _list(trainers[i]));
            vm.expectEmit(address(market));
            emit ITrainingMarket.Excluded(jobId, 1, trainers[i], reasons[i], _cid("evidence"));
            _settle(_settlement(jobId, list));
            _passChallenge(jobId);
            vm.assertEq(market.withdrawable(jobId, trainers[i]), 0, "pay of the excluded");
            vm.assertEq(market.withdrawable(jobId, trainers[4]), 2001, "pay of the others");
        }
    }

    function test_When_TheContextChanges() external {
        // The verifier sees one context per settlement; whatever a proof is bound to changes it.
        uint256 jobId = _submitted(_terms(), 6);
        Settlement memory settlement = _settlement(jobId, _exclude(Reason.Mismatch, _list(trainers[5])));
        bytes32 identity = keccak256(
            abi.encode(
                block.chainid,
                address(market),
                jobId,
                owner,
                market.termsOf(jobId),
                keccak256(_specification())
            )
        );
        bytes32 exclusions =
            keccak256(abi.encode(bytes32(0), trainers[5], Reason.Mismatch, keccak256(_cid("evidence"))));
        bytes32 context = keccak256(
            abi.encode(
                identity,
                uint256(1),
                aggregator,
                _first(5),
                exclusions,
                uint256(1),
                keccak256(_model(0)),
                _cid("aggregate")
            )
        );
        uint256[] memory weights = new uint256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            weights[i] = 13_107;
        }
        bytes memory call = abi.encodeCall(
            market.verifier().verifyStep,
            (
                context,
                settlement.commitments,
                settlement.gram,
                settlement.proof,
                Step(weights, _model(0), _model(1))
            )
        );
        vm.expectCall(address(market.verifier()), call, 1);
        _settle(settlement);
    }

    function test_Given_EarlierPayIsNotWithdrawn() external {
        uint256 jobId = _submitted(_terms(), 5);
        _settle(jobId);
        _round(jobId);
        _round(jobId);
        vm.assertEq(market.trainerOf(jobId, trainers[0]).credit, 4002, "credit");
        vm.assertEq(market.trainerOf(jobId, trainers[0]).pending, 2001, "pending");
        vm.assertEq(market.trainerOf(jobId, trainers[0]).pendingRound, 3, "pending round");
    }

    function test_Given_TheLastSecond() external {
        uint256 jobId = _submitted(_terms(), 5);
        vm.warp(START + 1100);
        _assertPhase(jobId, Phase.Settling);
        _settle(jobId);
        vm.assertEq(market.progressOf(jobId).lastSettledRound, 1, "settled");
    }

    function _submitted(Terms memory terms, uint256 count) private returns (uint256 jobId) {
        jobId = _running(terms, count);
        _submitAll(jobId);
    }

    function _answer(int256[5] memory contributions) private {
        delete _weights;
        delete _contributions;
        for (uint256 i = 0; i < 5; ++i) {
            _weights.push(13_000 + i);
            _contributions.push(contributions[i]);
        }
        rule.set(_weights, _contributions);
    }

    function _pays(Terms memory terms) private {
        uint256 jobId = _submitted(terms, 6);
        _answer([int256(3), -1, 4, 1, 5]);
        Settlement memory settlement = _settlement(jobId, _exclude(Reason.Mismatch, _list(trainers[5])));
        settlement.proof = "proof";
        Books memory expected = _books(jobId);
        uint256[] memory payouts = new uint256[](5);
        // 10,007 in parts of 13, rounded down.
        (payouts[0], payouts[2], payouts[3], payouts[4]) = (2309, 3079, 769, 3848);
        vm.expectEmit(address(market));
        emit ITrainingMarket.Excluded(jobId, 1, trainers[5], Reason.Mismatch, _cid("evidence"));
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundScored(jobId, 1, _first(5), _weights, _contributions, payouts);
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundSettled(
            jobId, 1, settlement.gram, settlement.commitments, _model(1), _cid("aggregate"), settlement.proof
        );
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundOpened(jobId, 2, START + 1000, KEY, keccak256(_model(1)));
        _settle(settlement);

        expected.ledger.escrow -= 10_005;
        _assertBooks(jobId, expected);
        vm.warp(START + 400);
        _assertBooks(jobId, expected);
        vm.warp(START + 401);
        for (uint256 i = 0; i < 5; ++i) {
            expected.withdrawable[TRAINER + i] = payouts[i];
        }
        _assertBooks(jobId, expected);
        _assertProgress(jobId);
    }

    function _assertProgress(uint256 jobId) private view {
        Progress memory progress = market.progressOf(jobId);
        vm.assertEq(progress.round, 2, "round");
        vm.assertEq(progress.lastSettledRound, 1, "last settled round");
        vm.assertEq(progress.settledRounds, 1, "settled rounds");
        vm.assertEq(progress.referenceRounds, 1, "rounds with a reference");
        vm.assertEq(progress.failuresInARow, 0, "failures in a row");
        vm.assertEq(progress.challengeEnd, START + 400, "end of the challenge window");
        Seats memory seats = market.seatsOf(jobId);
        vm.assertEq(seats.settledSubmitters, 63, "those who can flag");
        vm.assertEq(seats.flags, 0, "flags");
        vm.assertEq(seats.submitted, 0, "those who submitted in round 2");
        (,,,, bytes32 model) = market.identityOf(jobId);
        vm.assertEq(model, keccak256(_model(1)), "model");
    }
}
