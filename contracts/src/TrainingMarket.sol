// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Challenging} from "./Challenging.sol";
import {JobState, Phase, Progress, Seats, Terms, Trainer, TrainerStatus, VoidCause} from "./Types.sol";
import {IRoundVerifier} from "./interfaces/IRoundVerifier.sol";
import {IRule} from "./interfaces/IRule.sol";
import {ITrainingMarket} from "./interfaces/ITrainingMarket.sol";
import {Cids} from "./libraries/Cids.sol";
import {Errors} from "./libraries/Errors.sol";
import {SeatSet} from "./libraries/SeatSet.sol";
import {TermsCheck} from "./TermsCheck.sol";

/// @title TrainingMarket
/// @notice The market: jobs from their creation to their end. See `ITrainingMarket`.
contract TrainingMarket is Challenging {
    using SeatSet for uint128;

    /* STORAGE */

    /// @inheritdoc ITrainingMarket
    TermsCheck public immutable termsCheck;

    /* CONSTRUCTOR */

    /// @param roundVerifier The verifier that every settlement asks.
    /// @param marketRules The rules that a job can choose from.
    constructor(IRoundVerifier roundVerifier, IRule[] memory marketRules)
        Challenging(roundVerifier, marketRules)
    {
        termsCheck = new TermsCheck();
    }

    /* OWNER */

    /// @inheritdoc ITrainingMarket
    function create(Terms calldata terms, bytes calldata specificationCid)
        external
        payable
        nonReentrant
        returns (uint256 jobId)
    {
        // Check: the terms are in range.
        bytes calldata encoded = _encodedTerms(terms);
        uint256 deposit = termsCheck.checkEncoded(encoded);
        require(_isRule[terms.rule], Errors.Market_UnknownRule(address(terms.rule)));
        require(terms.token == address(0) || terms.token.code.length != 0, Errors.Market_NoCode(terms.token));
        Cids.check(specificationCid);

        // Effect: open the job.
        Job storage job;
        (jobId, job) = _newJob();
        _writeTerms(job, encoded);
        job.owner = msg.sender;
        job.progress.state = JobState.Open;
        // Safe narrowing: the terms keep the deposit below 2^94.
        job.ledger.escrow = uint128(deposit);
        job.specificationHash = keccak256(specificationCid);
        job.identity = keccak256(
            bytes.concat(
                abi.encode(block.chainid, address(this), jobId, msg.sender), encoded, job.specificationHash
            )
        );
        job.modelHash = keccak256(verifier.initialModel());
        _logCreated(jobId, terms.aggregator, encoded, specificationCid);

        // Interaction: take the deposit.
        _receive(terms.token, deposit);
    }

    /// @inheritdoc ITrainingMarket
    function abort(uint256 jobId) external nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        bool open = live.progress.state == JobState.Open;

        // Check: the caller may abort; anyone may, once an open job can't start any more.
        if (!open || block.timestamp <= live.terms.startDeadline) _requireCaller(job.owner);

        if (open) {
            // Effect: end the job at once.
            _endJob(jobId, job, live, JobState.Aborted);
        } else {
            // Check: the job has a round to end.
            _requireNotEnding(jobId, live);
            require(!live.progress.abortRequested, Errors.Market_AbortAlreadyRequested(jobId));

            // Effect: abort after the current round.
            live.progress.abortRequested = true;
            emit AbortRequested(jobId, live.progress.round);
        }
        _save(job, live);
    }

    /* AGGREGATOR */

    /// @inheritdoc ITrainingMarket
    function accept(uint256 jobId, bytes32 encryptionKey) external payable nonReentrant {
        Job storage job = _job(jobId);
        // Check: the aggregator accepts an open job, once, in time.
        Live memory live = _load(job);
        _requireState(jobId, live, JobState.Open);
        _requireCaller(live.terms.aggregator);
        require(job.nextEncryptionKey == 0, Errors.Market_AlreadyAccepted(jobId));
        _requireNotAfter(live.terms.startDeadline);
        require(encryptionKey != 0, Errors.Market_ZeroKey());

        // Effect: hold the bond.
        job.ledger.bond = live.terms.bond;
        job.nextEncryptionKey = encryptionKey;
        emit JobAccepted(jobId, encryptionKey);

        // Interaction: take the bond.
        _receive(live.terms.token, live.terms.bond);
    }

    /// @inheritdoc ITrainingMarket
    function rotateKey(uint256 jobId, bytes32 encryptionKey) external nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: the aggregator of an accepted job that may have a round to come.
        _requireCaller(live.terms.aggregator);
        require(job.nextEncryptionKey != 0, Errors.Market_NotAccepted(jobId));
        _requireNotEnding(jobId, live);
        require(encryptionKey != 0, Errors.Market_ZeroKey());

        // Effect: the next round opens with the new key.
        job.nextEncryptionKey = encryptionKey;
        emit KeyRotated(jobId, encryptionKey);
    }

    /// @inheritdoc ITrainingMarket
    function missing(uint256 jobId, uint256 round, address[] calldata accounts) external nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: the first half of delivery, in which a notice leaves time to publish again.
        _requireOpenRound(jobId, live, round);
        _requireCaller(live.terms.aggregator);
        Windows memory windows = _requireSubmissionsOver(live);
        _requireNotAfter(windows.submitEnd + live.terms.deliverWindow / 2);

        // Effect: note who is missing. The loop is as long as the caller pays for.
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            bool isReferee = account == live.terms.referee;
            uint128 seat = isReferee ? 0 : _seatOf(job, account);
            require(
                isReferee ? live.progress.referenceSubmitted : seat & live.seats.submitted != 0,
                Errors.Market_NotSubmitted(jobId, round, account)
            );
            if (isReferee) live.progress.referenceMissing = true;
            live.seats.missing |= seat;
            emit Missing(jobId, round, account);
        }
        _save(job, live);
    }

    /* TRAINERS AND REFEREE */

    /// @inheritdoc ITrainingMarket
    function join(uint256 jobId, bytes32 digest, bytes32[] calldata proof) external payable nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: the job takes trainers, under the terms that the caller looked at.
        _requireJoinable(jobId, job, live);
        bytes32 current = joinDigest(jobId);
        require(digest == current, Errors.Market_TermsChanged(digest, current));
        _requireMayTrain(job, live, proof);

        // Effect: seat the trainer.
        bool open = live.progress.state == JobState.Open;
        uint256 seat = _freeSeat(jobId, live);
        if (open) live.seats.active |= SeatSet.only(seat);
        else live.seats.joining |= SeatSet.only(seat);
        job.holders[seat] = msg.sender;
        Trainer memory trainer = _loadTrainer(job, msg.sender);
        // Safe narrowing: a seat is below 128.
        trainer.seat = uint8(seat);
        trainer.status = TrainerStatus.Staked;
        _saveTrainer(job, msg.sender, trainer);
        _save(job, live);
        emit TrainerJoined(jobId, msg.sender, seat, uint256(live.progress.round) + 1);

        // Interaction: take the stake.
        _receive(live.terms.token, live.terms.stake);
    }

    /// @inheritdoc ITrainingMarket
    function leaveJob(uint256 jobId) external nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        Trainer memory trainer = _loadTrainer(job, msg.sender);
        uint128 seat = SeatSet.only(trainer.seat);
        // Check: the caller is a trainer of a job that is not ending, and has not asked before.
        _requireNotEnding(jobId, live);
        require(trainer.status == TrainerStatus.Staked, Errors.Market_NotActive(jobId, msg.sender));

        if (live.progress.state == JobState.Running && seat & live.seats.active != 0) {
            // Effect: leave when the current round ends.
            live.seats.leaving |= seat;
            trainer.status = TrainerStatus.Leaving;
            trainer.releaseRound = live.progress.round;
        } else {
            // Effect: leave at once; the trainer has taken part in nothing.
            live.seats.active &= ~seat;
            live.seats.joining &= ~seat;
            trainer.status = TrainerStatus.None;
            // Not to the trainer's record: stakes returned over and over would overflow its 96 bits, and then nobody could
            // settle or expire a round that pays the trainer.
            job.credits[msg.sender] += live.terms.stake;
        }
        _saveTrainer(job, msg.sender, trainer);
        _save(job, live);
        emit TrainerLeft(jobId, msg.sender, trainer.status == TrainerStatus.None ? 0 : live.progress.round);
    }

    /// @inheritdoc ITrainingMarket
    function submit(uint256 jobId, uint256 round, bytes32 commitmentHash, bytes calldata cid)
        external
        nonReentrant
    {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: an active trainer submits once, in time.
        _requireSubmitting(jobId, live, round);
        uint128 seat = _seatOf(job, msg.sender);
        require(seat & live.seats.active != 0, Errors.Market_NotActive(jobId, msg.sender));
        require(seat & live.seats.submitted == 0, Errors.Market_AlreadySubmitted(jobId, round, msg.sender));

        // Effect: note the commitment.
        job.seats.submitted |= seat;
        _note(job, commitmentHash, cid);
        emit Submitted(jobId, round, msg.sender, commitmentHash, cid);
    }

    /// @inheritdoc ITrainingMarket
    function submitReference(uint256 jobId, uint256 round, bytes32 commitmentHash, bytes calldata cid)
        external
        nonReentrant
    {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: the referee submits once, in time.
        _requireCaller(live.terms.referee);
        _requireSubmitting(jobId, live, round);
        require(!live.progress.referenceSubmitted, Errors.Market_AlreadySubmitted(jobId, round, msg.sender));

        // Effect: note the commitment.
        job.progress.referenceSubmitted = true;
        _note(job, commitmentHash, cid);
        emit ReferenceSubmitted(jobId, round, msg.sender, commitmentHash, cid);
    }

    /* ANYONE */

    /// @inheritdoc ITrainingMarket
    function start(uint256 jobId) external nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: the job is open and has its trainers, in time. Trainers can join only an accepted job.
        _requireState(jobId, live, JobState.Open);
        _requireNotAfter(live.terms.startDeadline);
        uint256 joined = live.seats.active.size();
        require(
            joined >= live.terms.minTrainers, Errors.Market_TooFewTrainers(joined, live.terms.minTrainers)
        );

        // Effect: open the first round.
        live.progress.state = JobState.Running;
        _openRound(jobId, job, live);
        _save(job, live);
    }

    /// @inheritdoc ITrainingMarket
    function closeSubmissions(uint256 jobId, uint256 round) external nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: nobody's submission is awaited.
        _requireSubmitting(jobId, live, round);
        Seats memory seats = live.seats;
        bool referenceOutstanding = live.terms.referee != address(0) && !live.progress.referenceSubmitted;
        require(
            seats.submitted == seats.active && !referenceOutstanding,
            Errors.Market_SubmissionsOutstanding(
                seats.submitted.size(), seats.active.size(), referenceOutstanding
            )
        );

        // Effect: delivery begins now.
        live.progress.submissionsClosed = true;
        // Safe narrowing: the time fits 40 bits for the next 34,000 years.
        live.progress.submitEnd = uint40(block.timestamp);
        _save(job, live);
        emit SubmissionsClosed(jobId, round, block.timestamp + live.terms.deliverWindow);
    }

    /// @inheritdoc ITrainingMarket
    function voidRound(uint256 jobId, uint256 round) external nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: submissions have ended with too few.
        _requireOpenRound(jobId, live, round);
        _requireSubmissionsOver(live);
        uint256 submitted = live.seats.submitted.size();
        uint256 needed = _quorum(live);
        require(submitted < needed, Errors.Market_EnoughSubmitted(submitted, needed));

        // Effect: end the round.
        _voidRound(jobId, job, live, VoidCause.TooFewSubmitted, 0);
        _save(job, live);
    }

    /// @inheritdoc ITrainingMarket
    function expire(uint256 jobId, uint256 round) external nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: the round could have been settled, and the time for that is over.
        _requireOpenRound(jobId, live, round);
        _requireAfter(_windows(live).settleEnd);
        uint256 submitters = live.seats.submitted.size();
        uint256 needed = _quorum(live);
        require(submitters >= needed, Errors.Market_TooFewSubmitted(submitters, needed));

        // Effect: pay the penalty to the submitters; what can't be divided is burned.
        uint256 penalty = _takePenalty(job, live);
        uint256 shareDown = penalty / submitters;
        _creditSubmitters(job, live.seats.submitted, shareDown);
        job.ledger.burned += uint128(penalty - shareDown * submitters);
        live.progress.failuresInARow += 1;
        emit RoundExpired(jobId, round, penalty, shareDown);

        // Effect: end the round.
        _endRound(jobId, job, live, 0, 0);
        _save(job, live);
    }

    /// @inheritdoc ITrainingMarket
    function complete(uint256 jobId) external nonReentrant {
        Job storage job = _job(jobId);
        Live memory live = _load(job);
        // Check: the last challenge window of an ending job is over.
        _requireState(jobId, live, JobState.Running);
        JobState outcome = live.progress.outcome;
        require(
            outcome != JobState.None, Errors.Market_NotEnding(jobId, live.progress.round, live.terms.rounds)
        );
        _requireAfter(live.progress.challengeEnd);

        // Effect: end the job.
        _endJob(jobId, job, live, outcome);
        _save(job, live);
    }

    /* VIEWS */

    /// @inheritdoc ITrainingMarket
    function termsOf(uint256 jobId) external view nonReentrantView returns (Terms memory) {
        Terms memory terms = _readTerms(_job(jobId));
        uint256 pointer;
        assembly ("memory-safe") {
            pointer := terms
        }
        _returnWords(pointer, 28);
    }

    /// @inheritdoc ITrainingMarket
    function identityOf(uint256 jobId)
        external
        view
        nonReentrantView
        returns (address, bytes32, bytes32, bytes32, bytes32)
    {
        Job storage job = _job(jobId);
        return (job.owner, job.specificationHash, job.encryptionKey, job.nextEncryptionKey, job.modelHash);
    }

    /// @inheritdoc ITrainingMarket
    function progressOf(uint256 jobId) external view nonReentrantView returns (Progress memory) {
        Progress memory progress = _load(_job(jobId)).progress;
        uint256 pointer;
        assembly ("memory-safe") {
            pointer := progress
        }
        _returnWords(pointer, 15);
    }

    /// @inheritdoc ITrainingMarket
    function seatsOf(uint256 jobId) external view nonReentrantView returns (Seats memory) {
        Seats memory seats = _load(_job(jobId)).seats;
        uint256 pointer;
        assembly ("memory-safe") {
            pointer := seats
        }
        _returnWords(pointer, 9);
    }

    /// @inheritdoc ITrainingMarket
    function seatHolder(uint256 jobId, uint256 seat) external view nonReentrantView returns (address) {
        return _job(jobId).holders[seat];
    }

    /// @inheritdoc ITrainingMarket
    function submissionOf(uint256 jobId, address account) external view nonReentrantView returns (bytes32) {
        return _job(jobId).submissions[account];
    }

    /// @inheritdoc ITrainingMarket
    function phaseOf(uint256 jobId)
        external
        view
        nonReentrantView
        returns (Phase phase, uint256 submitEnd, uint256 deliverEnd, uint256 settleEnd)
    {
        Job storage job = _job(jobId);
        Windows memory windows = _windows(_load(job));
        return (windows.phase, windows.submitEnd, windows.deliverEnd, windows.settleEnd);
    }

    /// @inheritdoc ITrainingMarket
    function joinDigest(uint256 jobId) public view returns (bytes32) {
        Job storage job = _job(jobId);
        return keccak256(abi.encode(job.identity, job.nextEncryptionKey));
    }

    /* PRIVATE */

    /// @dev The terms as they stand in calldata, which is how the ABI encodes them. An encoder for them would take a
    /// kilobyte of the market's code.
    function _encodedTerms(Terms calldata terms) private pure returns (bytes calldata encoded) {
        assembly ("memory-safe") {
            encoded.offset := terms
            encoded.length := 896
        }
    }

    /// @dev Emits {JobCreated} for the caller, whose data are the terms, the offset of the CID, and the CID.
    function _logCreated(uint256 jobId, address aggregator, bytes calldata encoded, bytes calldata cid)
        private
    {
        bytes memory data =
            bytes.concat(encoded, abi.encode(encoded.length + 32, cid.length), cid, bytes28(0));
        bytes32 topic = JobCreated.selector;
        assembly ("memory-safe") {
            log4(add(data, 32), mload(data), topic, jobId, caller(), aggregator)
        }
    }

    /// @dev Reverts unless trainers can join: an accepted job that is open, or running with a round to come.
    function _requireJoinable(uint256 jobId, Job storage job, Live memory live) private view {
        require(job.nextEncryptionKey != 0, Errors.Market_NotAccepted(jobId));
        _requireNotEnding(jobId, live);
        if (live.progress.state == JobState.Open) return _requireNotAfter(live.terms.startDeadline);
        bool lastRound = live.progress.round == live.terms.rounds || live.progress.abortRequested;
        require(!lastRound, Errors.Market_Ending(jobId));
    }

    /// @dev Reverts unless the caller may be a trainer of the job.
    function _requireMayTrain(Job storage job, Live memory live, bytes32[] calldata proof) private view {
        Terms memory terms = live.terms;
        require(
            msg.sender != job.owner && msg.sender != terms.aggregator && msg.sender != terms.referee,
            Errors.Market_PartyCannotTrain(msg.sender)
        );
        TrainerStatus status = job.trainers[msg.sender].status;
        require(status == TrainerStatus.None, Errors.Market_AlreadyJoined(msg.sender, status));
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(msg.sender))));
        bytes32 root = terms.allowlistRoot;
        require(
            root == 0 || MerkleProof.verifyCalldata(proof, root, leaf),
            Errors.Market_NotAllowlisted(msg.sender, root)
        );
    }

    /// @dev A free seat. It is taken again only when its last holder can no longer flag with it.
    function _freeSeat(uint256 jobId, Live memory live) private view returns (uint256 seat) {
        uint256 maxTrainers = live.terms.maxTrainers;
        uint128 taken = live.seats.active | live.seats.joining;
        if (block.timestamp <= live.progress.challengeEnd) taken |= live.seats.settledSubmitters;
        seat = taken.firstFree(maxTrainers);
        require(seat < maxTrainers, Errors.Market_NoFreeSeat(jobId, maxTrainers));
    }

    /// @dev Reverts unless the round takes submissions.
    function _requireSubmitting(uint256 jobId, Live memory live, uint256 round) private view {
        _requireOpenRound(jobId, live, round);
        _requirePhase(jobId, live, _windows(live).phase, Phase.Submitting);
    }

    /// @dev Stores the caller's commitment hash, if it and the CID of the envelope are well-formed.
    function _note(Job storage job, bytes32 commitmentHash, bytes calldata cid) private {
        require(commitmentHash != 0, Errors.Market_ZeroCommitment());
        Cids.check(cid);
        job.submissions[msg.sender] = commitmentHash;
    }

    /// @dev Adds a share of the penalty to each submitter of the current round.
    function _creditSubmitters(Job storage job, uint128 submitters, uint256 share) private {
        for (uint256 seat = 0; submitters != 0; ++seat) {
            if (!submitters.has(seat)) continue;
            submitters &= ~SeatSet.only(seat);
            // Safe narrowing: a share is at most the bond.
            job.trainers[job.holders[seat]].credit += uint96(share);
        }
    }
}
