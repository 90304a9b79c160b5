// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Terms, TrainerStatus} from "../../src/Types.sol";
import {Ghost, Ghosts, Member, Plot} from "./Ghost.sol";
import {World} from "./World.sol";

/// @notice What the protocol says of each call but settlements: whether it is legal, and what it changes.
abstract contract Model is World {
    using Ghosts for Ghost;

    uint256 internal constant GAS_LIMIT = 2 ** 24;

    /// @dev The block in which a sealed refutation was announced first.
    mapping(bytes32 sealedRefutation => uint256) internal announced;

    /// @dev The job that the last call was about.
    uint256 internal touched;

    /* CALLS */

    /// @dev Makes a call and compares its success with what the model says.
    function _try(bytes32 name, address caller, uint256 value, bytes memory data, bool legal)
        internal
        returns (bool done)
    {
        if (value > caller.balance) vm.deal(caller, value);
        vm.prank(caller);
        uint256 before = gasleft();
        bytes memory answer;
        (done, answer) = address(market).call{value: value}(data);
        vm.assertLt(before - gasleft(), GAS_LIMIT, "32: a call's gas");
        _count(done ? name : _refused(name));
        // Forge records what a reverted call logged, too; a step makes one call that can be refused.
        if (!done) vm.getRecordedLogs();
        if (done == legal) return done;
        _print(string.concat("call: ", _text(name), legal ? ", legal" : ", illegal"));
        assembly ("memory-safe") {
            if iszero(done) { revert(add(answer, 32), mload(answer)) }
        }
        vm.assertTrue(
            legal, string.concat("10: a call that the protocol forbids went through: ", _text(name))
        );
    }

    function _isCid(bytes memory cid) internal pure returns (bool) {
        return cid.length == 36 && (bytes4(cid) == hex"01551220" || bytes4(cid) == hex"01701220");
    }

    function _touch(uint256 jobId) internal returns (Ghost storage) {
        touched = jobId <= jobs ? jobId : 0;
        return ghosts[jobId];
    }

    /// @dev Books a deposit.
    function _booked(Ghost storage g, uint256 amount) private {
        g.received += uint128(amount);
        held[g.terms.token] += amount;
    }

    /* OWNER */

    /// @dev `sound` tells that terms, CID and value are right.
    function _create(
        address caller,
        Terms memory terms,
        bytes memory cid,
        uint256 value,
        bool sound,
        Plot plot
    ) internal {
        bytes memory data = abi.encodeCall(market.create, (terms, cid));
        if (!_try("create", caller, value, data, sound)) return;
        Ghost storage g = ghosts[++jobs];
        touched = jobs;
        g.terms = terms;
        g.owner = caller;
        g.plot = plot;
        g.state = JobState.Open;
        g.deposited = uint128(_deposit(terms));
        g.escrow = g.deposited;
        g.specificationHash = keccak256(cid);
        g.model = new bytes(64);
        _booked(g, g.deposited);
    }

    function _abort(address caller, uint256 jobId) internal {
        Ghost storage g = _touch(jobId);
        bool late = g.state == JobState.Open && _now() > g.terms.startDeadline;
        bool running = g.state == JobState.Running && g.outcome == JobState.None && !g.abortRequested;
        bool legal = late || (caller == g.owner && (g.state == JobState.Open || running));
        if (!_try("abort", caller, 0, abi.encodeCall(market.abort, (jobId)), legal)) return;
        if (running) {
            g.abortRequested = true;
            return;
        }
        _count(caller == g.owner ? bytes32("Open to Aborted: owner") : bytes32("Open to Aborted: deadline"));
        _end(g, JobState.Aborted);
        vm.assertEq(uint256(g.refunded), g.deposited, "16: an open job's whole deposit returns to its owner");
    }

    /* AGGREGATOR */

    function _accept(address caller, uint256 jobId, bytes32 key, uint256 value) internal {
        Ghost storage g = _touch(jobId);
        bool legal = g.state == JobState.Open && caller == g.terms.aggregator && !g.accepted
            && _now() <= g.terms.startDeadline && key != 0
            && value == (g.terms.token == address(0) ? g.terms.bond : 0);
        if (!_try("accept", caller, value, abi.encodeCall(market.accept, (jobId, key)), legal)) return;
        g.accepted = true;
        g.bond = g.terms.bond;
        g.nextKey = key;
        _booked(g, g.bond);
    }

    function _rotateKey(address caller, uint256 jobId, bytes32 key) internal {
        Ghost storage g = _touch(jobId);
        bool legal = caller == g.terms.aggregator && g.accepted && g.outcome == JobState.None && !g.ended()
            && key != 0;
        if (!_try("rotateKey", caller, 0, abi.encodeCall(market.rotateKey, (jobId, key)), legal)) return;
        g.nextKey = key;
    }

    function _missing(address caller, uint256 jobId, uint256 round, address[] memory accounts) internal {
        Ghost storage g = _touch(jobId);
        bool legal = g.inRound(round) && caller == g.terms.aggregator && !g.submitting(_now())
            && _now() <= uint256(g.submitEnd) + g.terms.deliverWindow / 2;
        for (uint256 i = 0; i < accounts.length; ++i) {
            bool submitted =
                accounts[i] == g.terms.referee ? g.referenceSubmitted : g.member[accounts[i]].submitted;
            legal = legal && submitted;
        }
        bytes memory data = abi.encodeCall(market.missing, (jobId, round, accounts));
        if (!_try("missing", caller, 0, data, legal)) return;
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] == g.terms.referee) g.referenceNoticed = true;
            else g.member[accounts[i]].noticed = true;
        }
    }

    /* TRAINERS AND REFEREE */

    function _mayJoin(Ghost storage g, address caller) private view returns (bool) {
        if (!g.accepted || g.outcome != JobState.None || g.ended()) return false;
        if (g.state == JobState.Open && _now() > g.terms.startDeadline) return false;
        if (g.state == JobState.Running && (g.round == g.terms.rounds || g.abortRequested)) return false;
        if (caller == g.owner || caller == g.terms.aggregator || caller == g.terms.referee) return false;
        if (g.member[caller].status != TrainerStatus.None) return false;
        if (g.terms.allowlistRoot != 0 && !_allowed(caller)) return false;
        (,, uint256 seated) = g.sizes(_now());
        return seated < g.terms.maxTrainers;
    }

    function _join(address caller, uint256 jobId, bool wrongDigest, uint256 value) internal {
        Ghost storage g = _touch(jobId);
        bytes32 digest = _digest(jobId, g);
        if (wrongDigest) digest = keccak256(abi.encode(digest));
        bool legal =
            !wrongDigest && _mayJoin(g, caller) && value == (g.terms.token == address(0) ? g.terms.stake : 0);
        bytes memory data = abi.encodeCall(market.join, (jobId, digest, _proof(caller)));
        if (!_try("join", caller, value, data, legal)) return;
        Member storage m = g.list(caller);
        m.status = TrainerStatus.Staked;
        if (g.state == JobState.Open) m.active = true;
        else m.joining = true;
        _count(m.active ? bytes32("trainer joined: open") : bytes32("trainer joined: running"));
        _booked(g, g.terms.stake);
    }

    function _digest(uint256 jobId, Ghost storage g) internal view returns (bytes32) {
        return keccak256(abi.encode(_identity(jobId, g), g.nextKey));
    }

    /// @dev What of a job never changes.
    function _identity(uint256 jobId, Ghost storage g) internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(block.chainid, address(market), jobId, g.owner, g.terms, g.specificationHash)
            );
    }

    function _leave(address caller, uint256 jobId) internal {
        Ghost storage g = _touch(jobId);
        Member storage m = g.member[caller];
        bool legal = m.status == TrainerStatus.Staked && g.outcome == JobState.None && !g.ended();
        if (!_try("leaveJob", caller, 0, abi.encodeCall(market.leaveJob, (jobId)), legal)) return;
        if (g.state == JobState.Running && m.active) {
            m.leaving = true;
            m.status = TrainerStatus.Leaving;
            m.releaseRound = g.round;
            _count("trainer left: after its round");
            return;
        }
        _count(m.active ? bytes32("trainer left: open") : bytes32("trainer left: before its round"));
        m.active = false;
        m.joining = false;
        m.status = TrainerStatus.None;
        g.credits[caller] += g.terms.stake;
    }

    function _submit(address caller, uint256 jobId, uint256 round, bytes32 hash, bytes memory cid) internal {
        Ghost storage g = _touch(jobId);
        Member storage m = g.member[caller];
        bool legal =
            g.inRound(round) && g.submitting(_now()) && m.active && !m.submitted && hash != 0 && _isCid(cid);
        bytes memory data = abi.encodeCall(market.submit, (jobId, round, hash, cid));
        if (!_try("submit", caller, 0, data, legal)) return;
        m.submitted = true;
        g.commitments[caller] = hash;
    }

    function _submitReference(address caller, uint256 jobId, uint256 round, bytes32 hash, bytes memory cid)
        internal
    {
        Ghost storage g = _touch(jobId);
        bool legal = g.inRound(round) && g.submitting(_now()) && caller == g.terms.referee
            && !g.referenceSubmitted && hash != 0 && _isCid(cid);
        bytes memory data = abi.encodeCall(market.submitReference, (jobId, round, hash, cid));
        if (!_try("submitReference", caller, 0, data, legal)) return;
        g.referenceSubmitted = true;
        g.commitments[caller] = hash;
    }

    function _flag(address caller, uint256 jobId, uint256 round) internal {
        Ghost storage g = _touch(jobId);
        Member storage m = g.member[caller];
        bool legal = g.state == JobState.Running && round != 0 && round == g.lastSettled
            && _now() <= g.challengeEnd && m.voter && !m.flagged;
        if (!_try("flag", caller, 0, abi.encodeCall(market.flag, (jobId, round)), legal)) return;
        m.flagged = true;
        uint256 voters = 0;
        uint256 flags = 0;
        for (uint256 i = 0; i < g.members.length; ++i) {
            if (g.member[g.members[i]].voter) ++voters;
            if (g.member[g.members[i]].flagged) ++flags;
        }
        if (flags < 3 || flags * 2 <= voters) return;
        if (g.open) _count("round void: flagged");
        _count("to Aborted: flagged");
        uint128 penalty = _penalty(g);
        g.settledRounds -= 1;
        g.escrow -= g.terms.aggregatorFeePerRound;
        g.forfeited += g.terms.aggregatorFeePerRound;
        g.burned += penalty + g.terms.aggregatorFeePerRound;
        _end(g, JobState.Aborted);
    }

    /* CHALLENGES */

    /// @dev What is shown against a matrix, and what of it can be wrong.
    struct Refutation {
        uint256 jobId;
        uint256 round;
        bytes32 modelHash;
        bytes gram;
        bytes x;
    }

    /// @dev Announces, in the name of any account, that it will show a refutation.
    function _announce(address caller, address challenger, Refutation memory r) internal {
        bytes32 sealedRefutation = keccak256(abi.encode(challenger, r.jobId, r.round, r.x));
        vm.prank(caller);
        market.refutations().announce(sealedRefutation);
        _count("refutation announced");
        if (announced[sealedRefutation] == 0) announced[sealedRefutation] = vm.getBlockNumber();
    }

    /// @dev The block in which the challenger's refutation was announced; 0 for none.
    function _announcedIn(address challenger, Refutation memory r) internal view returns (uint256) {
        return announced[keccak256(abi.encode(challenger, r.jobId, r.round, r.x))];
    }

    function _refute(address caller, Refutation memory r) internal {
        Ghost storage g = _touch(r.jobId);
        uint256 block_ = _announcedIn(caller, r);
        bool legal = g.state == JobState.Running && r.round != 0 && r.round == g.lastSettled
            && _now() <= g.challengeEnd && block_ != 0 && block_ < vm.getBlockNumber()
            && r.modelHash == keccak256(g.previousModel) && keccak256(r.gram) == keccak256(g.gram)
            && _isNegative(r.gram, r.x);
        bytes memory data = abi.encodeCall(market.refuteGram, (r.jobId, r.round, r.modelHash, r.gram, r.x));
        if (!_try("refuteGram", caller, 0, data, legal)) return;
        if (g.open) _count("round void: refuted");
        _count("to Aborted: refuted");
        (uint256 paid, uint256 burned) = (g.paid, g.burned);
        g.undoRound();
        if (g.paid != paid) _count("pay taken back");
        if (g.burned != burned) _count("stake given back");
        uint128 reward = g.bond / 2;
        g.credits[caller] += reward;
        g.burned += g.bond - reward;
        (g.bond, g.challenger) = (0, caller);
        _end(g, JobState.Aborted);
    }

    /// @dev Whether `x' G x < 0`, term by term over the whole matrix.
    function _isNegative(bytes memory gram, bytes memory x) internal pure returns (bool) {
        uint256 rows = x.length / 8;
        if (x.length % 8 != 0 || gram.length != 4 * rows * (rows + 1)) return false;
        int256 value = 0;
        for (uint256 i = 0; i < rows; ++i) {
            for (uint256 j = 0; j < rows; ++j) {
                (uint256 low, uint256 high) = i < j ? (i, j) : (j, i);
                uint256 place = low * rows - low * (low + 1) / 2 + high;
                value += _entry(x, i) * _entry(x, j) * _entry(gram, place);
            }
        }
        return value < 0;
    }

    function _entry(bytes memory packed, uint256 place) private pure returns (int256) {
        uint64 value = 0;
        for (uint256 k = 0; k < 8; ++k) {
            value = value << 8 | uint8(packed[8 * place + k]);
        }
        return int64(value);
    }

    /* ANYONE */

    function _start(address caller, uint256 jobId) internal {
        Ghost storage g = _touch(jobId);
        (uint256 active,,) = g.sizes(_now());
        bool legal =
            g.state == JobState.Open && _now() <= g.terms.startDeadline && active >= g.terms.minTrainers;
        if (!_try("start", caller, 0, abi.encodeCall(market.start, (jobId)), legal)) return;
        _count("Open to Running");
        g.state = JobState.Running;
        _openRound(g);
    }

    function _closeSubmissions(address caller, uint256 jobId, uint256 round) internal {
        Ghost storage g = _touch(jobId);
        (uint256 active, uint256 submitted,) = g.sizes(_now());
        bool referenceDone = g.terms.referee == address(0) || g.referenceSubmitted;
        bool legal = g.inRound(round) && g.submitting(_now()) && active == submitted && referenceDone;
        bytes memory data = abi.encodeCall(market.closeSubmissions, (jobId, round));
        if (!_try("closeSubmissions", caller, 0, data, legal)) return;
        _count("submissions closed early");
        g.closed = true;
        g.submitEnd = uint40(_now());
    }

    function _void(address caller, uint256 jobId, uint256 round) internal {
        Ghost storage g = _touch(jobId);
        (, uint256 submitted,) = g.sizes(_now());
        bool legal = g.inRound(round) && !g.submitting(_now()) && submitted < g.quorum();
        bytes memory data = abi.encodeCall(market.voidRound, (jobId, round));
        if (!_try("voidRound", caller, 0, data, legal)) return;
        _voided(g, "round void: too few submitted");
    }

    function _expire(address caller, uint256 jobId, uint256 round) internal {
        Ghost storage g = _touch(jobId);
        (, uint256 submitted,) = g.sizes(_now());
        bool legal = g.inRound(round) && submitted >= g.quorum() && _now() > g.settleEnd();
        if (!_try("expire", caller, 0, abi.encodeCall(market.expire, (jobId, round)), legal)) return;
        _count("round expired");
        uint128 penalty = _penalty(g);
        uint128 share = penalty / uint128(submitted);
        for (uint256 i = 0; i < g.members.length; ++i) {
            Member storage m = g.member[g.members[i]];
            if (m.submitted) m.credit += uint96(share);
        }
        g.burned += penalty - share * uint128(submitted);
        g.failures += 1;
        _endRound(g);
    }

    function _complete(address caller, uint256 jobId) internal {
        Ghost storage g = _touch(jobId);
        bool legal = g.state == JobState.Running && g.outcome != JobState.None && _now() > g.challengeEnd;
        if (!_try("complete", caller, 0, abi.encodeCall(market.complete, (jobId)), legal)) return;
        _count("ended after the challenge window");
        _end(g, g.outcome);
    }

    function _withdraw(address caller, uint256 jobId, address to) internal {
        Ghost storage g = _touch(jobId);
        uint256 due = g.free(caller, _now());
        bool taken = g.terms.token != address(0) || to != refuser;
        bool legal =
            g.state != JobState.None && due != 0 && taken && to != address(0) && to != address(market);
        uint256 before = _balanceOf(g.terms.token, to);
        bytes memory data = abi.encodeCall(market.withdraw, (jobId, to));
        if (!_try("withdraw", caller, 0, data, legal)) return;
        vm.assertEq(_balanceOf(g.terms.token, to) - before, due, "35: what arrives is what was withdrawable");
        vm.assertEq(intruder.intrusions(), 0, "17: a recipient got back into the market");
        g.drain(caller, _now());
        if (g.member[caller].listed) g.member[caller].mayLose = true;
        _left(g, due);
    }

    function _burn(address caller, uint256 jobId) internal {
        Ghost storage g = _touch(jobId);
        uint256 due = g.burned;
        uint256 before = _balanceOf(g.terms.token, BURN);
        if (!_try("burn", caller, 0, abi.encodeCall(market.burn, (jobId)), g.ended() && due != 0)) return;
        vm.assertEq(_balanceOf(g.terms.token, BURN) - before, due, "20: what was slashed is burned");
        g.burned = 0;
        _left(g, due);
    }

    function _balanceOf(address tokenAddress, address account) internal view returns (uint256) {
        return tokenAddress == address(0) ? account.balance : token.balanceOf(account);
    }

    function _left(Ghost storage g, uint256 amount) private {
        g.sent += uint128(amount);
        held[g.terms.token] -= amount;
    }

    /* ROUNDS */

    function _openRound(Ghost storage g) internal {
        g.round += 1;
        g.open = true;
        g.closed = false;
        g.referenceSubmitted = false;
        g.referenceNoticed = false;
        g.submitEnd = uint40(_now() + g.terms.submitWindow);
        g.key = g.nextKey;
        for (uint256 i = 0; i < g.members.length; ++i) {
            Member storage m = g.member[g.members[i]];
            (m.submitted, m.noticed, m.excluded) = (false, false, false);
        }
    }

    /// @dev Takes the penalty, or what is left, from the bond.
    function _penalty(Ghost storage g) internal returns (uint128 penalty) {
        penalty = g.bond < g.terms.penalty ? g.bond : g.terms.penalty;
        g.bond -= penalty;
    }

    function _voided(Ghost storage g, bytes32 cause) internal {
        _count(cause);
        g.voids += 1;
        g.failures += 1;
        _endRound(g);
    }

    function _endRound(Ghost storage g) internal {
        uint256 active = 0;
        for (uint256 i = 0; i < g.members.length; ++i) {
            Member storage m = g.member[g.members[i]];
            if (m.active) _endMembersRound(g, m);
            if (m.joining) (m.active, m.joining) = (true, false);
            m.leaving = false;
            if (m.active) ++active;
        }
        if (!g.closed) _count("submissions ended by time");
        g.open = false;
        bytes32 why = _ending(g, active);
        if (why == 0) return _openRound(g);
        g.outcome = why == "Running to Completed" ? JobState.Completed : JobState.Aborted;
        _count(why);
        if (_now() <= g.challengeEnd) return;
        _count("ended at once");
        _end(g, g.outcome);
    }

    /// @dev What the end of a round means for one who took part in it.
    function _endMembersRound(Ghost storage g, Member storage m) private {
        bool absentTwice = !m.submitted && m.absentBefore;
        bool excludedTwice = m.excluded && m.excludedBefore;
        if (absentTwice) {
            m.status = TrainerStatus.Absent;
            m.mayLose = true;
            g.burned += g.terms.absencePenalty;
            _count("trainer removed: absent");
        } else if (excludedTwice) {
            m.status = TrainerStatus.Leaving;
            _count("trainer removed: excluded");
        }
        if (absentTwice || excludedTwice) m.releaseRound = g.round;
        if (absentTwice || excludedTwice || m.leaving || m.status == TrainerStatus.Out) m.active = false;
        m.absentBefore = m.active && !m.submitted;
        m.excludedBefore = m.active && m.excluded;
    }

    /// @dev Why no further round opens; zero if one does.
    function _ending(Ghost storage g, uint256 active) private view returns (bytes32) {
        uint256 rounds = g.terms.rounds;
        if (g.round == rounds) return "Running to Completed";
        if (g.abortRequested) return "to Aborted: owner's request";
        if (g.failures >= 2) return "to Aborted: two failures";
        if (g.voids > (rounds < 30 ? 2 : rounds / 10)) return "to Aborted: too many voids";
        if (active < g.terms.minTrainers) return "to Aborted: too few active";
        return 0;
    }

    /// @dev Shares out what the job holds.
    function _end(Ghost storage g, JobState outcome) internal {
        uint128 aggregatorFees = g.settledRounds * uint128(g.terms.aggregatorFeePerRound);
        uint128 refereeFees = g.referenceRounds * uint128(g.terms.refereeFeePerRound);
        g.fees = aggregatorFees + refereeFees;
        g.refunded = g.deposited - g.paid - g.fees - g.forfeited;
        vm.assertEq(
            uint256(g.escrow), g.refunded + g.fees, "3: the escrow is what was neither paid nor forfeited"
        );
        g.credits[g.terms.aggregator] += aggregatorFees + g.bond;
        g.credits[g.terms.referee] += refereeFees;
        g.credits[g.owner] += g.refunded;
        (g.state, g.outcome, g.open) = (outcome, outcome, false);
        (g.escrow, g.bond) = (0, 0);
    }
}
