// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Seats, Terms, Trainer, TrainerStatus} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract JoinTest is Base {
    bytes32[] private _noProof;

    function test_RevertGiven_NoSuchJob() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
        market.join(1, 0, _noProof);
    }

    function test_RevertGiven_ItIsNotAccepted() external {
        uint256 jobId = _create(_terms());
        _refuses(jobId, trainers[0], abi.encodeWithSelector(Errors.Market_NotAccepted.selector, jobId));
    }

    function test_RevertGiven_TheJobHasEnded() external {
        uint256 jobId = _joined(_terms(), 0);
        vm.prank(owner);
        market.abort(jobId);
        _refuses(jobId, trainers[0], abi.encodeWithSelector(Errors.Market_Ending.selector, jobId));
    }

    function test_RevertGiven_TheStartDeadlineHasPassed() external {
        uint256 jobId = _joined(_terms(), 0);
        uint256 deadline = market.termsOf(jobId).startDeadline;
        vm.warp(deadline + 1);
        bytes memory reason = abi.encodeWithSelector(Errors.Market_TooLate.selector, deadline + 1, deadline);
        _refuses(jobId, trainers[0], reason);
    }

    function test_RevertGiven_TheLastRoundIsOpen() external {
        Terms memory terms = _terms();
        terms.rounds = 1;
        uint256 jobId = _running(terms, 5);
        _refuses(jobId, trainers[5], abi.encodeWithSelector(Errors.Market_Ending.selector, jobId));
    }

    function test_RevertGiven_TheOwnerAskedToAbort() external {
        uint256 jobId = _running(_terms(), 5);
        vm.prank(owner);
        market.abort(jobId);
        _refuses(jobId, trainers[5], abi.encodeWithSelector(Errors.Market_Ending.selector, jobId));
    }

    function test_RevertGiven_AllSeatsAreTaken() external {
        uint256 jobId = _joined(_terms(), 8);
        _refuses(jobId, trainers[8], abi.encodeWithSelector(Errors.Market_NoFreeSeat.selector, jobId, 8));
    }

    function test_RevertGiven_AllSeatsAreTakenByThoseToCome() external {
        uint256 jobId = _running(_terms(), 7);
        _join(jobId, trainers[7]);
        _refuses(jobId, trainers[8], abi.encodeWithSelector(Errors.Market_NoFreeSeat.selector, jobId, 8));
    }

    function test_RevertGiven_TheOnlyFreeSeatCanStillFlag() external {
        Terms memory terms = _terms();
        terms.maxTrainers = 6;
        uint256 jobId = _running(terms, 6);
        vm.prank(trainers[0]);
        market.leaveJob(jobId);
        _round(jobId);
        vm.warp(market.progressOf(jobId).challengeEnd);
        _refuses(jobId, trainers[8], abi.encodeWithSelector(Errors.Market_NoFreeSeat.selector, jobId, 6));
    }

    function test_Given_TheFreeSeatCanNoLongerFlag() external {
        Terms memory terms = _terms();
        terms.maxTrainers = 6;
        uint256 jobId = _running(terms, 6);
        vm.prank(trainers[0]);
        market.leaveJob(jobId);
        _round(jobId);
        _passChallenge(jobId);
        _join(jobId, trainers[8]);
        vm.assertEq(market.trainerOf(jobId, trainers[8]).seat, 0, "the seat of the one who left");
        vm.assertEq(market.seatHolder(jobId, 0), trainers[8], "its holder");
    }

    function test_RevertWhen_TheDigestIsAnother() external {
        uint256 jobId = _joined(_terms(), 0);
        bytes32 digest = market.joinDigest(jobId);
        vm.prank(aggregator);
        market.rotateKey(jobId, keccak256("another key"));
        bytes32 current = market.joinDigest(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_TermsChanged.selector, digest, current));
        vm.prank(trainers[0]);
        market.join(jobId, digest, _noProof);
    }

    function test_RevertWhen_TheCallerIsTheOwner() external {
        _refusesParty(owner);
    }

    function test_RevertWhen_TheCallerIsTheAggregator() external {
        _refusesParty(aggregator);
    }

    function test_RevertWhen_TheCallerIsTheReferee() external {
        _refusesParty(referee);
    }

    function test_RevertWhen_TheCallerHasJoined() external {
        uint256 jobId = _joined(_terms(), 1);
        bytes memory reason =
            abi.encodeWithSelector(Errors.Market_AlreadyJoined.selector, trainers[0], TrainerStatus.Staked);
        _refuses(jobId, trainers[0], reason);
    }

    function test_RevertWhen_TheCallerIsNotOnTheAllowlist() external {
        Terms memory terms = _terms();
        terms.allowlistRoot = _pair(_leaf(trainers[0]), _leaf(trainers[1]));
        uint256 jobId = _joined(terms, 0);
        bytes memory reason =
            abi.encodeWithSelector(Errors.Market_NotAllowlisted.selector, trainers[2], terms.allowlistRoot);
        _refuses(jobId, trainers[2], reason);
    }

    function test_When_TheCallerIsOnTheAllowlist() external {
        Terms memory terms = _terms();
        terms.allowlistRoot = _pair(_leaf(trainers[0]), _leaf(trainers[1]));
        uint256 jobId = _joined(terms, 0);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _leaf(trainers[1]);
        bytes32 digest = market.joinDigest(jobId);
        vm.deal(trainers[0], terms.stake);
        vm.prank(trainers[0]);
        market.join{value: terms.stake}(jobId, digest, proof);
        vm.assertEq(market.seatHolder(jobId, 0), trainers[0], "the first seat");
    }

    function test_RevertWhen_TheStakeIsNotSent() external {
        uint256 jobId = _joined(_terms(), 0);
        bytes32 digest = market.joinDigest(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_WrongValue.selector, 0, 2003));
        vm.prank(trainers[0]);
        market.join(jobId, digest, _noProof);
    }

    function test_When_TheStakeIsZero() external {
        Terms memory terms = _tokenTerms();
        terms.stake = 0;
        terms.absencePenalty = 0;
        uint256 jobId = _joined(terms, 0);
        Books memory expected = _books(jobId);
        _join(jobId, trainers[0]);
        _assertBooks(jobId, expected);
        vm.assertEq(market.seatHolder(jobId, 0), trainers[0], "the first seat");
    }

    function test_When_OpenAndPaidInTheNativeCoin() external {
        uint256 jobId = _joined(_terms(), 2);
        vm.warp(market.termsOf(jobId).startDeadline);
        _joins(jobId, 2, 1);
    }

    function test_When_OpenAndPaidInAToken() external {
        _joins(_joined(_tokenTerms(), 2), 2, 1);
    }

    function test_When_RunningAndPaidInTheNativeCoin() external {
        uint256 jobId = _running(_terms(), 5);
        _joins(jobId, 5, 2);
        Seats memory seats = market.seatsOf(jobId);
        vm.assertEq(seats.active, 31, "those active");
        vm.assertEq(seats.joining, 32, "those to come");
        _round(jobId);
        vm.assertEq(market.seatsOf(jobId).active, 63, "those active in the next round");
        vm.assertEq(market.seatsOf(jobId).joining, 0, "those to come then");
    }

    function test_When_RunningAndPaidInAToken() external {
        _joins(_running(_tokenTerms(), 5), 5, 2);
    }

    function _joins(uint256 jobId, uint256 index, uint256 fromRound) private {
        Terms memory terms = market.termsOf(jobId);
        address trainer = trainers[index];
        uint256 value = _fund(terms.token, trainer, terms.stake);
        bytes32 digest = market.joinDigest(jobId);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.TrainerJoined(jobId, trainer, index, fromRound);
        vm.prank(trainer);
        market.join{value: value}(jobId, digest, _noProof);

        expected.balance[TRAINER + index] -= terms.stake;
        expected.market += terms.stake;
        _assertBooks(jobId, expected);
        Trainer memory record = market.trainerOf(jobId, trainer);
        vm.assertEq(record.seat, index, "seat");
        vm.assertEq(uint256(record.status), uint256(TrainerStatus.Staked), "status");
        vm.assertEq(market.seatHolder(jobId, index), trainer, "holder of the seat");
    }

    function _refusesParty(address party) private {
        uint256 jobId = _joined(_terms(), 0);
        _refuses(jobId, party, abi.encodeWithSelector(Errors.Market_PartyCannotTrain.selector, party));
    }

    function _refuses(uint256 jobId, address account, bytes memory reason) private {
        uint256 stake = market.termsOf(jobId).stake;
        vm.deal(account, stake);
        bytes32 digest = market.joinDigest(jobId);
        Books memory expected = _books(jobId);
        vm.expectRevert(reason);
        vm.prank(account);
        market.join{value: stake}(jobId, digest, _noProof);
        _assertBooks(jobId, expected);
    }

    function _leaf(address account) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(account))));
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }
}
