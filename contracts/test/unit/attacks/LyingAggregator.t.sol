// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TrainingMarket} from "../../../src/TrainingMarket.sol";
import {Exclusion, Phase, Reason, Settlement, Terms} from "../../../src/Types.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Proving} from "../../Proving.sol";

/// @notice An aggregator with an honest settlement and its proof changes one thing to its taste. Each change is refused by
/// one check, which `contracts/tools/checks.toml` names; `contracts/tools/delete-checks` deletes each in turn.
///
/// @dev Trainers 0 to 5 submitted, the last of them is excluded; trainer 6 is active and did not submit.
contract LyingAggregatorTest is Proving {
    /// @dev The weight of each of five updates that the rule keeps.
    uint256 private constant FIFTH = 13_107;

    uint256 private jobId;
    Settlement private honest;

    function setUp() public override {
        super.setUp();
        jobId = _submitted(_terms());
        _keep(_proven(jobId, _excluded()));
    }

    function test_Given_AnHonestSettlement() external {
        vm.assertEq(
            _contextOnChain(honest), _context(honest, aggregator), "what the proof is bound to, as specified"
        );
        _settleProven(honest);
        vm.assertEq(market.progressOf(jobId).settledRounds, 1, "settled");
    }

    /* WHO IS IN */

    function test_RevertWhen_AnHonestTrainerIsLeftOut() external {
        Settlement memory lie = _copy(honest);
        lie.trainers = _without(lie.trainers, trainers[2]);
        _commitAndProve(lie);
        _refuses(lie, abi.encodeWithSelector(Errors.Market_SubmittersUnaccounted.selector, 6, 5));
    }

    function test_RevertWhen_AnExclusionIsLeftOut() external {
        Settlement memory lie = _copy(honest);
        lie.exclusions = new Exclusion[](0);
        _prove(lie, _context(lie, aggregator));
        _refuses(lie, abi.encodeWithSelector(Errors.Market_SubmittersUnaccounted.selector, 6, 5));
    }

    function test_RevertWhen_AnAcceptedTrainerIsExcludedToo() external {
        Settlement memory lie = _copy(honest);
        lie.exclusions = new Exclusion[](2);
        lie.exclusions[0] = _exclusion(trainers[4], Reason.Mismatch);
        lie.exclusions[1] = honest.exclusions[0];
        _prove(lie, _context(lie, aggregator));
        _refuses(lie, abi.encodeWithSelector(Errors.Market_SubmittersUnaccounted.selector, 6, 7));
    }

    function test_RevertWhen_AGhostIsAdded() external {
        address[4] memory ghosts = [stranger, aggregator, owner, trainers[6]];
        for (uint256 i = 0; i < ghosts.length; ++i) {
            Settlement memory lie = _copy(honest);
            lie.trainers = _with(lie.trainers, ghosts[i]);
            _commitAndProve(lie);
            _refuses(lie, abi.encodeWithSelector(Errors.Market_NotSubmitted.selector, jobId, 1, ghosts[i]));
        }
    }

    function test_RevertWhen_ATrainerIsNamedTwice() external {
        Settlement memory lie = _copy(honest);
        lie.trainers[3] = lie.trainers[2];
        _commitAndProve(lie);
        _refuses(lie, _notAscending(3, trainers[2], trainers[2]));
    }

    function test_RevertWhen_TwoTrainersAreSwappedWithTheirCommitments() external {
        Settlement memory lie = _copy(honest);
        (lie.trainers[1], lie.trainers[2]) = (lie.trainers[2], lie.trainers[1]);
        _commitAndProve(lie);
        _refuses(lie, _notAscending(2, trainers[2], trainers[1]));
    }

    function test_RevertWhen_TwoTrainersAreSwappedWithoutTheirCommitments() external {
        Settlement memory lie = _copy(honest);
        (lie.trainers[1], lie.trainers[2]) = (lie.trainers[2], lie.trainers[1]);
        _commitAndProve(lie);
        (lie.trainers[1], lie.trainers[2]) = (lie.trainers[2], lie.trainers[1]);
        _prove(lie, _context(lie, aggregator));
        _refuses(lie, _mismatch(trainers[1], trainers[2]));
    }

    /* COMMITMENTS */

    function test_RevertWhen_ACommitmentIsAnother() external {
        Settlement memory lie = _copy(honest);
        lie.commitments = bytes.concat(_commitment(0, stranger, 0), _tail(lie.commitments, 64));
        lie.newModelCommitment = _advanced(lie, FIFTH);
        _prove(lie, _context(lie, aggregator));
        _refuses(lie, _mismatch(trainers[0], stranger));
    }

    function test_RevertWhen_TheReferencesCommitmentIsAnother() external {
        Settlement memory lie = _copy(honest);
        bytes memory whole = lie.commitments;
        lie.commitments = bytes.concat(_head(whole, 320), _commitment(0, stranger, 0));
        _prove(lie, _context(lie, aggregator));
        _refuses(lie, _mismatch(referee, stranger));
    }

    function test_RevertWhen_TheReferenceIsLeftOut() external {
        Settlement memory lie = _copy(honest);
        lie.commitments = _head(lie.commitments, 320);
        lie.gram = _gram(5);
        _prove(lie, _context(lie, aggregator));
        _refuses(
            lie, abi.encodeWithSelector(Errors.Market_WrongLength.selector, bytes32("commitments"), 320, 318)
        );
    }

    /* EXCLUSIONS */

    function test_RevertWhen_AnExclusionHasNoReason() external {
        Settlement memory lie = _copy(honest);
        lie.exclusions[0].reason = Reason.None;
        _prove(lie, _context(lie, aggregator));
        _refuses(lie, abi.encodeWithSelector(Errors.Market_NoReason.selector, trainers[5]));
    }

    function test_RevertWhen_AnExclusionIsUnavailableWithoutANotice() external {
        Settlement memory lie = _copy(honest);
        lie.exclusions[0] = _exclusion(trainers[5], Reason.Unavailable);
        _prove(lie, _context(lie, aggregator));
        _passDelivery(jobId);
        _refuses(lie, abi.encodeWithSelector(Errors.Market_NoMissingNotice.selector, trainers[5]));
    }

    function test_RevertWhen_AnExclusionsReasonIsChangedAfterTheProof() external {
        Settlement memory lie = _copy(honest);
        lie.exclusions[0].reason = Reason.OutOfRange;
        _refusesProof(lie);
    }

    function test_RevertWhen_AnExclusionsEvidenceIsChangedAfterTheProof() external {
        Settlement memory lie = _copy(honest);
        lie.exclusions[0].evidence = _cid("other evidence");
        _refusesProof(lie);
    }

    function test_RevertWhen_TheCopyIsPaidInsteadOfTheOriginal() external {
        // Trainer 5 submitted what trainer 4 did, so that neither the commitments nor the matrix tell them apart.
        jobId = _running(_terms(), 7);
        for (uint256 i = 0; i < 5; ++i) {
            _submit(jobId, trainers[i]);
        }
        bytes32 copied = keccak256(_commitment(0, trainers[4], 0));
        vm.prank(trainers[5]);
        market.submit(jobId, 1, copied, _cid("envelope"));
        _submitReference(jobId);
        _passSubmissions(jobId);
        Settlement memory lie = _proven(jobId, _excluded());
        (lie.trainers[4], lie.exclusions[0].account) = (trainers[5], trainers[4]);
        _refusesProof(lie);
    }

    /* MATRIX */

    function test_RevertWhen_AnEntryOfTheMatrixIsAnother() external {
        for (uint256 place = 0; place < 21; ++place) {
            Settlement memory lie = _copy(honest);
            // One more on the diagonal, a one beside it: both are what vectors in range could have.
            lie.gram[8 * place + 7] = bytes1(uint8(lie.gram[8 * place + 7]) + 1);
            _refusesProof(lie);
        }
    }

    function test_RevertWhen_TheMatrixIsOneOfNoVectorsInRange() external {
        Settlement memory lie = _copy(honest);
        lie.gram[0] = 0x80;
        _prove(lie, _context(lie, aggregator));
        _refuses(
            lie,
            abi.encodeWithSelector(
                Errors.Market_NormOutOfRange.selector, 0, type(int64).min + 1, uint256(1000) << 30
            )
        );
        lie = _copy(honest);
        lie.gram[15] = 0x02;
        _prove(lie, _context(lie, aggregator));
        _refuses(lie, abi.encodeWithSelector(Errors.Market_InnerProductOutOfRange.selector, 0, 1, int256(2)));
    }

    /* MODEL AND AGGREGATE */

    function test_RevertWhen_TheModelBeforeIsAnother() external {
        Settlement memory lie = _copy(honest);
        lie.modelCommitment = prover.commitment("another model");
        lie.newModelCommitment = _advanced(lie, FIFTH);
        _prove(lie, _context(lie, aggregator));
        _refuses(
            lie,
            abi.encodeWithSelector(
                Errors.Market_ModelMismatch.selector, keccak256(lie.modelCommitment), keccak256(new bytes(64))
            )
        );
    }

    function test_RevertWhen_TheModelAfterIsAnother() external {
        bytes[3] memory others =
            [prover.commitment("another model"), honest.modelCommitment, _advanced(honest, FIFTH - 1)];
        for (uint256 i = 0; i < others.length; ++i) {
            Settlement memory lie = _copy(honest);
            lie.newModelCommitment = others[i];
            _refusesProof(lie);
        }
    }

    function test_RevertWhen_TheRuleGivesOtherWeights() external {
        uint256[] memory weights = new uint256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            weights[i] = FIFTH - (i == 3 ? 1 : 0);
        }
        rule.set(weights, new int256[](5));
        _refusesProof(honest);
    }

    function test_RevertWhen_TheRuleGivesMoreThanAWhole() external {
        uint256[] memory weights = new uint256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            weights[i] = FIFTH + 1;
        }
        rule.set(weights, new int256[](5));
        Settlement memory lie = _copy(honest);
        lie.newModelCommitment = _advanced(lie, FIFTH + 1);
        _prove(lie, _context(lie, aggregator));
        _refuses(lie, abi.encodeWithSelector(Errors.Market_RuleMisbehaved.selector, rule));
    }

    function test_RevertWhen_TheAggregateIsAnother() external {
        Settlement memory lie = _copy(honest);
        lie.aggregateCid = _cid("another aggregate");
        _refusesProof(lie);
    }

    function test_RevertWhen_TheAggregateIsNoCID() external {
        Settlement memory lie = _copy(honest);
        lie.aggregateCid = "an aggregate";
        _prove(lie, _context(lie, aggregator));
        _refuses(lie, abi.encodeWithSelector(Errors.Market_MalformedCid.selector, bytes("an aggregate")));
    }

    /* PROOF */

    function test_RevertWhen_AWordOfTheProofIsAnother() external {
        // mu, u, v, w, e; points that are changed are none.
        uint256[5] memory places = [uint256(64), 160, 192, 224, 256];
        for (uint256 i = 0; i < places.length; ++i) {
            Settlement memory lie = _copy(honest);
            lie.proof[places[i] + 31] ^= 0x01;
            _refusesProof(lie);
        }
    }

    function test_RevertWhen_TheProofIsOfAnotherRound() external {
        // The first round passes without a settlement; in the second everything but its number is the same.
        _passSettlement(jobId);
        market.expire(jobId, 1);
        for (uint256 i = 0; i < 6; ++i) {
            _submit(jobId, trainers[i]);
        }
        _submitReference(jobId);
        _passSubmissions(jobId);
        Settlement memory lie = _copy(honest);
        lie.round = 2;
        _refusesProof(lie);
        _prove(lie, _context(lie, aggregator));
        _settleProven(lie);
    }

    function test_RevertWhen_TheProofIsOfAnotherJob() external {
        Settlement memory lie = _copy(honest);
        lie.jobId = _submitted(_terms());
        vm.assertEq(lie.jobId, 2, "the same terms, owner and specification");
        _refusesProof(lie);
    }

    function test_RevertWhen_TheProofIsOfAnotherMarket() external {
        market = _deploy(verifier, address(rule));
        vm.assertEq(_submitted(_terms()), jobId, "the same number");
        _refusesProof(honest);
    }

    function test_RevertWhen_TheProofIsOfAnotherChain() external {
        // A job with the same number in a market at the same address, but for the number of the chain.
        vm.chainId(1337);
        Settlement memory lie = _copy(honest);
        lie.jobId = _submitted(_terms());
        bytes32 here = _context(lie, aggregator);
        vm.chainId(31_337);
        bytes32 there = _context(lie, aggregator);
        vm.chainId(1337);
        _prove(lie, there);
        vm.assertNotEq(here, there, "the chain is part of the context");
        _refusesProof(lie);
        _prove(lie, here);
        _settleProven(lie);
    }

    function test_RevertWhen_TheProofIsOfAnotherOwner() external {
        uint256 snapshot = vm.snapshotState();
        owner = stranger;
        market = _redeploy();
        jobId = _submitted(_terms());
        Settlement memory lie = _proven(jobId, _excluded());
        vm.assertTrue(vm.revertToState(snapshot), "back");
        market = _redeploy();
        jobId = _submitted(_terms());
        _refusesProof(lie);
    }

    function test_RevertWhen_TheProofIsOfOtherTerms() external {
        uint256 snapshot = vm.snapshotState();
        Terms memory terms = _terms();
        terms.strikeToleranceBps += 1;
        market = _redeploy();
        jobId = _submitted(terms);
        Settlement memory lie = _proven(jobId, _excluded());
        vm.assertTrue(vm.revertToState(snapshot), "back");
        market = _redeploy();
        jobId = _submitted(_terms());
        _refusesProof(lie);
    }

    function test_RevertWhen_TheProofIsOfAnotherSettler() external {
        Settlement memory lie = _copy(honest);
        _prove(lie, _context(lie, stranger));
        _refusesProof(lie);
    }

    function test_RevertWhen_SomebodyElseSettles() external {
        address[4] memory others = [stranger, owner, referee, trainers[0]];
        for (uint256 i = 0; i < others.length; ++i) {
            Settlement memory lie = _copy(honest);
            _prove(lie, _context(lie, others[i]));
            vm.expectRevert(
                abi.encodeWithSelector(Errors.Market_NotAuthorised.selector, others[i], aggregator)
            );
            vm.prank(others[i]);
            market.settle(lie);
        }
    }

    function test_RevertWhen_TheSettlementIsReplayed() external {
        _settleProven(honest);
        _refuses(honest, abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 1, 2));
        for (uint256 i = 0; i < 6; ++i) {
            _submit(jobId, trainers[i]);
        }
        _submitReference(jobId);
        _passSubmissions(jobId);
        Settlement memory lie = _copy(honest);
        lie.round = 2;
        _refuses(
            lie,
            abi.encodeWithSelector(
                Errors.Market_ModelMismatch.selector,
                keccak256(honest.modelCommitment),
                keccak256(honest.newModelCommitment)
            )
        );
    }

    /* TIMES */

    function test_RevertWhen_TheRoundStillTakesSubmissions() external {
        jobId = _running(_terms(), 7);
        for (uint256 i = 0; i < 6; ++i) {
            _submit(jobId, trainers[i]);
        }
        _submitReference(jobId);
        Settlement memory lie = _copy(honest);
        lie.jobId = jobId;
        _prove(lie, _context(lie, aggregator));
        (, uint256 submitEnd,,) = market.phaseOf(jobId);
        _assertPhase(jobId, Phase.Submitting);
        _refuses(lie, abi.encodeWithSelector(Errors.Market_TooEarly.selector, _now(), submitEnd));
    }

    function test_RevertWhen_TheRoundBeforeCanStillBeChallenged() external {
        _settleProven(honest);
        uint256 end = market.progressOf(jobId).challengeEnd;
        for (uint256 i = 0; i < 7; ++i) {
            _submit(jobId, trainers[i]);
        }
        _submitReference(jobId);
        market.closeSubmissions(jobId, 2);
        vm.warp(end);
        Settlement memory next = _settlement(jobId);
        next.modelCommitment = honest.newModelCommitment;
        next.newModelCommitment = _advanced(next, 9362);
        _prove(next, _context(next, aggregator));
        _refuses(next, abi.encodeWithSelector(Errors.Market_TooEarly.selector, end, end));
        vm.warp(end + 1);
        _settleProven(next);
    }

    function test_RevertWhen_TheProofComesASecondLate() external {
        (,,, uint256 settleEnd) = market.phaseOf(jobId);
        vm.warp(settleEnd + 1);
        _refuses(honest, abi.encodeWithSelector(Errors.Market_TooLate.selector, settleEnd + 1, settleEnd));
    }

    function test_When_TheProofComesInTheLastSecond() external {
        (,,, uint256 settleEnd) = market.phaseOf(jobId);
        vm.warp(settleEnd);
        _settleProven(honest);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 1, 2));
        market.expire(jobId, 1);
    }

    /* HELPERS */

    /// @dev A job whose first round waits for its settlement.
    function _submitted(Terms memory terms) private returns (uint256 created) {
        created = _running(terms, 7);
        for (uint256 i = 0; i < 6; ++i) {
            _submit(created, trainers[i]);
        }
        _submitReference(created);
        _passSubmissions(created);
    }

    /// @dev Another market with the same parts.
    function _redeploy() private returns (TrainingMarket deployed) {
        deployed = _deploy(verifier, address(rule));
    }

    function _excluded() private view returns (Exclusion[] memory) {
        return _exclude(Reason.Mismatch, _list(trainers[5]));
    }

    function _keep(Settlement memory settlement) private {
        honest.jobId = settlement.jobId;
        honest.round = settlement.round;
        honest.trainers = settlement.trainers;
        honest.exclusions.push(settlement.exclusions[0]);
        honest.commitments = settlement.commitments;
        honest.gram = settlement.gram;
        honest.modelCommitment = settlement.modelCommitment;
        honest.newModelCommitment = settlement.newModelCommitment;
        honest.aggregateCid = settlement.aggregateCid;
        honest.proof = settlement.proof;
    }

    /// @dev Gives each accepted account its commitment, then the reference's, and proves it all anew.
    function _commitAndProve(Settlement memory lie) private view {
        lie.commitments = "";
        for (uint256 i = 0; i < lie.trainers.length; ++i) {
            lie.commitments = bytes.concat(lie.commitments, _commitment(0, lie.trainers[i], 0));
        }
        lie.commitments = bytes.concat(lie.commitments, _commitment(0, referee, 0));
        lie.gram = _gram(lie.trainers.length + 1);
        lie.newModelCommitment = _advanced(lie, 2 ** 16 / lie.trainers.length);
        _prove(lie, _context(lie, aggregator));
    }

    /// @dev The accounts with one more, in order.
    function _with(address[] memory accounts, address account) private pure returns (address[] memory all) {
        all = new address[](accounts.length + 1);
        for (uint256 i = 0; i < accounts.length; ++i) {
            all[i] = accounts[i];
        }
        all[accounts.length] = account;
        return _ascending(all);
    }

    function _head(bytes memory data, uint256 length) private pure returns (bytes memory head) {
        head = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            head[i] = data[i];
        }
    }

    function _tail(bytes memory data, uint256 start) private pure returns (bytes memory tail) {
        tail = new bytes(data.length - start);
        for (uint256 i = 0; i < tail.length; ++i) {
            tail[i] = data[start + i];
        }
    }

    function _refuses(Settlement memory lie, bytes memory reason) private {
        Books memory expected = _books(lie.jobId);
        vm.expectRevert(reason);
        vm.prank(aggregator);
        market.settle(lie);
        _assertBooks(lie.jobId, expected);
    }

    /// @dev The equation fails, for the context that the lie would have had to be proven for.
    function _refusesProof(Settlement memory lie) private {
        bytes32 context = _context(lie, aggregator);
        _refuses(lie, abi.encodeWithSelector(Errors.GramVerifier_EquationFails.selector, context));
    }

    function _notAscending(uint256 index, address previous, address account)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(Errors.Market_NotAscending.selector, index, previous, account);
    }

    /// @dev The commitment of one account stands where that of another was submitted.
    function _mismatch(address account, address other) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            Errors.Market_CommitmentMismatch.selector,
            account,
            keccak256(_commitment(0, other, 0)),
            keccak256(_commitment(0, account, 0))
        );
    }
}
