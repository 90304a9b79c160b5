// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Terms, TrainerStatus} from "../../src/Types.sol";

/// @notice What a campaign has in mind for a job, so that every way to its end is taken often.
enum Plot {
    Finish,
    FailTwice,
    VoidOften,
    LoseTrainers,
    Flag,
    OwnerAborts,
    Refute,
    NeverStart,
    Anything
}

/// @notice One trainer of a job as the protocol describes it, without seats.
struct Member {
    bool listed;
    bool active;
    bool joining;
    bool leaving;
    bool submitted;
    bool noticed;
    bool excluded;
    bool absentBefore;
    bool excludedBefore;
    bool voter;
    bool flagged;
    bool mayLose;
    uint8 strikes;
    TrainerStatus status;
    uint16 pendingRound;
    uint16 struckIn;
    uint16 releaseRound;
    uint96 credit;
    uint96 pending;
    uint128 entitled;
}

/// @notice A job as the protocol describes it: kept once by the campaign, which knows what it called, and once more from
/// the market's events alone. `received` and `sent` are all money that ever moved; `paid`, `fees`, `forfeited` and
/// `refunded` are what became of the owner's deposit. `previousModel`, `gram` and `proof` are the last settlement's.
struct Ghost {
    Terms terms;
    address owner;
    Plot plot;
    JobState state;
    JobState outcome;
    bool accepted;
    bool abortRequested;
    bool open;
    bool closed;
    bool referenceSubmitted;
    bool referenceNoticed;
    bool referenceExcluded;
    uint8 failures;
    uint16 voids;
    uint16 round;
    uint16 lastSettled;
    uint16 settledRounds;
    uint16 referenceRounds;
    uint40 submitEnd;
    uint40 challengeEnd;
    uint128 escrow;
    uint128 bond;
    uint128 burned;
    uint128 deposited;
    uint128 paid;
    uint128 fees;
    uint128 forfeited;
    uint128 refunded;
    uint128 received;
    uint128 sent;
    bytes32 specificationHash;
    bytes model;
    bytes previousModel;
    bytes gram;
    bytes proof;
    address challenger;
    bytes32 key;
    bytes32 nextKey;
    address[] members;
    mapping(address account => Member) member;
    mapping(address account => uint256) credits;
    mapping(address account => bytes32) commitments;
}

