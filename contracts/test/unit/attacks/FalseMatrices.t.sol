// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Settlement, Terms} from "../../../src/Types.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {RewardSchedule} from "../../../src/libraries/RewardSchedule.sol";
import {Refuting} from "../../Refuting.sol";

/// @notice Who tries to gain by a refutation, or by a matrix that can be refuted.
contract FalseMatricesTest is Refuting {
    function test_WhoCopiesTheTransactionOfARefutationGetsNothing() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms());
        _announce(stranger, jobId, 1, _witness(6));
        _nextBlock();
        // The thief sees the transaction before it is mined and comes first, with everything that it holds.
        address thief = trainers[9];
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.Refutations_NotAnnounced.selector, _sealed(thief, jobId, 1, _witness(6))
            )
        );
        _refute(thief, settlement, _witness(6));
        // Announcing it now is one block too late, however the transactions are ordered.
        _announce(thief, jobId, 1, _witness(6));
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.Refutations_AnnouncedInThisBlock.selector, uint256(vm.getBlockNumber())
            )
        );
        _refute(thief, settlement, _witness(6));
        _refute(stranger, settlement, _witness(6));
        vm.assertEq(market.withdrawable(jobId, stranger), 11_009, "the challenger's reward");
        vm.assertEq(market.withdrawable(jobId, thief), 0, "the thief's");
    }

    function test_WhoCopiesAnAnnouncementHasAnnouncedNothingOfItsOwn() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms());
        bytes32 sealedRefutation = _sealed(stranger, jobId, 1, _witness(6));
        address thief = trainers[9];
        vm.prank(thief);
        market.refutations().announce(sealedRefutation);
        _announce(stranger, jobId, 1, _witness(6));
        _nextBlock();
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.Refutations_NotAnnounced.selector, _sealed(thief, jobId, 1, _witness(6))
            )
        );
        _refute(thief, settlement, _witness(6));
        _refute(stranger, settlement, _witness(6));
        vm.assertEq(market.withdrawable(jobId, stranger), 11_009, "the challenger's reward");
    }

    /// @dev For any terms, and whoever colludes: aggregator and owner, aggregator and trainers, or all but one trainer.
    function testFuzz_AnAggregatorThatRefutesItselfLoses(
        uint96 reward,
        uint96 spare,
        uint96 fee,
        uint8 expired
    ) external {
        Terms memory terms = _terms();
        terms.rounds = 9;
        terms.rewardPerRound = uint96(uint256(reward) % 2 ** 80) + 1;
        terms.rewardDecay = uint8(uint256(expired) / 3 % 3);
        uint256 most = RewardSchedule.rewardDown(terms.rewardPerRound, terms.rewardDecay, 9, 0);
        terms.penalty = uint96((most * 11 + 9) / 10);
        terms.bond = uint96(2 * uint256(terms.penalty) + uint256(spare) % 2 ** 80);
        terms.aggregatorFeePerRound = uint96(uint256(fee) % 2 ** 80);
        uint256 jobId = _running(terms, 5);
        uint256 others = 0;
        for (uint256 i = 0; i < uint256(expired) % 3; ++i) {
            _submitAll(jobId);
            _passSettlement(jobId);
            market.expire(jobId, 2 * i + 1);
            _submitAll(jobId);
            if (i + 1 < uint256(expired) % 3) _settle(jobId);
            others = i + 1;
        }
        if (others == 0) _submitAll(jobId);
        uint256 shares = _totalOfTrainers(jobId);
        Settlement memory settlement = _settleLie(jobId);
        uint256 earned = uint256(market.progressOf(jobId).settledRounds - 1) * terms.aggregatorFeePerRound;
        _refuteLie(stranger, settlement);
        // What is lost of the bond is burned, or was paid to submitters for rounds that expired.
        uint256 back = market.withdrawable(jobId, aggregator) - earned + market.withdrawable(jobId, stranger);
        uint256 lost = terms.bond - back;
        vm.assertGt(lost, most, "no round is worth as much");
        vm.assertEq(_totalOfTrainers(jobId), shares + 5 * uint256(terms.stake), "trainers gain nothing by it");
    }

    function test_AFalseRefutationCostsItsSenderGasAndDelaysNothing() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        Settlement memory settlement;
        (settlement.jobId, settlement.round, settlement.modelCommitment) = (jobId, 1, _model(0));
        settlement.gram = _gram(6);
        bytes32 progress = keccak256(abi.encode(market.progressOf(jobId)));
        bytes32 seats = keccak256(abi.encode(market.seatsOf(jobId)));
        Books memory expected = _books(jobId);
        for (uint256 i = 0; i < 20; ++i) {
            _announce(stranger, jobId, 1, abi.encodePacked(_witness(5), int64(int256(i))));
        }
        _nextBlock();
        for (uint256 i = 0; i < 20; ++i) {
            vm.expectRevert();
            _refute(stranger, settlement, abi.encodePacked(_witness(5), int64(int256(i))));
        }
        _assertBooks(jobId, expected);
        vm.assertEq(keccak256(abi.encode(market.progressOf(jobId))), progress, "no deadline moved");
        vm.assertEq(keccak256(abi.encode(market.seatsOf(jobId))), seats, "nobody was touched");
        _round(jobId);
        vm.assertEq(
            market.progressOf(jobId).settledRounds, 2, "the next round settles as if nothing had been"
        );
    }

    function test_ARefutationOfWhatAReorganisationReplacedCostsOnlyItsGas() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        uint256 fork = vm.snapshotState();
        Settlement memory lie = _settleLie(jobId);
        _announce(stranger, jobId, 1, _witness(6));
        // The other branch wins: there the aggregator settled an honest matrix. The announcement is mined again.
        vm.assertTrue(vm.revertToState(fork), "the other branch");
        _settle(jobId);
        _announce(stranger, jobId, 1, _witness(6));
        _nextBlock();
        Books memory expected = _books(jobId);
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.Market_MatrixMismatch.selector,
                keccak256(bytes.concat(keccak256(_model(0)), lie.gram)),
                keccak256(bytes.concat(keccak256(_model(0)), _gram(6)))
            )
        );
        _refute(stranger, lie, _witness(6));
        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Running);
    }

    /// @dev Whoever is asked in the last second has announced before, or is too late by its own doing.
    function test_ARefutationInTheLastSecondCounts() external {
        for (uint256 late = 0; late < 2; ++late) {
            (uint256 jobId, Settlement memory settlement) = _lied(_terms());
            uint256 end = market.progressOf(jobId).challengeEnd;
            _announce(stranger, jobId, 1, _witness(6));
            _nextBlock();
            vm.warp(end + late);
            if (late == 1) {
                vm.expectRevert(abi.encodeWithSelector(Errors.Market_TooLate.selector, end + 1, end));
            }
            _refute(stranger, settlement, _witness(6));
            _assertState(jobId, late == 1 ? JobState.Running : JobState.Aborted);
        }
    }

    /// @dev The aggregator settles before its last second, or loses the penalty; nobody can be kept from refuting.
    function test_TheNextSettlementWaitsForTheEndOfTheChallengeWindow() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms());
        uint256 end = market.progressOf(jobId).challengeEnd;
        _submitAll(jobId);
        vm.warp(end);
        Settlement memory next = _settlement(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_TooEarly.selector, end, end));
        vm.prank(aggregator);
        market.settle(next);
        _refuteLie(stranger, settlement);
        _assertState(jobId, JobState.Aborted);
    }

    /// @dev Colluders who flag their own round first keep its pay, but the penalty exceeds it.
    function test_FlaggingAFalseRoundBeforeItIsRefutedStillLoses() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms());
        _announce(stranger, jobId, 1, _witness(6));
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(trainers[i]);
            market.flag(jobId, 1);
        }
        _nextBlock();
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.Market_WrongState.selector, jobId, JobState.Aborted, JobState.Running
            )
        );
        _refute(stranger, settlement, _witness(6));
        uint256 lost = _terms().bond - market.withdrawable(jobId, aggregator);
        uint256 paid = _totalOfTrainers(jobId) - 5 * uint256(_terms().stake);
        vm.assertGt(lost, paid, "the penalty, and the fee on top of it");
    }

    /// @dev Whoever sees the refutation coming finds nothing that it could take away first.
    function test_NeitherBondNorFeesNorPayCanLeaveInFrontOfARefutation() external {
        Terms memory terms = _terms();
        terms.rounds = 2;
        uint256 jobId = _running(terms, 5);
        _round(jobId);
        _submitAll(jobId);
        vm.prank(trainers[0]);
        market.leaveJob(jobId);
        Settlement memory settlement = _settleLie(jobId);
        _announce(stranger, jobId, 2, _witness(6));
        _nextBlock();
        uint256 end = market.progressOf(jobId).challengeEnd;
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_TooEarly.selector, end, end));
        market.complete(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NothingToWithdraw.selector, jobId, aggregator));
        vm.prank(aggregator);
        market.withdraw(jobId, aggregator);
        vm.assertEq(_withdraw(jobId, trainers[0]), 2001, "the first round's pay alone, and no stake");
        _refute(stranger, settlement, _witness(6));
        vm.assertEq(market.withdrawable(jobId, aggregator), 1009, "the first round's fee alone");
        vm.assertEq(market.withdrawable(jobId, trainers[0]), 2003, "the stake, and no more pay");
    }

    /// @dev What is burned waits for the end, so that a refutation finds it.
    function test_NobodyBurnsAStakeThatARefutationWouldGiveBack() external {
        Terms memory terms = _terms();
        terms.strikeLimit = 1;
        uint256 jobId = _running(terms, 5);
        uint256[] memory weights = new uint256[](5);
        int256[] memory contributions = new int256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            (weights[i], contributions[i]) = (1, i == 2 ? -int256(100) : int256(10));
        }
        rule.set(weights, contributions);
        _submitAll(jobId);
        Settlement memory settlement = _settleLie(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotEnded.selector, jobId, JobState.Running));
        market.burn(jobId);
        _refuteLie(stranger, settlement);
        vm.assertEq(_withdraw(jobId, trainers[2]), 2003, "the stake of the one that the lie struck out");
        vm.assertEq(market.burn(jobId), 11_010, "half of the bond");
    }

    /// @dev After a refutation everybody gets its own, and nothing is left.
    function test_EverythingAddsUpAfterARefutation() external {
        Terms memory terms = _tokenTerms();
        uint256 jobId = _running(terms, 5);
        _round(jobId);
        _submitAll(jobId);
        Settlement memory settlement = _settleLie(jobId);
        _refuteLie(trainers[0], settlement);
        uint256 out = 0;
        address[4] memory parties = [owner, aggregator, referee, stranger];
        for (uint256 i = 0; i < 4; ++i) {
            if (market.withdrawable(jobId, parties[i]) != 0) out += _withdraw(jobId, parties[i]);
        }
        for (uint256 i = 0; i < 5; ++i) {
            out += _withdraw(jobId, trainers[i]);
        }
        out += market.burn(jobId);
        vm.assertEq(out, _deposit(terms) + terms.bond + 5 * uint256(terms.stake), "what went in");
        vm.assertEq(token.balanceOf(address(market)), 0, "nothing is left");
    }

    /// @dev 128 trainers who are all paid, and nine vectors of the referee.
    function test_TheLargestRefutationFitsATransaction() external {
        delete trainers;
        for (uint256 i = 0; i < 128; ++i) {
            trainers.push(_account(string.concat("one of many ", vm.toString(i))));
        }
        trainers = _ascending(trainers);
        Terms memory terms = _terms();
        (terms.maxTrainers, terms.references) = (128, 9);
        uint256 jobId = _running(terms, 128);
        _submitTrainers(jobId);
        bytes memory references = new bytes(288);
        vm.prank(referee);
        market.submitReference(jobId, 1, keccak256(references), _cid("reference"));
        market.closeSubmissions(jobId, 1);
        Settlement memory settlement = _settlement(jobId);
        bytes memory commitments = settlement.commitments;
        // Behind the trainers' stands one word for the reference, which has nine here.
        assembly ("memory-safe") {
            mstore(commitments, 4096)
        }
        settlement.commitments = bytes.concat(commitments, references);
        settlement.gram = _lie(137);
        _settle(settlement);
        bytes memory x = _witness(137);
        _announce(stranger, jobId, 1, x);
        _nextBlock();
        bytes memory call = abi.encodeCall(
            market.refuteGram, (jobId, 1, keccak256(settlement.modelCommitment), settlement.gram, x)
        );
        vm.prank(stranger);
        uint256 before = gasleft();
        (bool done,) = address(market).call(call);
        // With each byte of calldata at the price of one that is not zero.
        uint256 used = before - gasleft() + 21_000 + 16 * call.length;
        vm.assertTrue(done, "refuted");
        vm.assertLt(used, 2 ** 24, "gas");
        vm.assertEq(market.withdrawable(jobId, trainers[127]), 2003, "the stake, and no pay");
    }

    /* HELPERS */

    function _lied(Terms memory terms) private returns (uint256 jobId, Settlement memory settlement) {
        jobId = _running(terms, 5);
        _submitAll(jobId);
        settlement = _settleLie(jobId);
    }

    /// @dev What the trainers can withdraw, and by the end of the job their stakes.
    function _totalOfTrainers(uint256 jobId) private view returns (uint256 total) {
        for (uint256 i = 0; i < 5; ++i) {
            total += market.withdrawable(jobId, trainers[i]);
        }
    }
}
