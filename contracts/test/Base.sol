// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Exclusion, JobState, Phase, Progress, Reason, Settlement, Terms} from "../src/Types.sol";
import {Bookkeeping} from "./Bookkeeping.sol";
import {PlainToken} from "./mocks/Tokens.sol";

/// @notice The steps of a job as one call each, on top of a market with its parties and their books.
abstract contract Base is Bookkeeping {
    /* STEPS OF A JOB */

    /// @dev Gives the account what the next call takes, in the coin or the token, approved.
    function _fund(address tokenAddress, address account, uint256 amount) internal returns (uint256 value) {
        if (tokenAddress == address(0)) {
            vm.deal(account, account.balance + amount);
            return amount;
        }
        PlainToken(tokenAddress).mint(account, amount);
        vm.prank(account);
        // The low-level call takes tokens whose approve returns nothing.
        (bool approved,) =
            tokenAddress.call(abi.encodeCall(PlainToken.approve, (address(market), type(uint256).max)));
        require(approved, "the token can't be approved");
    }

    function _create(Terms memory terms) internal returns (uint256 jobId) {
        uint256 value = _fund(terms.token, owner, _deposit(terms));
        vm.prank(owner);
        return market.create{value: value}(terms, _specification());
    }

    function _accept(uint256 jobId) internal {
        Terms memory terms = market.termsOf(jobId);
        uint256 value = _fund(terms.token, terms.aggregator, terms.bond);
        vm.prank(terms.aggregator);
        market.accept{value: value}(jobId, KEY);
    }

    function _join(uint256 jobId, address account) internal {
        Terms memory terms = market.termsOf(jobId);
        uint256 value = _fund(terms.token, account, terms.stake);
        bytes32 digest = market.joinDigest(jobId);
        vm.prank(account);
        market.join{value: value}(jobId, digest, new bytes32[](0));
    }

    /// @dev Creates, has it accepted, and seats the first `count` trainers.
    function _joined(Terms memory terms, uint256 count) internal returns (uint256 jobId) {
        jobId = _create(terms);
        _accept(jobId);
        for (uint256 i = 0; i < count; ++i) {
            _join(jobId, trainers[i]);
        }
    }

    /// @dev A job in the submission phase of round 1 with `count` trainers.
    function _running(Terms memory terms, uint256 count) internal returns (uint256 jobId) {
        jobId = _joined(terms, count);
        market.start(jobId);
    }

    /// @dev What an account commits to in a round.
    function _commitment(uint256 jobId, address account, uint256 round)
        internal
        view
        virtual
        returns (bytes memory)
    {
        return abi.encodePacked(keccak256(abi.encode(jobId, account, round)));
    }

    function _submit(uint256 jobId, address account) internal {
        uint256 round = market.progressOf(jobId).round;
        bytes32 hash = keccak256(_commitment(jobId, account, round));
        vm.prank(account);
        market.submit(jobId, round, hash, _cid("envelope"));
    }

    function _submitReference(uint256 jobId) internal {
        uint256 round = market.progressOf(jobId).round;
        bytes32 hash = keccak256(_referenceCommitments(jobId, round));
        vm.prank(market.termsOf(jobId).referee);
        market.submitReference(jobId, round, hash, _cid("reference"));
    }

    /// @dev The referee's commitments of a round: the same for each of its vectors.
    function _referenceCommitments(uint256 jobId, uint256 round)
        internal
        view
        returns (bytes memory commitments)
    {
        Terms memory terms = market.termsOf(jobId);
        for (uint256 i = 0; i < terms.references; ++i) {
            commitments = bytes.concat(commitments, _commitment(jobId, terms.referee, round));
        }
    }

    /// @dev Everyone active submits, the referee included, and delivery begins at once.
    function _submitAll(uint256 jobId) internal {
        _submitTrainers(jobId);
        if (market.termsOf(jobId).referee != address(0)) _submitReference(jobId);
        market.closeSubmissions(jobId, market.progressOf(jobId).round);
    }

    function _submitTrainers(uint256 jobId) internal {
        address[] memory accounts = _holders(jobId, market.seatsOf(jobId).active);
        for (uint256 i = 0; i < accounts.length; ++i) {
            _submit(jobId, accounts[i]);
        }
    }

    /// @dev The settlement in which everyone who submitted is accepted.
    function _settlement(uint256 jobId) internal view returns (Settlement memory) {
        return _settlement(jobId, new Exclusion[](0));
    }

    /// @dev The settlement in which everyone who submitted is accepted, but for the exclusions.
    function _settlement(uint256 jobId, Exclusion[] memory exclusions)
        internal
        view
        returns (Settlement memory settlement)
    {
        Progress memory progress = market.progressOf(jobId);
        address refereeAccount = market.termsOf(jobId).referee;
        bool referenced = progress.referenceSubmitted;
        address[] memory accepted = _holders(jobId, market.seatsOf(jobId).submitted);
        for (uint256 i = 0; i < exclusions.length; ++i) {
            if (exclusions[i].account == refereeAccount) referenced = false;
            else accepted = _without(accepted, exclusions[i].account);
        }
        settlement.jobId = jobId;
        settlement.round = progress.round;
        settlement.trainers = accepted;
        settlement.exclusions = exclusions;
        for (uint256 i = 0; i < accepted.length; ++i) {
            settlement.commitments =
                bytes.concat(settlement.commitments, _commitment(jobId, accepted[i], progress.round));
        }
        if (referenced) {
            settlement.commitments =
                bytes.concat(settlement.commitments, _referenceCommitments(jobId, progress.round));
        }
        settlement.gram = _gram(accepted.length + (referenced ? market.termsOf(jobId).references : 0));
        settlement.modelCommitment = _model(progress.settledRounds);
        settlement.newModelCommitment = _model(uint256(progress.settledRounds) + 1);
        settlement.aggregateCid = _cid("aggregate");
    }

    /// @dev The identity matrix.
    function _gram(uint256 rows) internal pure returns (bytes memory gram) {
        gram = new bytes(4 * rows * (rows + 1));
        uint256 position = 0;
        for (uint256 i = 0; i < rows; ++i) {
            // The last byte of a diagonal entry.
            gram[8 * position + 7] = 0x01;
            position += rows - i;
        }
    }

    /// @dev What stands for the model commitment after a number of settlements; no point, but the verifier doesn't look.
    function _model(uint256 settlements) internal pure returns (bytes memory) {
        return abi.encode(0, settlements);
    }

    function _settle(Settlement memory settlement) internal {
        vm.prank(market.termsOf(settlement.jobId).aggregator);
        market.settle(settlement);
    }

    /// @dev Settles the current round with everyone who submitted, as soon as that is legal.
    function _settle(uint256 jobId) internal {
        uint256 challengeEnd = market.progressOf(jobId).challengeEnd;
        if (_now() <= challengeEnd) vm.warp(challengeEnd + 1);
        _settle(_settlement(jobId));
    }

    /// @dev Submits and settles one round.
    function _round(uint256 jobId) internal {
        _submitAll(jobId);
        _settle(jobId);
    }

    /// @dev Passes the end of the current round's submissions, delivery or settlement.
    function _passSubmissions(uint256 jobId) internal {
        (, uint256 submitEnd,,) = market.phaseOf(jobId);
        vm.warp(submitEnd + 1);
    }

    function _passDelivery(uint256 jobId) internal {
        (,, uint256 deliverEnd,) = market.phaseOf(jobId);
        vm.warp(deliverEnd + 1);
    }

    function _passSettlement(uint256 jobId) internal {
        (,,, uint256 settleEnd) = market.phaseOf(jobId);
        vm.warp(settleEnd + 1);
    }

    function _passChallenge(uint256 jobId) internal {
        vm.warp(uint256(market.progressOf(jobId).challengeEnd) + 1);
    }

    function _withdraw(uint256 jobId, address account) internal returns (uint256) {
        vm.prank(account);
        return market.withdraw(jobId, account);
    }

    function _exclusion(address account, Reason reason) internal pure returns (Exclusion memory) {
        return Exclusion(account, reason, reason == Reason.Unavailable ? bytes("") : _cid("evidence"));
    }

    /// @dev The given trainers in a list of exclusions for one reason.
    function _exclude(Reason reason, address[] memory accounts)
        internal
        pure
        returns (Exclusion[] memory list)
    {
        list = new Exclusion[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            list[i] = _exclusion(accounts[i], reason);
        }
    }

    /* HELPERS */

    /// @dev Asserts the state that a job is in.
    function _assertState(uint256 jobId, JobState state) internal view {
        vm.assertEq(uint256(market.progressOf(jobId).state), uint256(state), "the job's state");
    }

    /// @dev Asserts the phase that the current round is in.
    function _assertPhase(uint256 jobId, Phase expected) internal view {
        (Phase phase,,,) = market.phaseOf(jobId);
        vm.assertEq(uint256(phase), uint256(expected), "the round's phase");
    }

    /// @dev The holders of the seats in a set, in ascending order.
    function _holders(uint256 jobId, uint128 set) internal view returns (address[] memory accounts) {
        uint256 count = 0;
        for (uint256 seat = 0; seat < 128; ++seat) {
            count += (set >> seat) & 1;
        }
        accounts = new address[](count);
        for (uint256 seat = 0; count != 0; ++seat) {
            if ((set >> seat) & 1 != 0) accounts[--count] = market.seatHolder(jobId, seat);
        }
        return _ascending(accounts);
    }

    function _seat(uint256 jobId, address account) internal view returns (uint128) {
        return uint128(1) << market.trainerOf(jobId, account).seat;
    }
}
