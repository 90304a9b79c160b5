// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Ledger, Phase, Progress, Seats, Terms, Trainer, TrainerStatus} from "../../src/Types.sol";
import {Ghost, Ghosts, Member} from "./Ghost.sol";
import {SettleModel} from "./SettleModel.sol";

/// @notice What must hold after every call; the numbers are those of the README.
abstract contract Checks is SettleModel {
    using Ghosts for Ghost;

    mapping(uint256 jobId => JobState) private _seenState;
    mapping(uint256 jobId => uint256) private _seenRound;
    mapping(uint256 jobId => bytes32) private _seenTerms;

    /* AFTER A CALL */

    /// @dev The whole market: cheap parts for every job, everything for the job of the last call and one other.
    function _checkAll() internal {
        vm.assertEq(market.jobCount(), jobs, "9: numbers of jobs increase by one");
        _checkBalance(address(0));
        _checkBalance(address(token));
        for (uint256 jobId = jobs < 6 ? 1 : jobs - 5; jobId <= jobs; ++jobId) {
            _checkMoney(jobId, ghosts[jobId]);
        }
        if (touched == 0) return;
        _checkJob(touched, ghosts[touched]);
        _checkEntitlements(touched, ghosts[touched]);
        _checkForward(touched);
        uint256 other = _between(1, jobs);
        if (other != touched) _checkJob(other, ghosts[other]);
    }

    function _checkBalance(address tokenAddress) private view {
        vm.assertEq(
            _balanceOf(tokenAddress, address(market)),
            held[tokenAddress] + donated[tokenAddress],
            "1: the market holds what was deposited less what left, and 28: what was forced on it"
        );
    }

    /* ONE JOB */

    /// @dev Compares everything that the market says of a job with a ghost.
    function _checkJob(uint256 jobId, Ghost storage g) internal view {
        _checkMoney(jobId, g);
        _checkProgress(jobId, g);
        _checkIdentity(jobId, g);
        _checkSets(jobId, g);
        uint256 owed = g.credits[g.owner] + g.credits[g.terms.aggregator];
        if (g.terms.aggregator == g.owner) owed -= g.credits[g.owner];
        address referee_ = g.terms.referee;
        if (referee_ != g.owner && referee_ != g.terms.aggregator) owed += g.credits[referee_];
        _checkParty(jobId, g, g.owner);
        _checkParty(jobId, g, g.terms.aggregator);
        _checkParty(jobId, g, referee_);
        if (!g.isParty(g.challenger)) {
            owed += g.credits[g.challenger];
            _checkParty(jobId, g, g.challenger);
        }
        for (uint256 i = 0; i < g.members.length; ++i) {
            owed += _checkTrainer(jobId, g, g.members[i]);
        }
        vm.assertEq(
            uint256(g.received) - g.sent,
            owed + g.escrow + g.bond + g.burned,
            "1: every unit in the market belongs to somebody"
        );
        vm.assertEq(market.withdrawable(jobId, address(0)), 0, "33: the zero address has nothing");
    }

    function _checkMoney(uint256 jobId, Ghost storage g) private view {
        Ledger memory ledger = market.ledgerOf(jobId);
        vm.assertEq(ledger.escrow, g.escrow, "2: escrow");
        vm.assertEq(ledger.bond, g.bond, "2: bond");
        vm.assertEq(ledger.burned, g.burned, "20: slashed money");
        uint256 final_ = uint256(g.paid) + g.fees + g.forfeited + g.refunded;
        vm.assertEq(final_ + ledger.escrow, g.deposited, "3: the deposit adds up");
    }

    function _checkProgress(uint256 jobId, Ghost storage g) private view {
        Progress memory p = market.progressOf(jobId);
        vm.assertEq(uint256(p.state), uint256(g.state), "10: state");
        vm.assertEq(uint256(p.outcome), uint256(g.outcome), "10: outcome");
        bool same = p.abortRequested == g.abortRequested && p.roundOpen == g.open
            && p.failuresInARow == g.failures && p.voids == g.voids && p.round == g.round;
        vm.assertTrue(same, "2: progress of the job");
        same = p.lastSettledRound == g.lastSettled && p.settledRounds == g.settledRounds
            && p.referenceRounds == g.referenceRounds && p.challengeEnd == g.challengeEnd
            && p.submitEnd == g.submitEnd;
        vm.assertTrue(same, "2: progress of the rounds");
        if (!g.open) return;
        same = p.submissionsClosed == g.closed && p.referenceSubmitted == g.referenceSubmitted
            && p.referenceMissing == g.referenceNoticed;
        vm.assertTrue(same, "2: progress of the round");
        (Phase phase, uint256 submitEnd, uint256 deliverEnd, uint256 settleEnd) = market.phaseOf(jobId);
        vm.assertTrue(
            submitEnd == g.submitEnd && deliverEnd == g.deliverEnd() && settleEnd == g.settleEnd(),
            "2: windows"
        );
        vm.assertEq(uint256(phase), uint256(_phase(g)), "2: phase");
    }

    function _phase(Ghost storage g) private view returns (Phase) {
        if (g.submitting(_now())) return Phase.Submitting;
        if (_now() <= g.deliverEnd()) return Phase.Delivering;
        return _now() <= g.settleEnd() ? Phase.Settling : Phase.Overdue;
    }

    function _checkIdentity(uint256 jobId, Ghost storage g) private view {
        (address jobOwner, bytes32 specification, bytes32 key, bytes32 nextKey, bytes32 model) =
            market.identityOf(jobId);
        vm.assertEq(jobOwner, g.owner, "2: owner");
        vm.assertEq(specification, g.specificationHash, "2: specification");
        vm.assertTrue(key == g.key && nextKey == g.nextKey, "2: encryption keys");
        vm.assertEq(model, keccak256(g.model), "2: model");
        vm.assertEq(market.joinDigest(jobId), _digest(jobId, g), "2: what trainers agree to");
    }

    function _checkSets(uint256 jobId, Ghost storage g) private view {
        Seats memory seats = market.seatsOf(jobId);
        (uint256 active, uint256 submitted,) = g.sizes(_now());
        uint256 joining = 0;
        for (uint256 i = 0; i < g.members.length; ++i) {
            address account = g.members[i];
            Member storage m = g.member[account];
            if (m.joining) ++joining;
            if (!m.active) continue;
            uint256 seat = market.trainerOf(jobId, account).seat;
            vm.assertEq(market.seatHolder(jobId, seat), account, "2: who holds a seat");
            _checkSeat(seats, seat, m, g.open);
        }
        vm.assertEq(_size(seats.active), active, "2: how many are active");
        vm.assertEq(_size(seats.joining), joining, "2: how many are joining");
        vm.assertLe(active + joining, g.terms.maxTrainers, "2: no more trainers than seats");
        vm.assertEq(seats.missing & ~seats.submitted, 0, "23: only submitters are missed");
        if (!g.open) return;
        vm.assertEq(_size(seats.submitted), submitted, "2: how many submitted");
        vm.assertEq(seats.submitted & ~seats.active, 0, "23: only active trainers submit");
    }

    function _checkSeat(Seats memory seats, uint256 seat, Member storage m, bool open) private view {
        vm.assertEq((seats.active >> seat) & 1, 1, "2: active");
        vm.assertEq((seats.leaving >> seat) & 1, m.leaving ? 1 : 0, "2: leaving");
        vm.assertEq((seats.absentLast >> seat) & 1, m.absentBefore ? 1 : 0, "2: absent before");
        vm.assertEq((seats.excludedLast >> seat) & 1, m.excludedBefore ? 1 : 0, "2: excluded before");
        if (!open) return;
        vm.assertEq((seats.submitted >> seat) & 1, m.submitted ? 1 : 0, "2: submitted");
        vm.assertEq((seats.missing >> seat) & 1, m.noticed ? 1 : 0, "2: missed");
    }

    function _size(uint256 set) private pure returns (uint256 count) {
        for (; set != 0; set &= set - 1) {
            ++count;
        }
    }

    /* PEOPLE */

    function _checkParty(uint256 jobId, Ghost storage g, address account) private view {
        vm.assertEq(
            market.withdrawable(jobId, account), g.free(account, _now()), "35: what a party can withdraw"
        );
        vm.assertEq(
            market.submissionOf(jobId, account), g.commitments[account], "22: the referee's commitment"
        );
    }

    /// @return owed Everything that belongs to the trainer, free or not.
    function _checkTrainer(uint256 jobId, Ghost storage g, address account)
        private
        view
        returns (uint256 owed)
    {
        Trainer memory t = market.trainerOf(jobId, account);
        Member storage m = g.member[account];
        vm.assertEq(t.credit, m.credit, "2: credit");
        vm.assertEq(t.pending, m.pending, "2: pending pay");
        vm.assertEq(uint256(t.status), uint256(m.status), "2: status");
        vm.assertEq(t.strikes, m.strikes, "2: strikes");
        if (m.pending != 0) vm.assertEq(t.pendingRound, m.pendingRound, "2: round of the pending pay");
        bool leaving = m.status == TrainerStatus.Leaving || m.status == TrainerStatus.Absent;
        if (leaving) vm.assertEq(t.releaseRound, m.releaseRound, "2: round that holds the stake");
        vm.assertEq(
            market.withdrawable(jobId, account), g.free(account, _now()), "35: what a trainer can withdraw"
        );
        vm.assertEq(market.submissionOf(jobId, account), g.commitments[account], "22: a commitment");
        return g.credits[account] + m.credit + m.pending + g.stakeHeld(m);
    }

    /* CHANGE */

    /// @dev Nobody's money falls but the caller's by its withdrawal, or by a rule that takes it from this one.
    function _checkEntitlements(uint256 jobId, Ghost storage g) private {
        for (uint256 i = 0; i < g.members.length; ++i) {
            address account = g.members[i];
            Member storage m = g.member[account];
            Trainer memory t = market.trainerOf(jobId, account);
            uint256 stake = t.status == TrainerStatus.None || t.status == TrainerStatus.Out
                ? 0
                : g.terms.stake - (t.status == TrainerStatus.Absent ? g.terms.absencePenalty : 0);
            uint256 entitled = g.credits[account] + stake + t.credit + t.pending;
            if (!m.mayLose) vm.assertGe(entitled, m.entitled, "17: a trainer's money fell without a rule");
            (m.entitled, m.mayLose) = (uint128(entitled), false);
        }
    }

    /// @dev States follow the table, rounds only rise, terms stay.
    function _checkForward(uint256 jobId) private {
        Progress memory p = market.progressOf(jobId);
        JobState seen = _seenState[jobId];
        bool allowed = p.state == seen || (seen == JobState.None && p.state == JobState.Open)
            || (seen == JobState.Open && (p.state == JobState.Running || p.state == JobState.Aborted))
            || (seen == JobState.Running && (p.state == JobState.Completed || p.state == JobState.Aborted));
        vm.assertTrue(allowed, "10: a job's state took a way that is not in the table");
        vm.assertTrue(
            p.round == _seenRound[jobId] || p.round == _seenRound[jobId] + 1, "10: rounds rise by one"
        );
        (_seenState[jobId], _seenRound[jobId]) = (p.state, p.round);
        bytes32 terms = keccak256(abi.encode(market.termsOf(jobId)));
        if (seen == JobState.None) _seenTerms[jobId] = keccak256(abi.encode(ghosts[jobId].terms));
        vm.assertEq(terms, _seenTerms[jobId], "2: terms never change");
    }
}
