// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Terms} from "../../src/Types.sol";
import {IRule} from "../../src/interfaces/IRule.sol";
import {Driver, Fate} from "./Driver.sol";
import {Ghost, Ghosts, Plot} from "./Ghost.sol";

/// @notice Anybody calls anything with arguments that are nearly right.
abstract contract Mischief is Driver {
    using Ghosts for Ghost;

    function _mischief(uint256 jobId) internal {
        Ghost storage g = ghosts[jobId];
        if (_oneIn(30)) jobId = _oneIn(2) ? 0 : jobs + 1;
        address caller = _someone(g);
        uint256 kind = _below(21);
        if (kind == 0) _createBadly(caller);
        else if (kind == 1) _abortSometimes(caller, jobId, g);
        else if (kind == 2) _acceptSomehow(caller, jobId, g);
        else if (kind == 3) _rotateKey(caller, jobId, _oneIn(3) ? bytes32(0) : _key());
        else if (kind == 4) _missing(caller, jobId, _roundNear(g), _list(_someone(g)));
        else if (kind == 5) _settle(caller, jobId, _wish(g, Fate(_below(6)), _submitters(g).length));
        else if (kind == 6) _joinSomehow(caller, jobId, g);
        else if (kind == 7) _leaveSometimes(caller, jobId, g);
        else if (kind == 8) _submitSomehow(caller, jobId, g, false);
        else if (kind == 9) _submitSomehow(caller, jobId, g, true);
        else if (kind == 10) _flagSometimes(caller, jobId, g);
        else if (kind == 11) _start(caller, jobId);
        else if (kind == 12) _closeSubmissions(caller, jobId, _roundNear(g));
        else if (kind == 13) _void(caller, jobId, _roundNear(g));
        else if (kind == 14) _expire(caller, jobId, _roundNear(g));
        else if (kind == 15) _complete(caller, jobId);
        else if (kind == 16) _withdraw(caller, jobId, _recipient(caller));
        else if (kind == 17) _burn(caller, jobId);
        else if (kind == 18) _announceSomehow(caller, jobId, g);
        else if (kind == 19) _refuteSomehow(caller, jobId, g);
        else _force();
    }

    /// @dev A party of the job, or anybody.
    function _someone(Ghost storage g) private returns (address) {
        uint256 kind = _below(8);
        if (kind == 0 && g.owner != address(0)) return g.owner;
        if (kind == 1 && g.terms.aggregator != address(0)) return g.terms.aggregator;
        if (kind == 2 && g.terms.referee != address(0)) return g.terms.referee;
        if (kind < 6 && g.members.length != 0) return g.members[_below(g.members.length)];
        return _anybody();
    }

    function _roundNear(Ghost storage g) private returns (uint256) {
        return _oneIn(4) ? uint256(g.round) + _below(3) - (g.round == 0 ? 0 : 1) : g.round;
    }

    function _recipient(address caller) private returns (address) {
        address[5] memory choices = [caller, address(0), address(market), refuser, address(intruder)];
        return choices[_below(5)];
    }

    /// @dev The owner's abort would end most jobs early, so it comes seldom here.
    function _abortSometimes(address caller, uint256 jobId, Ghost storage g) private {
        if (caller == g.owner && !_oneIn(20)) caller = _pick(strangers);
        _abort(caller, jobId);
    }

    function _leaveSometimes(address caller, uint256 jobId, Ghost storage g) private {
        if (g.member[caller].active && !_oneIn(8)) caller = _anybody();
        _leave(caller, jobId);
    }

    function _flagSometimes(address caller, uint256 jobId, Ghost storage g) private {
        if (g.member[caller].voter && !_oneIn(3)) caller = _anybody();
        _flag(caller, jobId, _oneIn(3) ? _roundNear(g) : g.lastSettled);
    }

    function _announceSomehow(address caller, uint256 jobId, Ghost storage g) private {
        if (g.gram.length == 0) return _flagSometimes(caller, jobId, g);
        _announce(caller, _oneIn(2) ? caller : _someone(g), _nearly(_refutationOf(jobId, g)));
    }

    /// @dev Whoever would end a job early by a refutation seldom does it here; most copy what others announced.
    function _refuteSomehow(address caller, uint256 jobId, Ghost storage g) private {
        Refutation memory r = _refutationOf(jobId, g);
        if (_announcedIn(caller, r) != 0 && !_oneIn(4)) caller = _anybody();
        if (_announcedIn(caller, r) == 0 && _oneIn(2)) _announce(caller, caller, r);
        _refute(caller, _nearly(r));
    }

    /// @dev A refutation with something wrong, sometimes.
    function _nearly(Refutation memory r) private returns (Refutation memory) {
        uint256 fault = _below(12);
        if (fault == 0) r.round += 1;
        else if (fault == 1) r.modelHash = keccak256("another");
        else if (fault == 2) r.gram = bytes.concat(r.gram, hex"00");
        else if (fault == 3) r.x = bytes.concat(r.x, new bytes(8));
        else if (fault == 4) r.x = new bytes(r.x.length);
        else if (fault == 5 && r.x.length != 0) r.x[7] = 0xff;
        return r;
    }

    function _acceptSomehow(address caller, uint256 jobId, Ghost storage g) private {
        if (_oneIn(2) && g.terms.aggregator != address(0)) caller = g.terms.aggregator;
        uint256 value = _supply(g.terms.token, caller, g.terms.bond);
        if (_oneIn(3)) value += 1;
        _accept(caller, jobId, _oneIn(4) ? bytes32(0) : _key(), value);
    }

    function _joinSomehow(address caller, uint256 jobId, Ghost storage g) private {
        uint256 value = _supply(g.terms.token, caller, g.terms.stake);
        if (_oneIn(4)) value += 1;
        _join(caller, jobId, _oneIn(4), value);
    }

    function _submitSomehow(address caller, uint256 jobId, Ghost storage g, bool byReferee) private {
        bytes32 hash = _oneIn(4) ? bytes32(0) : _commitmentHash(g, caller);
        bytes memory cid = _oneIn(4) ? _cidLike() : _cid("envelope");
        uint256 round = _roundNear(g);
        if (byReferee) _submitReference(caller, jobId, round, hash, cid);
        else _submit(caller, jobId, round, hash, cid);
    }

    /// @dev Money that the market did not ask for.
    function _force() private {
        uint256 amount = _between(1, 1000);
        if (_oneIn(2)) {
            vm.deal(address(market), address(market).balance + amount);
            donated[address(0)] += amount;
        } else {
            token.mint(address(market), amount);
            donated[address(token)] += amount;
        }
        // A plain transfer is refused.
        (bool taken,) = address(market).call{value: 0}("");
        vm.assertFalse(taken, "28: the market takes plain transfers");
    }

    /* CREATING */

    function _createWell() internal returns (uint256 jobId) {
        Plot plot = _nextPlot();
        Terms memory terms = _chosenTerms(plot);
        address caller = _pick(owners);
        if (terms.references != 0 && _oneIn(4)) terms.referee = caller;
        uint256 value = _supply(terms.token, caller, _deposit(terms));
        _create(caller, terms, _specification(), value, true, plot);
        return jobs;
    }

    /// @dev Plots by turns, so that each campaign has its share of all of them. Some ends are rarer than their plots, because
    /// something else comes first; those have more turns.
    function _nextPlot() private view returns (Plot) {
        uint256 turn = jobs % 31;
        if (turn < 2) return Plot.Finish;
        if (turn < 10) return Plot.VoidOften;
        if (turn < 14) return Plot.Flag;
        if (turn < 17) return Plot.OwnerAborts;
        if (turn < 24) return Plot.Refute;
        if (turn < 28) return Plot.NeverStart;
        if (turn == 28) return Plot.FailTwice;
        return turn == 29 ? Plot.LoseTrainers : Plot.Anything;
    }

    function _createBadly(address caller) private {
        Terms memory terms = _chosenTerms(Plot.Anything);
        bytes memory cid = _specification();
        uint256 fault = _below(13);
        if (fault == 0) terms.bond = 2 * terms.penalty - 1;
        else if (fault == 1) terms.penalty = uint96(_leastPenalty(terms) - 1);
        else if (fault == 2) terms.minTrainers = 2 * terms.tolerated + 2;
        else if (fault == 3) terms.challengeWindow = terms.submitWindow + terms.deliverWindow + 1;
        else if (fault == 4) terms.rounds = 0;
        else if (fault == 5) terms.aggregator = address(0);
        else if (fault == 6) terms.rule = IRule(address(market));
        else if (fault == 7) terms.token = address(1);
        else if (fault == 8) terms.absencePenalty = terms.stake / 10 + 1;
        else if (fault == 9) terms.references = terms.referee == address(0) ? 1 : 0;
        else if (fault == 10) cid = _cidLike();
        else if (fault == 12) terms.rewardDecay = uint8(_between(3, 255));
        uint256 value = fault == 7 ? 0 : _supply(terms.token, caller, _deposit(terms));
        if (fault == 11) value += 1;
        _create(caller, terms, cid, value, false, Plot.Anything);
        touched = 0;
    }
}
