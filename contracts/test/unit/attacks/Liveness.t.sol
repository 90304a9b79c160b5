// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState} from "../../../src/Types.sol";
import {Base} from "../../Base.sol";

/// @notice A job is played with parties that fall silent for good at some step, in every combination of silent party and
/// step. A stranger makes the calls that anyone may make. Everyone must end with exactly its money, and the market empty.
///
/// @dev Steps: 0 accept, 1 join, then for each round r from 0: 2 + 2 r submit, 3 + 2 r settle. A trainer's absence, an
/// expired round and a void one cost what the protocol says; the expectation is kept apart from the market's books.
contract LivenessTest is Base {
    uint256 private constant COUNT = 6;
    uint256 private constant STEPS = 9;
    uint256 private constant NEVER = type(uint256).max;

    /// @dev From which step on who is silent.
    struct Silence {
        uint256 ownerFrom;
        uint256 aggregatorFrom;
        uint256 refereeFrom;
        uint256 trainersFrom;
        uint256 silentTrainers;
    }

    /// @dev What everyone should end with, by index of party, and what is burned.
    uint256[] private _due;
    uint256 private _burned;
    uint256[COUNT] private _missed;
    bool[COUNT] private _joinedAt;
    bool[COUNT] private _removed;

    function test_NobodySilent() external {
        _play(Silence(NEVER, NEVER, NEVER, NEVER, 0));
        vm.assertEq(_due[OWNER], _deposit(_terms()) - 3 * (6 * 1667 + 1009 + 503), "a job as it should be");
    }

    function test_OwnerSilent() external {
        for (uint256 step = 0; step < STEPS; ++step) {
            _replay(Silence(step, NEVER, NEVER, NEVER, 0));
        }
    }

    function test_AggregatorSilent() external {
        for (uint256 step = 0; step < STEPS; ++step) {
            _replay(Silence(NEVER, step, NEVER, NEVER, 0));
        }
    }

    function test_RefereeSilent() external {
        for (uint256 step = 0; step < STEPS; ++step) {
            _replay(Silence(NEVER, NEVER, step, NEVER, 0));
        }
    }

    function test_OneTrainerSilent() external {
        _trainersSilent(1);
    }

    function test_OneTrainerMoreThanTheQuorumBearsSilent() external {
        _trainersSilent(2);
    }

    function test_AllTrainersButOneSilent() external {
        _trainersSilent(5);
    }

    function test_AllTrainersSilent() external {
        _trainersSilent(6);
    }

    function test_EveryoneSilent() external {
        for (uint256 step = 0; step < STEPS; ++step) {
            _replay(Silence(step, step, step, step, 6));
        }
    }

    function test_AnyTwoPartiesSilent() external {
        for (uint256 a = 0; a < STEPS; a += 2) {
            for (uint256 b = 1; b < STEPS; b += 2) {
                _replay(Silence(a, b, NEVER, NEVER, 0));
                _replay(Silence(NEVER, a, NEVER, b, 1));
                _replay(Silence(NEVER, NEVER, a, b, 1));
            }
        }
    }

    function _trainersSilent(uint256 count) private {
        for (uint256 step = 0; step < STEPS; ++step) {
            _replay(Silence(NEVER, NEVER, NEVER, step, count));
        }
    }

    function _replay(Silence memory silence) private {
        uint256 state = vm.snapshotState();
        _play(silence);
        vm.revertToState(state);
    }

    function _play(Silence memory silence) private {
        _due = new uint256[](TRAINER + TRAINERS);
        uint256 jobId = _create(_terms());
        _due[OWNER] = _deposit(_terms());
        if (_opens(jobId, silence)) {
            for (uint256 round = 0; market.progressOf(jobId).outcome == JobState.None; ++round) {
                _playRound(jobId, silence, round);
            }
        }
        if (market.progressOf(jobId).state == JobState.Running) {
            _passChallenge(jobId);
            vm.prank(stranger);
            market.complete(jobId);
        }
        _assertEveryoneIsPaid(jobId);
    }

    /// @dev Steps 0 and 1 and the start; false if the job could not start and was aborted.
    function _opens(uint256 jobId, Silence memory silence) private returns (bool) {
        uint256 seated = 0;
        if (silence.aggregatorFrom > 0) {
            _accept(jobId);
            _due[AGGREGATOR] += 22_019;
            for (uint256 i = 0; i < COUNT; ++i) {
                if (_isSilent(silence, i, 1)) continue;
                _join(jobId, trainers[i]);
                _due[TRAINER + i] += 2003;
                _joinedAt[i] = true;
                ++seated;
            }
        }
        if (seated >= 5) {
            vm.prank(stranger);
            market.start(jobId);
            return true;
        }
        // The owner may abort at once; without it, anyone may after the deadline.
        if (silence.ownerFrom <= 1) vm.warp(uint256(market.termsOf(jobId).startDeadline) + 1);
        vm.prank(silence.ownerFrom <= 1 ? stranger : owner);
        market.abort(jobId);
        return false;
    }

    function _playRound(uint256 jobId, Silence memory silence, uint256 round) private {
        uint256 step = 2 + 2 * round;
        uint256 submitted = 0;
        bool all = true;
        for (uint256 i = 0; i < COUNT; ++i) {
            if (!_joinedAt[i] || _removed[i]) continue;
            if (_isSilent(silence, i, step)) {
                all = false;
                ++_missed[i];
                continue;
            }
            _missed[i] = 0;
            _submit(jobId, trainers[i]);
            ++submitted;
        }
        bool referenced = silence.refereeFrom > step;
        if (referenced) _submitReference(jobId);
        if (all && referenced) {
            vm.prank(stranger);
            market.closeSubmissions(jobId, round + 1);
        } else {
            _passSubmissions(jobId);
        }
        _endRound(jobId, silence, round, submitted, referenced);
        _expectAbsences();
    }

    function _endRound(
        uint256 jobId,
        Silence memory silence,
        uint256 round,
        uint256 submitted,
        bool referenced
    ) private {
        if (submitted < 5) {
            vm.prank(stranger);
            market.voidRound(jobId, round + 1);
        } else if (silence.aggregatorFrom <= 3 + 2 * round) {
            _passSettlement(jobId);
            vm.prank(stranger);
            market.expire(jobId, round + 1);
            _expectExpiry(submitted);
        } else {
            _settle(jobId);
            _move(OWNER, AGGREGATOR, 1009);
            if (referenced) _move(OWNER, REFEREE, 503);
            for (uint256 i = 0; i < COUNT; ++i) {
                if (_joinedAt[i] && !_removed[i] && _missed[i] == 0) {
                    _move(OWNER, TRAINER + i, 10_007 / submitted);
                }
            }
        }
    }

    function _expectExpiry(uint256 submitted) private {
        // The bond bears two penalties and one wei.
        uint256 share = uint256(11_009) / submitted;
        for (uint256 i = 0; i < COUNT; ++i) {
            if (_joinedAt[i] && !_removed[i] && _missed[i] == 0) _move(AGGREGATOR, TRAINER + i, share);
        }
        _due[AGGREGATOR] -= 11_009 - share * submitted;
        _burned += 11_009 - share * submitted;
    }

    function _expectAbsences() private {
        for (uint256 i = 0; i < COUNT; ++i) {
            if (_missed[i] < 2 || _removed[i]) continue;
            _removed[i] = true;
            _due[TRAINER + i] -= 200;
            _burned += 200;
        }
    }

    function _assertEveryoneIsPaid(uint256 jobId) private {
        // Nobody has to hurry.
        vm.warp(_now() + 400 days);
        for (uint256 i = 0; i < TRAINER + TRAINERS; ++i) {
            vm.assertEq(market.withdrawable(jobId, _party(i)), _due[i], "what is due");
            if (_due[i] == 0) continue;
            vm.assertEq(_withdraw(jobId, _party(i)), _due[i], "what is paid");
        }
        vm.assertEq(market.ledgerOf(jobId).burned, _burned, "what is burned");
        if (_burned != 0) market.burn(jobId);
        vm.assertEq(address(market).balance, 0, "nothing is left");
    }

    function _isSilent(Silence memory silence, uint256 trainer, uint256 step) private pure returns (bool) {
        return trainer < silence.silentTrainers && step >= silence.trainersFrom;
    }

    function _move(uint256 from, uint256 to, uint256 amount) private {
        _due[from] -= amount;
        _due[to] += amount;
    }
}
