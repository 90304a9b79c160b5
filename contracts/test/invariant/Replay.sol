// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Removal, Terms, TrainerStatus, VoidCause} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Vm} from "../Vm.sol";
import {Checks} from "./Checks.sol";
import {Ghost, Ghosts, Member} from "./Ghost.sol";

/// @notice Rebuilds every job from the market's events and the times of their blocks, and from nothing else.
abstract contract Replay is Checks {
    using Ghosts for Ghost;

    mapping(uint256 jobId => Ghost) internal replayed;

    /// @dev Replays what was logged since the last time.
    function _replay() internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bool flagged = false;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(market)) continue;
            if (logs[i].topics[0] == ITrainingMarket.Flagged.selector) flagged = true;
            _replayLog(logs[i], flagged);
        }
    }

    /// @dev Compares the market with what its events say of a job.
    function _checkReplay(uint256 jobId) internal view {
        _checkJob(jobId, replayed[jobId]);
    }

    function _replayLog(Vm.Log memory log, bool flagged) private {
        bytes32 kind = log.topics[0];
        Ghost storage g = replayed[uint256(log.topics[1])];
        if (kind == ITrainingMarket.JobCreated.selector) return _created(g, log);
        if (kind == ITrainingMarket.JobEnded.selector) return _jobEnded(g, log.data, flagged);
        if (kind == ITrainingMarket.RoundScored.selector) return _scored(g, log);
        if (kind == ITrainingMarket.RoundOpened.selector) return _opened(g, log);
        if (_replayMoney(g, kind, log) || _replayTrainer(g, kind, log)) return;
        _replayRound(g, kind, log);
    }

    function _account(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }

    /* MONEY */

    function _created(Ghost storage g, Vm.Log memory log) private {
        (Terms memory terms, bytes memory cid) = abi.decode(log.data, (Terms, bytes));
        g.terms = terms;
        g.owner = _account(log.topics[2]);
        g.state = JobState.Open;
        g.specificationHash = keccak256(cid);
        g.model = new bytes(64);
        g.deposited = uint128(_deposit(terms));
        g.escrow = g.deposited;
        g.received = g.deposited;
    }

    function _replayMoney(Ghost storage g, bytes32 kind, Vm.Log memory log) private returns (bool) {
        if (kind == ITrainingMarket.JobAccepted.selector) {
            g.nextKey = abi.decode(log.data, (bytes32));
            g.bond = g.terms.bond;
            g.received += g.bond;
        } else if (kind == ITrainingMarket.KeyRotated.selector) {
            g.nextKey = abi.decode(log.data, (bytes32));
        } else if (kind == ITrainingMarket.Withdrawn.selector) {
            (, uint256 amount) = abi.decode(log.data, (address, uint256));
            address account = _account(log.topics[2]);
            vm.assertEq(amount, g.free(account, _now()), "30: a withdrawal is what the events say is due");
            g.drain(account, _now());
            g.sent += uint128(amount);
        } else if (kind == ITrainingMarket.Burned.selector) {
            uint256 amount = abi.decode(log.data, (uint256));
            g.burned -= uint128(amount);
            g.sent += uint128(amount);
        } else {
            return false;
        }
        return true;
    }

    function _jobEnded(Ghost storage g, bytes memory data, bool flagged) private {
        (JobState outcome, uint256 aggregatorFees, uint256 refereeFees, uint256 bond, uint256 refund) =
            abi.decode(data, (JobState, uint256, uint256, uint256, uint256));
        // What neither goes to a party nor back to the owner was slashed.
        g.forfeited = uint128(g.escrow - aggregatorFees - refereeFees - refund);
        g.burned += uint128(g.forfeited + g.bond - bond);
        vm.assertTrue(
            flagged || g.forfeited + g.bond == bond, "20: money was slashed at an end without a flag"
        );
        if (flagged) g.settledRounds -= 1;
        g.fees = uint128(aggregatorFees + refereeFees);
        g.refunded = uint128(refund);
        g.credits[g.terms.aggregator] += aggregatorFees + bond;
        g.credits[g.terms.referee] += refereeFees;
        g.credits[g.owner] += refund;
        (g.state, g.outcome, g.open) = (outcome, outcome, false);
        (g.escrow, g.bond) = (0, 0);
    }

    /* TRAINERS */

    function _replayTrainer(Ghost storage g, bytes32 kind, Vm.Log memory log) private returns (bool) {
        if (log.topics.length < 3) return false;
        address account = _account(log.topics[2]);
        if (kind == ITrainingMarket.TrainerJoined.selector) {
            (, uint256 fromRound) = abi.decode(log.data, (uint256, uint256));
            Member storage m = g.list(account);
            m.status = TrainerStatus.Staked;
            if (fromRound == 1) m.active = true;
            else m.joining = true;
            g.received += g.terms.stake;
        } else if (kind == ITrainingMarket.TrainerLeft.selector) {
            _memberLeft(g, account, abi.decode(log.data, (uint256)));
        } else if (kind == ITrainingMarket.TrainerRemoved.selector) {
            _removed(g, g.member[account], log.data);
        } else if (kind == ITrainingMarket.Strike.selector) {
            (, uint256 strikes) = abi.decode(log.data, (uint256, uint256));
            g.member[account].strikes = uint8(strikes);
        } else {
            return false;
        }
        return true;
    }

    function _memberLeft(Ghost storage g, address account, uint256 lastRound) private {
        Member storage m = g.member[account];
        if (lastRound != 0) {
            (m.leaving, m.status, m.releaseRound) = (true, TrainerStatus.Leaving, uint16(lastRound));
            return;
        }
        (m.active, m.joining, m.status) = (false, false, TrainerStatus.None);
        g.credits[account] += g.terms.stake;
    }

    function _removed(Ghost storage g, Member storage m, bytes memory data) private {
        (uint256 round, Removal removal, uint256 burned) = abi.decode(data, (uint256, Removal, uint256));
        g.burned += uint128(burned);
        m.leaving = true;
        if (removal == Removal.StruckOut) {
            vm.assertEq(burned, g.terms.stake, "20: a struck trainer loses its stake");
            (m.status, m.struckIn) = (TrainerStatus.Out, uint16(round));
            return;
        }
        bool absent = removal == Removal.Absent;
        vm.assertEq(burned, absent ? g.terms.absencePenalty : 0, "20: what a removed trainer loses");
        m.status = absent ? TrainerStatus.Absent : TrainerStatus.Leaving;
        m.releaseRound = uint16(round);
    }

    /* ROUNDS */

    function _opened(Ghost storage g, Vm.Log memory log) private {
        (uint256 submitEnd, bytes32 key, bytes32 modelHash) =
            abi.decode(log.data, (uint256, bytes32, bytes32));
        vm.assertEq(modelHash, keccak256(g.model), "30: the model of an opened round");
        if (g.round != 0) _closeRound(g);
        g.state = JobState.Running;
        g.round = uint16(uint256(log.topics[2]));
        (g.open, g.closed, g.key, g.submitEnd) = (true, false, key, uint40(submitEnd));
        (g.referenceSubmitted, g.referenceNoticed, g.referenceExcluded) = (false, false, false);
        for (uint256 i = 0; i < g.members.length; ++i) {
            Member storage m = g.member[g.members[i]];
            (m.submitted, m.noticed, m.excluded) = (false, false, false);
        }
    }

    function _closeRound(Ghost storage g) private {
        g.open = false;
        for (uint256 i = 0; i < g.members.length; ++i) {
            Member storage m = g.member[g.members[i]];
            bool stays = m.active && !m.leaving;
            (m.absentBefore, m.excludedBefore) = (stays && !m.submitted, stays && m.excluded);
            (m.active, m.joining, m.leaving) = (stays || m.joining, false, false);
        }
    }

    function _replayRound(Ghost storage g, bytes32 kind, Vm.Log memory log) private {
        address account = log.topics.length > 3 ? _account(log.topics[3]) : address(0);
        if (kind == ITrainingMarket.AbortRequested.selector) {
            g.abortRequested = true;
        } else if (kind == ITrainingMarket.Submitted.selector) {
            (g.commitments[account],) = abi.decode(log.data, (bytes32, bytes));
            vm.assertFalse(g.member[account].submitted, "22: a second commitment in a round");
            g.member[account].submitted = true;
        } else if (kind == ITrainingMarket.ReferenceSubmitted.selector) {
            (g.commitments[account],) = abi.decode(log.data, (bytes32, bytes));
            g.referenceSubmitted = true;
        } else if (kind == ITrainingMarket.SubmissionsClosed.selector) {
            (g.closed, g.submitEnd) = (true, uint40(abi.decode(log.data, (uint256)) - g.terms.deliverWindow));
        } else if (kind == ITrainingMarket.Missing.selector) {
            if (account == g.terms.referee) g.referenceNoticed = true;
            else g.member[account].noticed = true;
        } else if (kind == ITrainingMarket.Excluded.selector) {
            if (account == g.terms.referee) g.referenceExcluded = true;
            else g.member[account].excluded = true;
        } else if (kind == ITrainingMarket.Flagged.selector) {
            g.member[account].flagged = true;
        } else if (kind == ITrainingMarket.GramRefuted.selector) {
            _refuted(g, account, abi.decode(log.data, (uint256)));
        } else {
            _replayRoundEnd(g, kind, log);
        }
    }

    function _replayRoundEnd(Ghost storage g, bytes32 kind, Vm.Log memory log) private {
        if (kind == ITrainingMarket.RoundVoided.selector) {
            VoidCause cause = abi.decode(log.data, (VoidCause));
            if (cause == VoidCause.Flagged || cause == VoidCause.Refuted) return;
            (g.voids, g.failures) = (g.voids + 1, g.failures + 1);
        } else if (kind == ITrainingMarket.RoundExpired.selector) {
            _expired(g, log.data);
        } else if (kind == ITrainingMarket.RoundSettled.selector) {
            _roundSettled(g, log.data);
        } else if (kind == ITrainingMarket.JobEnding.selector) {
            (JobState outcome, uint256 challengeEnd) = abi.decode(log.data, (JobState, uint256));
            vm.assertEq(challengeEnd, g.challengeEnd, "30: the end of the last challenge window");
            _closeRound(g);
            g.outcome = outcome;
        } else {
            vm.assertTrue(false, "30: an event that is not known");
        }
    }

    function _refuted(Ghost storage g, address challenger, uint256 reward) private {
        vm.assertEq(reward, g.bond / 2, "20: half of the bond goes to the challenger");
        g.undoRound();
        g.credits[challenger] += reward;
        g.burned += g.bond - uint128(reward);
        (g.bond, g.challenger) = (0, challenger);
    }

    function _expired(Ghost storage g, bytes memory data) private {
        (uint256 penalty, uint256 share) = abi.decode(data, (uint256, uint256));
        g.bond -= uint128(penalty);
        for (uint256 i = 0; i < g.members.length; ++i) {
            Member storage m = g.member[g.members[i]];
            if (!m.submitted) continue;
            m.credit += uint96(share);
            penalty -= share;
        }
        g.burned += uint128(penalty);
        g.failures += 1;
    }

    function _roundSettled(Ghost storage g, bytes memory data) private {
        (,, bytes memory model,,) = abi.decode(data, (bytes, bytes, bytes, bytes, bytes));
        g.previousModel = g.model;
        g.model = model;
        (g.lastSettled, g.failures) = (g.round, 0);
        g.settledRounds += 1;
        if (g.referenceSubmitted && !g.referenceExcluded) g.referenceRounds += 1;
        g.challengeEnd = uint40(_now() + g.terms.challengeWindow);
    }

    /// @dev Pay, with what must hold of every list of payees.
    function _scored(Ghost storage g, Vm.Log memory log) private {
        (address[] memory accounts, uint256[] memory weights, int256[] memory values, uint256[] memory pay) =
            abi.decode(log.data, (address[], uint256[], int256[], uint256[]));
        bool parallel = accounts.length == weights.length && accounts.length == values.length
            && accounts.length == pay.length;
        vm.assertTrue(parallel, "23: lists of one length");
        address previous = address(0);
        uint256 paid = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            vm.assertTrue(accounts[i] > previous, "23: payees in ascending order, none of them zero");
            previous = accounts[i];
            Member storage m = g.member[previous];
            vm.assertTrue(m.submitted && !m.excluded, "23: payees submitted and were not excluded");
            vm.assertTrue(
                pay[i] == 0 || (weights[i] != 0 && values[i] > 0), "23: pay only for a contribution"
            );
            paid += _pay(m, uint256(log.topics[2]), pay[i]);
        }
        vm.assertLe(paid, g.reward(), "5: a round pays no more than its reward");
        g.escrow -= uint128(paid);
        g.paid += uint128(paid);
    }

    function _pay(Member storage m, uint256 round, uint256 pay) private returns (uint256) {
        if (pay == 0) return 0;
        (m.credit, m.pending, m.pendingRound) = (m.credit + m.pending, uint96(pay), uint16(round));
        return pay;
    }
}
