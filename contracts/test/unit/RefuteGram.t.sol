// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {
    Exclusion,
    JobState,
    Progress,
    Settlement,
    Terms,
    TrainerStatus,
    VoidCause
} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Refuting} from "../Refuting.sol";

contract RefuteGramTest is Refuting {
    /* STATE */

    function test_RevertGiven_NoSuchJob() external {
        Settlement memory nothing;
        nothing.jobId = 1;
        _refuses(nothing, "", abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
    }

    function test_RevertGiven_TheJobHasNotStarted() external {
        Settlement memory nothing;
        nothing.jobId = _joined(_terms(), 5);
        nothing.round = 1;
        _refuses(nothing, "", _wrongState(1, JobState.Open));
    }

    function test_RevertGiven_TheJobHasCompleted() external {
        Terms memory terms = _terms();
        terms.rounds = 1;
        (uint256 jobId, Settlement memory settlement) = _lied(terms, 5);
        _passChallenge(jobId);
        market.complete(jobId);
        _refuses(settlement, _witness(6), _wrongState(jobId, JobState.Completed));
    }

    function test_RevertGiven_TheJobWasFlaggedToItsEnd() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        _announce(stranger, jobId, 1, _witness(6));
        for (uint256 i = 0; i < 3; ++i) {
            _flag(jobId, i);
        }
        _nextBlock();
        Books memory expected = _books(jobId);
        _refuses(settlement, _witness(6), _wrongState(jobId, JobState.Aborted));
        _assertBooks(jobId, expected);
    }

    function test_RevertGiven_TheRoundWasRefutedBefore() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        _announce(trainers[0], jobId, 1, _witness(6));
        _refuteLie(stranger, settlement);
        vm.expectRevert(_wrongState(jobId, JobState.Aborted));
        _refute(trainers[0], settlement, _witness(6));
        _refuses(settlement, _witness(6), _wrongState(jobId, JobState.Aborted));
    }

    function test_RevertGiven_NoRoundWasSettled() external {
        Settlement memory nothing;
        nothing.jobId = _running(_terms(), 5);
        _refuses(nothing, "", _wrongRound(0, 0));
        nothing.round = 1;
        _refuses(nothing, "", _wrongRound(1, 0));
    }

    function test_RevertGiven_TheNextRoundWasSettled() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        _announce(stranger, jobId, 1, _witness(6));
        _round(jobId);
        _refuses(settlement, _witness(6), _wrongRound(1, 2));
        // Nor does it help to call the old matrix the new round's.
        settlement.round = 2;
        _announce(stranger, jobId, 2, _witness(6));
        _nextBlock();
        Settlement memory current = settlement;
        current.gram = _lie(6);
        _refuses(current, _witness(6), _matrixMismatch(current, _model(1), _gram(6)));
    }

    function test_RevertGiven_TheChallengeWindowIsOver() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        _announce(stranger, jobId, 1, _witness(6));
        _nextBlock();
        vm.warp(START + 401);
        _refuses(
            settlement,
            _witness(6),
            abi.encodeWithSelector(Errors.Market_TooLate.selector, START + 401, START + 400)
        );
    }

    function test_Given_ItIsTheLastSecondOfTheChallengeWindow() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        vm.warp(START + 400);
        _refuteLie(stranger, settlement);
        _assertState(jobId, JobState.Aborted);
    }

    /* WHAT IS REFUTED */

    function test_RevertWhen_TheMatrixIsAnother() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        _announce(stranger, jobId, 1, _witness(6));
        _nextBlock();
        Settlement memory other = _copy(settlement);
        _writeEntry(other.gram, 1, -2);
        _refuses(other, _witness(6), _matrixMismatch(other, _model(0), settlement.gram));
        other.gram = bytes.concat(settlement.gram, hex"00");
        _refuses(other, _witness(6), _matrixMismatch(other, _model(0), settlement.gram));
        // The words before the matrix count with it: none can be moved from one to the other.
        other.gram = bytes.concat(keccak256(_model(0)), settlement.gram);
        _refuses(other, _witness(6), _matrixMismatch(other, _model(0), settlement.gram));
    }

    function test_RevertWhen_TheModelBeforeIsAnother() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        _announce(stranger, jobId, 1, _witness(6));
        _nextBlock();
        Settlement memory other = _copy(settlement);
        other.modelCommitment = _model(1);
        _refuses(other, _witness(6), _matrixMismatch(other, _model(0), settlement.gram));
    }

    /* ANNOUNCEMENTS */

    function test_RevertWhen_NothingWasAnnounced() external {
        (, Settlement memory settlement) = _lied(_terms(), 5);
        _refuses(settlement, _witness(6), _notAnnounced(settlement, _witness(6)));
    }

    function test_RevertWhen_SomebodyElseAnnouncedIt() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        _announce(trainers[0], jobId, 1, _witness(6));
        _nextBlock();
        _refuses(settlement, _witness(6), _notAnnounced(settlement, _witness(6)));
    }

    function test_RevertWhen_AnotherJobOrRoundOrVectorWasAnnounced() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        bytes memory other = _witness(6);
        _writeEntry(other, 0, 2);
        _announce(stranger, jobId + 1, 1, _witness(6));
        _announce(stranger, jobId, 2, _witness(6));
        _announce(stranger, jobId, 1, other);
        _nextBlock();
        _refuses(settlement, _witness(6), _notAnnounced(settlement, _witness(6)));
    }

    function test_RevertWhen_ItWasAnnouncedInTheSameBlock() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        _announce(stranger, jobId, 1, _witness(6));
        // Time alone is no block.
        vm.warp(START + 12);
        uint256 number = vm.getBlockNumber();
        _refuses(
            settlement,
            _witness(6),
            abi.encodeWithSelector(Errors.Refutations_AnnouncedInThisBlock.selector, number)
        );
        _nextBlock();
        _refute(stranger, settlement, _witness(6));
        _assertState(jobId, JobState.Aborted);
    }

    function test_When_ItWasAnnouncedBeforeTheSettlement() external {
        uint256 jobId = _running(_terms(), 5);
        _announce(stranger, jobId, 1, _witness(6));
        _submitAll(jobId);
        Settlement memory settlement = _settleLie(jobId);
        _nextBlock();
        _refute(stranger, settlement, _witness(6));
        _assertState(jobId, JobState.Aborted);
    }

    /* THE FORM */

    function test_RevertWhen_TheVectorHasAnotherLength() external {
        (, Settlement memory settlement) = _lied(_terms(), 5);
        for (uint256 length = 0; length < 64; ++length) {
            if (length == 48) continue;
            bytes memory x = new bytes(length);
            if (length >= 24) x = bytes.concat(_witness(3), new bytes(length - 24));
            _refusesAnnounced(
                settlement,
                x,
                abi.encodeWithSelector(Errors.Market_WrongLength.selector, bytes32("x"), length, 48)
            );
        }
    }

    function test_RevertWhen_TheFormIsZero() external {
        (, Settlement memory settlement) = _lied(_terms(), 5);
        _refusesAnnounced(settlement, new bytes(48), _notNegative(0));
        bytes memory x = new bytes(48);
        _writeEntry(x, 0, 1);
        _writeEntry(x, 1, 1);
        _refusesAnnounced(settlement, x, _notNegative(0));
    }

    function test_RevertWhen_TheFormIsPositive() external {
        (, Settlement memory settlement) = _lied(_terms(), 5);
        bytes memory x = _witness(6);
        _writeEntry(x, 0, -1);
        // 3 - 2 + 2 + 2: two of the products have changed their sign.
        _refusesAnnounced(settlement, x, _notNegative(5));
    }

    /// @dev No integers whatever refute a matrix that vectors have.
    function testFuzz_RevertWhen_TheMatrixBelongsToRealVectors(int16[15] memory entries, int64[6] memory x)
        external
    {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        Settlement memory settlement = _settlement(jobId);
        settlement.gram = _gramOf(entries);
        _settle(settlement);
        bytes memory packed = abi.encodePacked(x[0], x[1], x[2], x[3], x[4], x[5]);
        int256 value = market.refutations().evaluate(settlement.gram, packed);
        vm.assertTrue(value >= 0, "a sum of squares");
        _refusesAnnounced(settlement, packed, _notNegative(value));
    }

    function test_RevertWhen_TheMatrixBelongsToRealVectors() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        Settlement memory settlement;
        (settlement.jobId, settlement.round, settlement.modelCommitment) = (jobId, 1, _model(0));
        settlement.gram = _gram(6);
        _refusesAnnounced(settlement, _witness(6), _notNegative(3));
    }

    /* EFFECTS */

    function test_When_TheMatrixIsRefuted() external {
        _refutes(_terms());
    }

    function test_When_TheMatrixOfAJobInATokenIsRefuted() external {
        _refutes(_tokenTerms());
    }

    function test_Given_NoRoundIsOpen() external {
        Terms memory terms = _terms();
        terms.rounds = 1;
        (uint256 jobId, Settlement memory settlement) = _lied(terms, 5);
        vm.assertEq(uint256(market.progressOf(jobId).outcome), uint256(JobState.Completed), "outcome");
        _announce(stranger, jobId, 1, _witness(6));
        _nextBlock();
        Books memory expected = _books(jobId);
        vm.recordLogs();
        _refute(stranger, settlement, _witness(6));
        vm.assertEq(vm.getRecordedLogs().length, 2, "the refutation and the end; no round is void");
        _assertRefuted(jobId, expected, terms);
    }

    function test_Given_PenaltiesHaveTakenFromTheBond() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        _passSettlement(jobId);
        market.expire(jobId, 1);
        _submitAll(jobId);
        Settlement memory settlement = _settleLie(jobId);
        vm.assertEq(market.ledgerOf(jobId).bond, 11_010, "bond");
        uint256 burned = market.ledgerOf(jobId).burned;
        _refuteLie(stranger, settlement);
        vm.assertEq(market.withdrawable(jobId, stranger), 5505, "half of what is left");
        vm.assertEq(market.ledgerOf(jobId).burned, burned + 5505, "the other half");
        vm.assertEq(market.withdrawable(jobId, aggregator), 0, "nothing");
    }

    function test_Given_EarlierRoundsWerePaid() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        _submitAll(jobId);
        Settlement memory settlement = _settleLie(jobId);
        Books memory expected = _books(jobId);
        vm.assertEq(expected.withdrawable[TRAINER], 2001, "the first round's pay");
        _refuteLie(stranger, settlement);
        expected.withdrawable[OWNER] = _deposit(_terms()) - 10_005 - 1009 - 2 * 503;
        expected.withdrawable[AGGREGATOR] = 1009;
        expected.withdrawable[REFEREE] = 2 * 503;
        expected.withdrawable[STRANGER] = 11_009;
        for (uint256 i = 0; i < 5; ++i) {
            expected.withdrawable[TRAINER + i] = 2001 + 2003;
        }
        expected.ledger.escrow = 0;
        expected.ledger.bond = 0;
        expected.ledger.burned = 11_010;
        _assertBooks(jobId, expected);
        _assertModel(jobId, _model(1));
    }

    function test_Given_TheRoundStruckATrainerOut() external {
        Terms memory terms = _terms();
        terms.strikeLimit = 1;
        uint256 jobId = _running(terms, 6);
        _harmful(6, 2);
        _submitAll(jobId);
        Settlement memory settlement = _settleLie(jobId);
        vm.assertEq(market.ledgerOf(jobId).burned, 2003, "the stake");
        vm.assertEq(uint256(market.trainerOf(jobId, trainers[2]).status), uint256(TrainerStatus.Out), "out");
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotEnded.selector, jobId, JobState.Running));
        market.burn(jobId);
        _refuteLie(stranger, settlement);
        vm.assertEq(market.ledgerOf(jobId).burned, 11_010, "half of the bond alone");
        for (uint256 i = 0; i < 6; ++i) {
            vm.assertEq(market.withdrawable(jobId, trainers[i]), 2003, "every stake, and no pay");
        }
    }

    function test_Given_AnEarlierRoundStruckATrainerOut() external {
        Terms memory terms = _terms();
        terms.strikeLimit = 1;
        uint256 jobId = _running(terms, 6);
        _harmful(6, 2);
        _round(jobId);
        rule.reset();
        _submitAll(jobId);
        Settlement memory settlement = _settleLie(jobId);
        _refuteLie(stranger, settlement);
        vm.assertEq(market.ledgerOf(jobId).burned, 2003 + 11_010, "its stake and half of the bond");
        vm.assertEq(market.withdrawable(jobId, trainers[2]), 0, "the one that was struck out before");
    }

    function test_Given_ATrainerWhoLeftWasStruckOut() external {
        Terms memory terms = _terms();
        terms.strikeLimit = 1;
        uint256 jobId = _running(terms, 6);
        _harmful(6, 2);
        _submitAll(jobId);
        vm.prank(trainers[2]);
        market.leaveJob(jobId);
        Settlement memory settlement = _settleLie(jobId);
        vm.assertEq(market.ledgerOf(jobId).burned, 2003, "the stake");
        _refuteLie(stranger, settlement);
        vm.assertEq(market.withdrawable(jobId, trainers[2]), 2003, "its stake");
        _withdraw(jobId, trainers[2]);
        vm.assertEq(market.withdrawable(jobId, trainers[2]), 0, "once");
    }

    function test_Given_ATrainerLeftInTheRound() external {
        uint256 jobId = _running(_terms(), 6);
        vm.prank(trainers[2]);
        market.leaveJob(jobId);
        _submitAll(jobId);
        Settlement memory settlement = _settleLie(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[2]), 0, "locked in the challenge window");
        _refuteLie(stranger, settlement);
        vm.assertEq(market.withdrawable(jobId, trainers[2]), 2003, "its stake");
        vm.assertEq(market.ledgerOf(jobId).burned, 11_010, "half of the bond");
    }

    function test_Given_TheRoundRemovedATrainerForItsAbsence() external {
        uint256 jobId = _running(_terms(), 7);
        _roundWithout(jobId, 6);
        for (uint256 i = 0; i < 6; ++i) {
            _submit(jobId, trainers[i]);
        }
        _passSubmissions(jobId);
        Settlement memory settlement = _settleLie(jobId);
        vm.assertEq(market.ledgerOf(jobId).burned, 200, "the absence penalty");
        _refuteLie(stranger, settlement);
        vm.assertEq(market.ledgerOf(jobId).burned, 200 + 11_010, "it stays");
        vm.assertEq(market.withdrawable(jobId, trainers[6]), 2003 - 200, "the rest of the stake");
    }

    function test_Given_TheRoundHadNoReferee() external {
        Terms memory terms = _terms();
        (terms.referee, terms.references, terms.refereeFeePerRound) = (address(0), 0, 0);
        (uint256 jobId, Settlement memory settlement) = _lied(terms, 5);
        _refuteLie(stranger, settlement);
        vm.assertEq(market.withdrawable(jobId, owner), _deposit(terms), "the whole deposit");
        vm.assertEq(market.progressOf(jobId).referenceRounds, 0, "no round with a reference");
    }

    function test_Given_SomeHaveFlaggedTheRound() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        _flag(jobId, 0);
        _flag(jobId, 1);
        Books memory expected = _books(jobId);
        _refuteLie(stranger, settlement);
        _assertRefuted(jobId, expected, _terms());
    }

    function test_When_ItIsRefuted() external {
        (uint256 jobId, Settlement memory settlement) = _lied(_terms(), 5);
        _refuteLie(stranger, settlement);
        vm.expectRevert(_wrongState(jobId, JobState.Aborted));
        _flag(jobId, 0);
    }

    /* HELPERS */

    function _refutes(Terms memory terms) private {
        (uint256 jobId, Settlement memory settlement) = _lied(terms, 5);
        _assertModel(jobId, _model(1));
        _announce(stranger, jobId, 1, _witness(6));
        _nextBlock();
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.GramRefuted(jobId, 1, stranger, 11_009);
        vm.expectEmit(address(market));
        emit ITrainingMarket.RoundVoided(jobId, 2, VoidCause.Refuted);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobEnded(jobId, JobState.Aborted, 0, 503, 0, _deposit(terms) - 503);
        _refute(stranger, settlement, _witness(6));
        _assertRefuted(jobId, expected, terms);
        vm.assertEq(_withdraw(jobId, stranger), 11_009, "the reward can be had");
    }

    /// @dev The bond is halved, the round's pay and fee return to the owner, and the model is the one before.
    function _assertRefuted(uint256 jobId, Books memory expected, Terms memory terms) private view {
        expected.withdrawable[OWNER] = _deposit(terms) - 503;
        expected.withdrawable[AGGREGATOR] = 0;
        expected.withdrawable[REFEREE] = 503;
        expected.withdrawable[STRANGER] = 11_009;
        for (uint256 i = 0; i < 5; ++i) {
            expected.withdrawable[TRAINER + i] = 2003;
        }
        expected.ledger.escrow = 0;
        expected.ledger.bond = 0;
        expected.ledger.burned = 11_010;
        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Aborted);
        _assertModel(jobId, _model(0));
        Progress memory progress = market.progressOf(jobId);
        vm.assertFalse(progress.roundOpen, "no round is open");
        vm.assertEq(progress.settledRounds, 0, "no round is paid for");
    }

    function _assertModel(uint256 jobId, bytes memory model) private view {
        (,,,, bytes32 modelHash) = market.identityOf(jobId);
        vm.assertEq(modelHash, keccak256(model), "the model");
    }

    /// @dev A job whose first round was settled with a lie.
    function _lied(Terms memory terms, uint256 count)
        private
        returns (uint256 jobId, Settlement memory settlement)
    {
        jobId = _running(terms, count);
        _submitAll(jobId);
        settlement = _settleLie(jobId);
    }

    function _copy(Settlement memory settlement) private pure returns (Settlement memory) {
        return abi.decode(abi.encode(settlement), (Settlement));
    }

    /// @dev The matrix of five vectors with three coordinates, and the zero vector.
    function _gramOf(int16[15] memory entries) private pure returns (bytes memory gram) {
        gram = _gram(6);
        uint256 position = 0;
        for (uint256 i = 0; i < 6; ++i) {
            for (uint256 j = i; j < 6; ++j) {
                int64 product = 0;
                for (uint256 k = 0; i < 5 && j < 5 && k < 3; ++k) {
                    // Halved, so that they are in range.
                    product += int64(entries[3 * i + k] / 2) * (entries[3 * j + k] / 2);
                }
                _writeEntry(gram, position++, product);
            }
        }
    }

    function _harmful(uint256 count, uint256 index) private {
        uint256[] memory weights = new uint256[](count);
        int256[] memory contributions = new int256[](count);
        for (uint256 i = 0; i < count; ++i) {
            weights[i] = 1;
            contributions[i] = i == index ? -int256(100) : int256(10);
        }
        rule.set(weights, contributions);
    }

    function _roundWithout(uint256 jobId, uint256 index) private {
        for (uint256 i = 0; i < 7; ++i) {
            if (i != index) _submit(jobId, trainers[i]);
        }
        _passSubmissions(jobId);
        _settle(_settlement(jobId, new Exclusion[](0)));
    }

    function _flag(uint256 jobId, uint256 index) private {
        vm.prank(trainers[index]);
        market.flag(jobId, 1);
    }

    function _refuses(Settlement memory settlement, bytes memory x, bytes memory reason) private {
        vm.expectRevert(reason);
        _refute(stranger, settlement, x);
    }

    /// @dev Refused although it was announced in time.
    function _refusesAnnounced(Settlement memory settlement, bytes memory x, bytes memory reason) private {
        _announce(stranger, settlement.jobId, settlement.round, x);
        _nextBlock();
        Books memory expected = _books(settlement.jobId);
        _refuses(settlement, x, reason);
        _assertBooks(settlement.jobId, expected);
        _assertState(settlement.jobId, JobState.Running);
    }

    function _wrongState(uint256 jobId, JobState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_WrongState.selector, jobId, state, JobState.Running);
    }

    function _wrongRound(uint256 round, uint256 settled) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_WrongRound.selector, 1, round, settled);
    }

    function _matrixMismatch(Settlement memory given, bytes memory model, bytes memory gram)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            Errors.Market_MatrixMismatch.selector,
            keccak256(bytes.concat(keccak256(given.modelCommitment), given.gram)),
            keccak256(bytes.concat(keccak256(model), gram))
        );
    }

    function _notAnnounced(Settlement memory settlement, bytes memory x) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            Errors.Refutations_NotAnnounced.selector, _sealed(stranger, settlement.jobId, settlement.round, x)
        );
    }

    function _notNegative(int256 value) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Refutations_NotNegative.selector, value);
    }
}
