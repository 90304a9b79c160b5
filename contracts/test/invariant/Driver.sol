// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Reason, Terms, TrainerStatus} from "../../src/Types.sol";
import {Lies} from "../Lies.sol";
import {Exit} from "./Exit.sol";
import {Ghost, Ghosts, Member, Plot} from "./Ghost.sol";
import {Fault} from "./SettleModel.sol";

/// @notice What is to become of a round.
enum Fate {
    Settle,
    TooFewSubmitted,
    TooFewAccepted,
    TooManyFaulty,
    TooFewKept,
    Expire
}

/// @notice Takes jobs towards the ends that their plots have in mind, a call at a time.
abstract contract Driver is Exit {
    using Ghosts for Ghost;

    /// @dev When a job that could do nothing wants to be asked again.
    uint256 internal wake;

    /// @dev One sensible call for the job; false if it has to wait.
    function _further(uint256 jobId) internal returns (bool) {
        Ghost storage g = ghosts[jobId];
        if (g.ended()) return _collect(jobId, g);
        if (g.state == JobState.Open) return _towardsStart(jobId, g);
        if (_oneIn(12) && _collect(jobId, g)) return true;
        if (g.plot != Plot.VoidOften && _oneIn(8) && _comeOrGo(jobId, g)) return true;
        if (_towardsAbort(jobId, g)) return true;
        if (g.outcome != JobState.None) {
            if (!_passed(g.challengeEnd)) return false;
            _complete(_anybody(), jobId);
            return true;
        }
        return g.submitting(_now()) ? _towardsSubmissions(jobId, g) : _towardsSettlement(jobId, g);
    }

    /// @dev Whether the moment is over; if not, asks to be woken then.
    function _passed(uint256 moment) private returns (bool) {
        if (_now() > moment) return true;
        if (moment + 1 < wake) wake = moment + 1;
        return false;
    }

    /* BEFORE THE START */

    function _towardsStart(uint256 jobId, Ghost storage g) private returns (bool) {
        (uint256 active,,) = g.sizes(_now());
        bool ownerGivesUp = g.plot == Plot.NeverStart && jobId % 2 == 0;
        if (_now() > g.terms.startDeadline) _abort(_pick(strangers), jobId);
        else if (ownerGivesUp && g.members.length > 1 && _oneIn(3)) _abort(g.owner, jobId);
        else if (!g.accepted) _accept(g.terms.aggregator, jobId, _key(), _bondFor(g));
        else if (_oneIn(10)) _rotateKey(g.terms.aggregator, jobId, _key());
        else if (active < _target(jobId, g)) _joinOne(jobId, g);
        else if (_oneIn(8)) _leave(g.members[_below(g.members.length)], jobId);
        else if (g.plot != Plot.NeverStart) _start(_anybody(), jobId);
        else return _passed(g.terms.startDeadline);
        return true;
    }

    function _target(uint256 jobId, Ghost storage g) private view returns (uint256) {
        if (g.plot == Plot.LoseTrainers) return g.terms.minTrainers;
        if (g.plot == Plot.VoidOften) return g.terms.maxTrainers;
        if (g.plot == Plot.NeverStart) return g.terms.minTrainers - 1;
        uint256 room = uint256(g.terms.maxTrainers) - g.terms.minTrainers;
        return g.terms.minTrainers + _trait(jobId, address(0), "target", room + 1);
    }

    function _key() internal returns (bytes32) {
        return bytes32(_between(1, type(uint256).max - 1));
    }

    function _bondFor(Ghost storage g) internal returns (uint256) {
        return _supply(g.terms.token, g.terms.aggregator, g.terms.bond);
    }

    function _joinOne(uint256 jobId, Ghost storage g) internal {
        address account = trainers[_below(g.terms.allowlistRoot == 0 ? POOL : ALLOWED)];
        _join(account, jobId, false, _supply(g.terms.token, account, g.terms.stake));
    }

    /* COMING, GOING, COLLECTING */

    function _comeOrGo(uint256 jobId, Ghost storage g) private returns (bool) {
        if (g.outcome != JobState.None) return false;
        // One that has just joined, if there is one.
        uint256 place = _below(g.members.length);
        for (uint256 i = 0; i < g.members.length; ++i) {
            if (g.member[g.members[i]].joining) place = i;
        }
        address account = g.members[place];
        Member storage m = g.member[account];
        bool leaves = m.status == TrainerStatus.Staked
            && (m.joining ? _oneIn(2) : g.plot == Plot.LoseTrainers || _oneIn(6));
        if (leaves) {
            _leave(account, jobId);
            return true;
        }
        (,, uint256 seated) = g.sizes(_now());
        if (seated >= g.terms.maxTrainers || g.plot == Plot.LoseTrainers) return false;
        if (g.round == g.terms.rounds || g.abortRequested) return false;
        _joinOne(jobId, g);
        return true;
    }

    /// @dev Somebody takes its money, or slashed money is burned; false if there is none.
    function _collect(uint256 jobId, Ghost storage g) private returns (bool) {
        uint256 parties = g.members.length + 4;
        uint256 first = _below(parties);
        for (uint256 k = 0; k < parties; ++k) {
            address account = _partyOf(g, (first + k) % parties);
            if (g.free(account, _now()) == 0) continue;
            address to = _oneIn(4) ? address(intruder) : _oneIn(12) ? refuser : account;
            _withdraw(account, jobId, to);
            return true;
        }
        if (g.burned == 0 || !g.ended()) return false;
        _burn(_anybody(), jobId);
        return true;
    }

    function _partyOf(Ghost storage g, uint256 index) private view returns (address) {
        if (index == 0) return g.owner;
        if (index == 1) return g.terms.aggregator;
        if (index == 2) return g.terms.referee;
        if (index == 3) return g.challenger;
        return g.members[index - 4];
    }

    /* TOWARDS AN EARLY END */

    function _towardsAbort(uint256 jobId, Ghost storage g) private returns (bool) {
        if (g.plot == Plot.Flag && g.lastSettled != 0 && _now() <= g.challengeEnd) {
            for (uint256 i = 0; i < g.members.length; ++i) {
                Member storage m = g.member[g.members[i]];
                if (!m.voter || m.flagged) continue;
                _flag(g.members[i], jobId, g.lastSettled);
                return true;
            }
        }
        if (g.plot == Plot.Refute && _towardsRefutation(jobId, g)) return true;
        bool asks = g.plot == Plot.OwnerAborts && g.outcome == JobState.None && !g.abortRequested && _oneIn(2);
        if (asks) _abort(g.owner, jobId);
        return asks;
    }

    /// @dev Somebody refutes the last settlement if it can, a block after announcing it.
    function _towardsRefutation(uint256 jobId, Ghost storage g) private returns (bool) {
        if (g.lastSettled == 0 || _now() > g.challengeEnd) return false;
        Refutation memory r = _refutationOf(jobId, g);
        if (!_isNegative(r.gram, r.x)) return false;
        address challenger = _challengerOf(jobId, g);
        uint256 announcedBlock = _announcedIn(challenger, r);
        if (announcedBlock == 0) _announce(challenger, challenger, r);
        else if (announcedBlock < vm.getBlockNumber()) _refute(challenger, r);
        else return false;
        return true;
    }

    /// @dev The refutation of the last settlement, which holds if that was a lie.
    function _refutationOf(uint256 jobId, Ghost storage g) internal view returns (Refutation memory) {
        uint256 rows = 0;
        while (4 * rows * (rows + 1) < g.gram.length) ++rows;
        bytes memory x = rows < 3 ? bytes("") : Lies.witness(rows);
        return Refutation(jobId, g.lastSettled, keccak256(g.previousModel), g.gram, x);
    }

    /// @dev Whoever refutes this round: a stranger, a trainer, the owner or the aggregator itself.
    function _challengerOf(uint256 jobId, Ghost storage g) private view returns (address) {
        uint256 kind = _trait(jobId, address(uint160(g.lastSettled)), "challenger", 6);
        if (kind == 0) return g.owner;
        if (kind == 1) return g.terms.aggregator;
        if (kind < 4) return g.members[0];
        return strangers[0];
    }

    /* ROUNDS */

    function _fate(uint256 jobId, Ghost storage g) private view returns (Fate) {
        uint256 trait = _trait(jobId, address(uint160(g.round)), "fate", 100);
        bool fails = g.plot == Plot.FailTwice || (g.plot == Plot.VoidOften && g.round % 2 == 1)
            || (g.plot == Plot.Anything && trait % 3 == 0);
        if (!fails) return Fate.Settle;
        uint256 kinds = g.plot == Plot.VoidOften ? 4 : 5;
        return Fate(1 + trait % kinds);
    }

    function _towardsSubmissions(uint256 jobId, Ghost storage g) private returns (bool) {
        (uint256 active, uint256 submitted,) = g.sizes(_now());
        bool short = _fate(jobId, g) == Fate.TooFewSubmitted;
        for (uint256 i = 0; i < g.members.length; ++i) {
            address account = g.members[i];
            Member storage m = g.member[account];
            if (!m.active || m.submitted || (short && submitted + 1 >= g.quorum())) continue;
            bool lazy =
                _trait(jobId, account, "lazy", 5) == 0 && active > g.quorum() && g.plot != Plot.VoidOften;
            if (lazy) continue;
            _submit(account, jobId, g.round, _commitmentHash(g, account), _cid("envelope"));
            return true;
        }
        bool silent = g.plot != Plot.Refute && _trait(jobId, address(uint160(g.round)), "referee", 6) == 0;
        if (g.terms.referee != address(0) && !g.referenceSubmitted && !silent) {
            bytes32 hash = _commitmentHash(g, g.terms.referee);
            _submitReference(g.terms.referee, jobId, g.round, hash, _cid("reference"));
            return true;
        }
        if (submitted < active || (g.terms.referee != address(0) && !g.referenceSubmitted)) {
            return _passed(g.submitEnd);
        }
        _closeSubmissions(_anybody(), jobId, g.round);
        return true;
    }

    function _towardsSettlement(uint256 jobId, Ghost storage g) private returns (bool) {
        Fate fate = _fate(jobId, g);
        (, uint256 submitted,) = g.sizes(_now());
        if (submitted < g.quorum() && !_oneIn(4)) {
            _void(_anybody(), jobId, g.round);
            return true;
        }
        if (fate == Fate.Expire || _now() > g.settleEnd()) {
            if (!_passed(g.settleEnd())) return false;
            if (submitted < g.quorum()) _void(_anybody(), jobId, g.round);
            else _expire(_anybody(), jobId, g.round);
            return true;
        }
        bool inTime = _now() <= uint256(g.submitEnd) + g.terms.deliverWindow / 2;
        bool wanted = fate == Fate.TooFewAccepted || _excludedBefore(g) != address(0) || _oneIn(3);
        if (inTime && wanted && !_anyNoticed(g)) {
            _missing(g.terms.aggregator, jobId, g.round, _missed(g, fate == Fate.TooFewAccepted));
            return true;
        }
        if (!_passed(g.challengeEnd)) return false;
        Wish memory wish = _wish(g, fate, submitted);
        if (wish.reason == Reason.Unavailable && !_passed(g.deliverEnd())) return false;
        _settle(g.terms.aggregator, jobId, wish);
        return true;
    }

    function _anyNoticed(Ghost storage g) private view returns (bool) {
        for (uint256 i = 0; i < g.members.length; ++i) {
            if (g.member[g.members[i]].noticed) return true;
        }
        return g.referenceNoticed;
    }

    /// @dev A submitter who was excluded from the round before; zero if there is none.
    function _excludedBefore(Ghost storage g) private view returns (address) {
        for (uint256 i = 0; i < g.members.length; ++i) {
            Member storage m = g.member[g.members[i]];
            if (m.submitted && m.excludedBefore) return g.members[i];
        }
        return address(0);
    }

    /// @dev Whom the aggregator says it misses: all submitters, or one that it excluded before, and the referee.
    function _missed(Ghost storage g, bool all) private view returns (address[] memory accounts) {
        address[] memory submitters = _submitters(g);
        uint256 count = all || submitters.length == 0 ? submitters.length : 1;
        accounts = new address[](count + (g.referenceSubmitted ? 1 : 0));
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = submitters[i];
        }
        if (count == 1 && _excludedBefore(g) != address(0)) accounts[0] = _excludedBefore(g);
        if (g.referenceSubmitted) accounts[count] = g.terms.referee;
    }

    function _wish(Ghost storage g, Fate fate, uint256 submitted) internal returns (Wish memory wish) {
        bool unavailable = _anyNoticed(g) && (_excludedBefore(g) != address(0) || _oneIn(2));
        wish.reason = unavailable ? Reason.Unavailable : Reason(_between(2, 4));
        wish.excludeReference = _oneIn(g.plot == Plot.Refute ? 20 : 6);
        wish.nobodyPaid = _oneIn(g.plot == Plot.Refute ? 20 : 8);
        wish.lie = g.plot == Plot.Refute ? !_oneIn(10) : _oneIn(12);
        wish.harmful = g.plot == Plot.Refute && !_oneIn(10);
        wish.keepTwo = fate == Fate.TooFewKept;
        uint256 spare = submitted > g.quorum() ? submitted - g.quorum() : 0;
        if (fate == Fate.TooManyFaulty) {
            (wish.excluded, wish.reason) = (g.terms.tolerated + 1, Reason.Mismatch);
        } else if (fate == Fate.TooFewAccepted) {
            (wish.excluded, wish.reason) = (spare + 1, Reason.Unavailable);
        } else if (unavailable) {
            wish.excluded = spare == 0 ? 0 : 1;
        } else if (g.plot != Plot.VoidOften) {
            wish.excluded = spare < g.terms.tolerated ? spare : g.terms.tolerated;
        }
        wish.fault = _fault(g, wish);
    }

    /// @dev None in three of eight; else any, or one of those that only a proof shows, the rarer ones more often.
    function _fault(Ghost storage g, Wish memory wish) private returns (Fault) {
        if (_oneIn(4)) return Fault(_between(1, uint256(type(Fault).max)));
        if (_oneIn(2)) return Fault.None;
        bool excludes = wish.excluded != 0 || wish.excludeReference;
        if (excludes && wish.reason != Reason.Unavailable && !_oneIn(3)) return Fault.OtherEvidence;
        if (g.proof.length != 0 && _oneIn(3)) return Fault.ProofReplayed;
        Fault[5] memory others =
            [Fault.ProofWord, Fault.GramEntry, Fault.NewModel, Fault.Weights, Fault.Aggregate];
        return others[_below(5)];
    }
}