/// @notice What follows from a ghost by the protocol's rules.
library Ghosts {
    /// @notice Whether the job has ended.
    function ended(Ghost storage g) internal view returns (bool) {
        return g.state == JobState.Completed || g.state == JobState.Aborted;
    }

    /// @notice Whether `round` is open.
    function inRound(Ghost storage g, uint256 round) internal view returns (bool) {
        return g.state == JobState.Running && g.outcome == JobState.None && g.round == round;
    }

    /// @notice Whether submissions are being taken.
    function submitting(Ghost storage g, uint256 time) internal view returns (bool) {
        return g.open && !g.closed && time <= g.submitEnd;
    }

    /// @notice The end of the delivery window.
    function deliverEnd(Ghost storage g) internal view returns (uint256) {
        return uint256(g.submitEnd) + g.terms.deliverWindow;
    }

    /// @notice The end of the settlement window.
    function settleEnd(Ghost storage g) internal view returns (uint256) {
        uint256 delivered = deliverEnd(g);
        return (delivered > g.challengeEnd ? delivered : g.challengeEnd) + g.terms.settleWindow;
    }

    /// @notice Submissions that a round needs.
    function quorum(Ghost storage g) internal view returns (uint256) {
        return 2 * uint256(g.terms.tolerated) + 3;
    }

    /// @notice What the trainers of the next settled round share.
    function reward(Ghost storage g) internal view returns (uint256) {
        return part(g.terms.rewardPerRound, g.terms.rewardDecay, g.terms.rounds, g.settledRounds);
    }

    /// @notice A round's part of what all rounds pay: in proportion to a power of the rounds less those settled before it,
    /// rounded down.
    function part(uint256 average, uint256 power, uint256 rounds, uint256 settled)
        internal
        pure
        returns (uint256)
    {
        uint256 parts = 0;
        for (uint256 left = 1; left <= rounds; ++left) {
            parts += left ** power;
        }
        return average * rounds * (rounds - settled) ** power / parts;
    }

    /// @notice Whether money tied to `round` must wait.
    function locked(Ghost storage g, uint256 round, uint256 time) internal view returns (bool) {
        if (ended(g)) return false;
        return (g.open && round == g.round) || (round == g.lastSettled && time <= g.challengeEnd);
    }

    /// @notice The stake that the market still holds for a trainer.
    function stakeHeld(Ghost storage g, Member storage m) internal view returns (uint256) {
        if (m.status == TrainerStatus.Staked || m.status == TrainerStatus.Leaving) return g.terms.stake;
        if (m.status == TrainerStatus.Absent) return g.terms.stake - g.terms.absencePenalty;
        return 0;
    }

    /// @notice The part of it that the trainer can withdraw.
    function stakeFree(Ghost storage g, Member storage m, uint256 time) internal view returns (uint256) {
        bool held = m.status == TrainerStatus.Staked ? !ended(g) : locked(g, m.releaseRound, time);
        return held ? 0 : stakeHeld(g, m);
    }

    /// @notice What an account can withdraw.
    function free(Ghost storage g, address account, uint256 time) internal view returns (uint256) {
        Member storage m = g.member[account];
        uint256 pay = m.pending != 0 && locked(g, m.pendingRound, time) ? 0 : m.pending;
        return g.credits[account] + m.credit + pay + stakeFree(g, m, time);
    }

    /// @notice Members that take part in the current round, that submitted in it, and that take a seat.
    function sizes(Ghost storage g, uint256 time)
        internal
        view
        returns (uint256 active, uint256 submitted, uint256 seated)
    {
        for (uint256 i = 0; i < g.members.length; ++i) {
            Member storage m = g.member[g.members[i]];
            if (m.active) ++active;
            if (m.submitted) ++submitted;
            if (m.active || m.joining || (m.voter && time <= g.challengeEnd)) ++seated;
        }
    }

    /// @notice Whether an account is known to the job otherwise than as a challenger.
    function isParty(Ghost storage g, address account) internal view returns (bool) {
        return account == g.owner || account == g.terms.aggregator || account == g.terms.referee
            || g.member[account].listed;
    }

    /// @notice Takes back what a refuted round paid and burned.
    function undoRound(Ghost storage g) internal {
        for (uint256 i = 0; i < g.members.length; ++i) {
            Member storage m = g.member[g.members[i]];
            if (m.pendingRound == g.lastSettled && m.pending != 0) {
                g.escrow += m.pending;
                g.paid -= m.pending;
                (m.pending, m.mayLose) = (0, true);
            }
            if (m.struckIn == g.lastSettled && m.struckIn != 0) {
                (m.status, m.struckIn) = (TrainerStatus.Staked, 0);
                g.burned -= g.terms.stake;
            }
        }
        g.settledRounds -= 1;
        g.model = g.previousModel;
    }

    /// @notice Lists an account among those who ever joined.
    function list(Ghost storage g, address account) internal returns (Member storage m) {
        m = g.member[account];
        if (m.listed) return m;
        m.listed = true;
        g.members.push(account);
    }

    /// @notice Empties what an account can withdraw.
    function drain(Ghost storage g, address account, uint256 time) internal {
        Member storage m = g.member[account];
        g.credits[account] = 0;
        m.credit = 0;
        if (m.pending != 0 && !locked(g, m.pendingRound, time)) m.pending = 0;
        if (stakeFree(g, m, time) != 0) m.status = TrainerStatus.Out;
    }
}
