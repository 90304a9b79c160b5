// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Exclusion, JobState, Reason, Settlement, TrainerStatus} from "../../src/Types.sol";
import {Lies} from "../Lies.sol";
import {Ghost, Ghosts, Member} from "./Ghost.sol";
import {Model} from "./Model.sol";

/// @notice How a settlement is spoiled.
enum Fault {
    None,
    Submitter,
    Twice,
    Commitment,
    CommitmentLength,
    Order,
    Reason,
    Notice,
    Evidence,
    UnavailableEvidence,
    Round,
    Caller,
    // From here on only what a round with enough accepted updates looks at.
    ModelCommitment,
    Cid,
    GramLength,
    GramNorm,
    GramProduct,
    RuleTotal,
    RuleLength,
    RuleUnweighted,
    RuleSize,
    // What is proven is one thing, and what is settled another.
    ProofWord,
    ProofReplayed,
    GramEntry,
    NewModel,
    Weights,
    Aggregate,
    OtherEvidence
}

/// @notice What the protocol says of settlements, sound and spoiled.
abstract contract SettleModel is Model {
    using Ghosts for Ghost;

    /// @dev A settlement with what the model needs to judge it.
    struct Draft {
        Settlement settlement;
        uint256 references;
        uint256 faulty;
        bool unavailable;
        uint256[] weights;
        int256[] contributions;
        bool referenceUsed;
        bool lie;
    }

    /// @dev What the driver wants of a settlement.
    struct Wish {
        uint256 excluded;
        Reason reason;
        bool excludeReference;
        bool keepTwo;
        bool nobodyPaid;
        bool lie;
        bool harmful;
        Fault fault;
    }

    /* THE CALL */

    function _settle(address caller, uint256 jobId, Wish memory wish) internal {
        Ghost storage g = _touch(jobId);
        Draft memory draft = _draft(jobId, g, wish);
        if (wish.fault == Fault.Caller) caller = _pick(strangers);
        bool early = draft.faulty > g.terms.tolerated || draft.settlement.trainers.length < g.quorum();
        if (!early) _prove(jobId, g, caller, draft);
        if (!_spoil(g, draft, wish.fault)) wish.fault = Fault.None;
        bool sound = wish.fault == Fault.None || (early && wish.fault >= Fault.ModelCommitment);
        bool legal = sound && _settleable(g, caller, draft);
        bytes memory data = abi.encodeCall(market.settle, (draft.settlement));
        if (_try("settle", caller, 0, data, legal)) _settled(g, draft);
        else if (!sound && _settleable(g, caller, draft)) _countRefused(wish.fault);
    }

    function _settleable(Ghost storage g, address caller, Draft memory draft) private view returns (bool) {
        uint256 time = _now();
        return g.inRound(draft.settlement.round) && caller == g.terms.aggregator && !g.submitting(time)
            && time <= g.settleEnd() && time > g.challengeEnd && (!draft.unavailable || time > g.deliverEnd());
    }

    /* EFFECTS */

    function _settled(Ghost storage g, Draft memory draft) private {
        Settlement memory s = draft.settlement;
        for (uint256 i = 0; i < s.exclusions.length; ++i) {
            if (s.exclusions[i].account == g.terms.referee) _count("reference excluded");
            else g.member[s.exclusions[i].account].excluded = true;
        }
        if (draft.faulty > g.terms.tolerated) return _voided(g, "round void: too many faulty");
        if (s.trainers.length < g.quorum()) return _voided(g, "round void: too few accepted");
        if (_kept(draft) < 3) return _voided(g, "round void: too few kept");
        _reward(g, draft);
        _count("round settled");
        if (draft.lie) _count("lie settled");
        g.previousModel = g.model;
        g.model = s.newModelCommitment;
        (g.gram, g.proof) = (s.gram, s.proof);
        g.lastSettled = g.round;
        g.settledRounds += 1;
        if (draft.references != 0) g.referenceRounds += 1;
        g.failures = 0;
        g.challengeEnd = uint40(_now() + g.terms.challengeWindow);
        for (uint256 i = 0; i < g.members.length; ++i) {
            Member storage m = g.member[g.members[i]];
            (m.voter, m.flagged) = (m.submitted, false);
        }
        _endRound(g);
    }

    /// @dev Pay in proportion to positive contributions, strikes for harmful ones.
    function _reward(Ghost storage g, Draft memory draft) private {
        int256 positive = 0;
        for (uint256 i = 0; i < draft.contributions.length; ++i) {
            if (draft.contributions[i] > 0) positive += draft.contributions[i];
        }
        uint256 reward = g.reward();
        uint256 paid = 0;
        for (uint256 i = 0; positive != 0 && i < draft.contributions.length; ++i) {
            Member storage m = g.member[draft.settlement.trainers[i]];
            int256 value = draft.contributions[i];
            // Rewards are below 2^22 here and contributions below 2^200.
            if (value > 0) paid += _payOne(g, m, uint256(value) * reward / uint256(positive));
            bool harmful = -value * 10_000 > positive * int256(uint256(g.terms.strikeToleranceBps));
            if (harmful && draft.referenceUsed && g.terms.strikeLimit != 0) _strikeOne(g, m);
        }
        if (paid == 0) _count("round settled: nobody paid");
        vm.assertLe(paid, reward, "5: a round pays no more than its reward");
        if (positive != 0) {
            vm.assertLt(
                reward - paid, draft.contributions.length, "7: a round loses less than a unit per payee"
            );
        }
        g.escrow -= uint128(paid);
        g.paid += uint128(paid);
    }

    function _payOne(Ghost storage g, Member storage m, uint256 pay) private returns (uint256) {
        if (pay == 0) return 0;
        m.credit += m.pending;
        m.pending = uint96(pay);
        m.pendingRound = g.round;
        return pay;
    }

    function _strikeOne(Ghost storage g, Member storage m) private {
        m.strikes += 1;
        _count("trainer struck");
        if (m.strikes < g.terms.strikeLimit) return;
        (m.status, m.struckIn) = (TrainerStatus.Out, g.round);
        m.mayLose = true;
        g.burned += g.terms.stake;
        _count("trainer removed: struck out");
    }

    /* DRAFTS */

    /// @dev The settlement of the current round that fulfils the wish, as far as the submissions allow.
    function _draft(uint256 jobId, Ghost storage g, Wish memory wish) private returns (Draft memory draft) {
        Settlement memory s = draft.settlement;
        s.jobId = jobId;
        s.round = g.round;
        _divide(g, draft, wish);
        bool referenced = g.referenceSubmitted && !wish.excludeReference;
        draft.references = referenced ? g.terms.references : 0;
        // The reference's commitment is as long as that of each of its vectors.
        for (uint256 i = 0; i < s.trainers.length; ++i) {
            s.commitments = bytes.concat(s.commitments, _vector(s.trainers[i], s.round));
        }
        for (uint256 k = 0; k < draft.references; ++k) {
            s.commitments = bytes.concat(s.commitments, _vector(g.terms.referee, s.round + k));
        }
        s.modelCommitment = g.model;
        s.aggregateCid = _cid(vm.toString(_below(1000)));
        bool real = address(g.terms.rule) == address(realRule);
        uint256 rows = s.trainers.length + draft.references;
        draft.lie = wish.lie && s.trainers.length > 2;
        s.gram = draft.lie ? Lies.gram(rows) : real ? _randomGram(rows) : _identityGram(rows);
        if (s.trainers.length == 0) return draft;
        if (!real) return _answer(draft, wish);
        (draft.weights, draft.contributions, draft.referenceUsed) =
            realRule.evaluate(s.gram, s.trainers.length, draft.references, g.terms.tolerated);
    }

    /// @dev Divides the submitters into accepted and excluded.
    function _divide(Ghost storage g, Draft memory draft, Wish memory wish) private view {
        address[] memory submitters = _submitters(g);
        bool withReferee = g.referenceSubmitted && wish.excludeReference;
        uint256 excluded = wish.excluded < submitters.length ? wish.excluded : submitters.length;
        draft.settlement.trainers = new address[](submitters.length - excluded);
        address[] memory out = new address[](excluded + (withReferee ? 1 : 0));
        // Those who were excluded the last time come first, so that some are excluded twice running.
        uint256 outCount = 0;
        for (uint256 pass = 0; pass < 2; ++pass) {
            for (uint256 i = 0; i < submitters.length; ++i) {
                if (submitters[i] == address(0) || outCount == excluded) continue;
                if (pass == 0 && !g.member[submitters[i]].excludedBefore) continue;
                out[outCount++] = submitters[i];
                submitters[i] = address(0);
            }
        }
        uint256 inCount = 0;
        for (uint256 i = 0; i < submitters.length; ++i) {
            if (submitters[i] != address(0)) draft.settlement.trainers[inCount++] = submitters[i];
        }
        if (withReferee) out[outCount] = g.terms.referee;
        _excludeAll(g, draft, _ascending(out), wish.reason);
    }

    function _excludeAll(Ghost storage g, Draft memory draft, address[] memory out, Reason wanted)
        private
        view
    {
        Exclusion[] memory list = new Exclusion[](out.length);
        for (uint256 i = 0; i < out.length; ++i) {
            bool isReferee = out[i] == g.terms.referee;
            bool noticed = isReferee ? g.referenceNoticed : g.member[out[i]].noticed;
            Reason reason = wanted == Reason.Unavailable && !noticed ? Reason.Mismatch : wanted;
            bool unavailable = reason == Reason.Unavailable;
            list[i] = Exclusion(out[i], reason, unavailable ? bytes("") : _cid("evidence"));
            if (unavailable) draft.unavailable = true;
            else if (!isReferee) ++draft.faulty;
        }
        draft.settlement.exclusions = list;
    }

    function _submitters(Ghost storage g) internal view returns (address[] memory list) {
        (, uint256 count,) = g.sizes(_now());
        list = new address[](count);
        for (uint256 i = 0; count != 0; ++i) {
            if (g.member[g.members[i]].submitted) list[--count] = g.members[i];
        }
        return _ascending(list);
    }

    /// @dev The commitment to one vector of an account.
    function _vector(address account, uint256 round) internal view returns (bytes memory) {
        return prover.commitment(keccak256(abi.encode("vector", account, round)));
    }

    /// @dev The hash that an account submits; the referee's covers all its vectors.
    function _commitmentHash(Ghost storage g, address account) internal view returns (bytes32) {
        uint256 vectors = account == g.terms.referee ? g.terms.references : 1;
        bytes memory all;
        for (uint256 k = 0; k < vectors; ++k) {
            all = bytes.concat(all, _vector(account, g.round + k));
        }
        return keccak256(all);
    }

    /* PROOF */

    /// @dev Proves the draft to the verifier, for the account that will send it.
    function _prove(uint256 jobId, Ghost storage g, address caller, Draft memory draft) private view {
        Settlement memory s = draft.settlement;
        s.newModelCommitment = prover.advance(s.modelCommitment, s.commitments, draft.weights);
        bytes32 exclusions = 0;
        for (uint256 i = 0; i < s.exclusions.length; ++i) {
            Exclusion memory e = s.exclusions[i];
            exclusions = keccak256(abi.encode(exclusions, e.account, e.reason, keccak256(e.evidence)));
        }
        bytes32 context = keccak256(
            abi.encode(
                _identity(jobId, g),
                s.round,
                caller,
                s.trainers,
                exclusions,
                draft.references,
                keccak256(s.modelCommitment),
                s.aggregateCid
            )
        );
        s.proof = prover.prove(context, s.commitments, s.gram);
    }

    /// @dev Updates that the rule keeps; a round without three is void and has no new model.
    function _kept(Draft memory draft) private pure returns (uint256 kept) {
        for (uint256 i = 0; i < draft.weights.length; ++i) {
            if (draft.weights[i] != 0) ++kept;
        }
    }

    /// @dev Settles something else than what was proven; false if this draft can't be spoiled so.
    function _spoilProven(Ghost storage g, Draft memory draft, Fault fault) private returns (bool) {
        Settlement memory s = draft.settlement;
        if (s.proof.length == 0) return false;
        if (fault == Fault.ProofWord) return _spoilWord(s);
        if (fault == Fault.ProofReplayed) {
            if (g.proof.length == 0) return false;
            s.proof = g.proof;
            return true;
        }
        if (fault == Fault.GramEntry) {
            // The last byte of the first squared norm; a row of zeros is left alone, whose products would be too large.
            uint8 last = uint8(s.gram[7]);
            if (last == 0 || last == 0xff) return false;
            s.gram[7] = bytes1(last + 1);
            return true;
        }
        if (fault == Fault.Aggregate) {
            s.aggregateCid = _cid("another aggregate");
            return true;
        }
        if (fault == Fault.OtherEvidence) {
            if (s.exclusions.length == 0 || s.exclusions[0].evidence.length == 0) return false;
            s.exclusions[0].evidence = _cid("other evidence");
            return true;
        }
        if (_kept(draft) < 3) return false;
        if (fault == Fault.NewModel) {
            s.newModelCommitment = _oneIn(2) ? prover.commitment("another") : s.modelCommitment;
            return true;
        }
        return _spoilWeights(g, draft);
    }

    /// @dev Another scalar; another point would be none.
    function _spoilWord(Settlement memory s) private returns (bool) {
        uint256[5] memory places = [uint256(64), 160, 192, 224, 256];
        s.proof[places[_below(5)] + _between(4, 31)] ^= bytes1(uint8(1 << _below(8)));
        return true;
    }

    /// @dev The rule gives another weight than the one that the model advanced by.
    function _spoilWeights(Ghost storage g, Draft memory draft) private returns (bool) {
        if (address(g.terms.rule) == address(realRule)) return false;
        for (uint256 i = 0; i < draft.weights.length; ++i) {
            if (draft.weights[i] < 2) continue;
            draft.weights[i] -= 1;
            rule.set(draft.weights, draft.contributions);
            return true;
        }
        return false;
    }

    /// @dev Counts a settlement that was refused for nothing but what was settled instead of what was proven.
    function _countRefused(Fault fault) private {
        bytes32[7] memory names = [
            bytes32("refused: word of the proof"),
            "refused: proof replayed",
            "refused: entry of the matrix",
            "refused: new model",
            "refused: weights",
            "refused: aggregate",
            "refused: evidence"
        ];
        if (fault >= Fault.ProofWord) _count(names[uint256(fault) - uint256(Fault.ProofWord)]);
    }

    /* RULE AND MATRIX */

    /// @dev Sets what the rule answers, anything that a rule may.
    function _answer(Draft memory draft, Wish memory wish) private returns (Draft memory) {
        uint256 count = draft.settlement.trainers.length;
        draft.weights = new uint256[](count);
        draft.contributions = new int256[](count);
        uint256 kept = wish.keepTwo || count < 3 ? _below(3) : _between(3, count);
        for (uint256 i = 0; i < count && i < kept; ++i) {
            draft.weights[i] = _between(1, 2 ** 16 / count);
            if (!_oneIn(8)) draft.contributions[i] = _contribution(draft.settlement, i, wish.nobodyPaid);
        }
        if (wish.harmful && draft.weights[0] != 0) draft.contributions[0] = 1 - int256(2 ** 200);
        draft.referenceUsed = draft.references != 0 && !_oneIn(16);
        rule.setIgnoresReference(!draft.referenceUsed);
        rule.set(draft.weights, draft.contributions);
        return draft;
    }

    function _contribution(Settlement memory s, uint256 i, bool nobodyPaid) private returns (int256) {
        uint256 size = _below(3) == 0 ? 2 ** 200 - 1 : _below(1 << (8 * _between(1, 20)));
        bool harmful = nobodyPaid || _trait(s.jobId, s.trainers[i], "harm", 3) == 0 || _oneIn(12);
        return harmful ? -int256(size) : int256(size);
    }

    function _identityGram(uint256 rows) private pure returns (bytes memory gram) {
        gram = new bytes(4 * rows * (rows + 1));
        uint256 place = 7;
        for (uint256 i = 0; i < rows; ++i) {
            gram[place] = 0x01;
            place += 8 * (rows - i);
        }
    }

    /// @dev The matrix of random vectors of three small coordinates, some of them zero, copies or alike.
    function _randomGram(uint256 rows) private returns (bytes memory gram) {
        int256[3][] memory vectors = new int256[3][](rows);
        for (uint256 i = 0; i < rows; ++i) {
            int256 lean = _oneIn(5) ? -int256(100) : int256(100);
            for (uint256 k = 0; k < 3; ++k) {
                vectors[i][k] = lean + int256(_below(60));
            }
            if (_oneIn(12)) delete vectors[i];
        }
        gram = new bytes(4 * rows * (rows + 1));
        uint256 place = 0;
        for (uint256 i = 0; i < rows; ++i) {
            for (uint256 j = i; j < rows; ++j) {
                int256 product = 0;
                for (uint256 k = 0; k < 3; ++k) {
                    product += vectors[i][k] * vectors[j][k];
                }
                _writeEntry(gram, place++, product);
            }
        }
    }

    function _writeEntry(bytes memory gram, uint256 place, int256 value) private pure {
        for (uint256 k = 0; k < 8; ++k) {
            gram[8 * place + k] = bytes1(uint8(uint256(value) >> (56 - 8 * k)));
        }
    }

    /* FAULTS */

    /// @dev Spoils a draft; false if this draft can't be spoiled so.
    function _spoil(Ghost storage g, Draft memory draft, Fault fault) private returns (bool) {
        Settlement memory s = draft.settlement;
        if (fault == Fault.None || fault == Fault.Caller) return fault == Fault.Caller;
        if (fault == Fault.Round) s.round += 1;
        else if (fault < Fault.Reason) return _spoilRoll(s, fault);
        else if (fault < Fault.ModelCommitment) return _spoilExclusion(g, s, fault);
        else if (fault < Fault.RuleTotal) return _spoilMatter(s, fault);
        else if (fault < Fault.ProofWord) return _spoilAnswer(g, draft, fault);
        else return _spoilProven(g, draft, fault);
        return true;
    }

    function _spoilRoll(Settlement memory s, Fault fault) private pure returns (bool) {
        uint256 count = s.trainers.length;
        if (count < 2) return false;
        if (fault == Fault.Submitter) s.trainers = _without(s.trainers, s.trainers[0]);
        else if (fault == Fault.Order) (s.trainers[0], s.trainers[1]) = (s.trainers[1], s.trainers[0]);
        else if (fault == Fault.Commitment) s.commitments[0] ^= 0x01;
        else if (fault == Fault.CommitmentLength) s.commitments = bytes.concat(s.commitments, hex"00");
        else if (fault == Fault.Twice) _excludeToo(s);
        return true;
    }

    /// @dev Excludes an accepted one too.
    function _excludeToo(Settlement memory s) private pure {
        uint256 count = s.exclusions.length;
        Exclusion[] memory list = new Exclusion[](count + 1);
        uint256 place = 0;
        while (place < count && s.exclusions[place].account < s.trainers[0]) {
            list[place] = s.exclusions[place];
            ++place;
        }
        list[place] = Exclusion(s.trainers[0], Reason.Mismatch, _cid("evidence"));
        for (; place < count; ++place) {
            list[place + 1] = s.exclusions[place];
        }
        s.exclusions = list;
    }

    function _spoilExclusion(Ghost storage g, Settlement memory s, Fault fault) private view returns (bool) {
        if (s.exclusions.length == 0) return false;
        Exclusion memory first = s.exclusions[0];
        bool noticed = first.account == g.terms.referee ? g.referenceNoticed : g.member[first.account].noticed;
        if (fault == Fault.Reason) first.reason = Reason.None;
        if (fault == Fault.Evidence) {
            if (first.reason == Reason.Unavailable) return false;
            first.evidence = _cidLike();
        }
        if (fault == Fault.Notice) {
            if (noticed) return false;
            (first.reason, first.evidence) = (Reason.Unavailable, "");
        }
        if (fault == Fault.UnavailableEvidence) first.reason = Reason.Unavailable;
        if (fault == Fault.UnavailableEvidence) first.evidence = _cid("evidence");
        return true;
    }

    /// @dev A CID with another codec.
    function _cidLike() internal pure returns (bytes memory) {
        return abi.encodePacked(hex"01711220", bytes32(0));
    }

    function _spoilMatter(Settlement memory s, Fault fault) private view returns (bool) {
        if (s.gram.length < 24) return false;
        if (fault == Fault.ModelCommitment) s.modelCommitment = prover.commitment("another");
        else if (fault == Fault.Cid) s.aggregateCid = _cidLike();
        else if (fault == Fault.GramLength) s.gram = bytes.concat(s.gram, hex"00");
        else if (fault == Fault.GramNorm) s.gram[0] = 0x80;
        else if (fault == Fault.GramProduct) s.gram[8] = 0x40;
        return true;
    }

    function _spoilAnswer(Ghost storage g, Draft memory draft, Fault fault) private returns (bool) {
        uint256 count = draft.settlement.trainers.length;
        if (address(g.terms.rule) == address(realRule) || count == 0) return false;
        uint256[] memory weights = draft.weights;
        int256[] memory contributions = draft.contributions;
        if (fault == Fault.RuleTotal) weights[0] = 2 ** 16 + 1;
        else if (fault == Fault.RuleLength) weights = new uint256[](count + 1);
        else if (fault == Fault.RuleUnweighted) (weights[0], contributions[0]) = (0, 1);
        else contributions[0] = _oneIn(2) ? int256(2 ** 200) : -int256(2 ** 200);
        if (fault == Fault.RuleSize) weights[0] = 1;
        rule.set(weights, contributions);
        return true;
    }
}
