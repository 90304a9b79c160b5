// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {RewardSchedule} from "../../src/libraries/RewardSchedule.sol";
import {Vm} from "../Vm.sol";

contract RewardScheduleTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 private constant MAX_AMOUNT = 2 ** 94;
    uint256 private constant MAX_ROUNDS = 10_000;

    function test_Given_NoDecay() external pure {
        _pays(10_007, 0, [uint256(10_007), 10_007, 10_007]);
    }

    function test_Given_ALinearDecay() external pure {
        // 30,021 in parts of 3, 2 and 1 out of 6.
        _pays(10_007, 1, [uint256(15_010), 10_007, 5003]);
    }

    function test_Given_AQuadraticDecay() external pure {
        // 30,021 in parts of 9, 4 and 1 out of 14.
        _pays(10_007, 2, [uint256(19_299), 8577, 2144]);
    }

    function test_Given_ASingleRound() external pure {
        for (uint256 decay = 0; decay <= RewardSchedule.MAX_DECAY; ++decay) {
            vm.assertEq(RewardSchedule.rewardDown(10_007, decay, 1, 0), 10_007, "all of it");
            vm.assertEq(RewardSchedule.rewardDown(MAX_AMOUNT, decay, 1, 0), MAX_AMOUNT, "the largest");
        }
    }

    function test_Given_RewardsTooSmallToBeSharedOut() external pure {
        _pays(1, 1, [uint256(1), 1, 0]);
        _pays(1, 2, [uint256(1), 0, 0]);
    }

    function testFuzz_When_AnyScheduleIsSummed(uint256 average, uint256 decay, uint256 rounds) external pure {
        decay %= RewardSchedule.MAX_DECAY + 1;
        rounds = 1 + rounds % 200;
        average = 1 + average % (MAX_AMOUNT / rounds);
        uint256 parts = _parts(decay, rounds);
        uint256 sum = 0;
        uint256 previous = type(uint256).max;
        for (uint256 settled = 0; settled < rounds; ++settled) {
            uint256 reward = _checked(average, decay, rounds, settled, parts);
            vm.assertLe(reward, previous, "rewards never rise");
            previous = reward;
            sum += reward;
        }
        vm.assertLe(sum, average * rounds, "the deposit holds all of it");
        vm.assertLt(average * rounds - sum, rounds, "less than a unit a round is lost");
    }

    function test_When_TheAmountsAreTheLargest() external pure {
        uint256[5] memory samples = [uint256(0), 1, 4999, 9998, 9999];
        for (uint256 decay = 0; decay <= RewardSchedule.MAX_DECAY; ++decay) {
            uint256 parts = _parts(decay, MAX_ROUNDS);
            for (uint256 i = 0; i < samples.length; ++i) {
                _checked(MAX_AMOUNT / MAX_ROUNDS, decay, MAX_ROUNDS, samples[i], parts);
                _checked(MAX_AMOUNT, decay, MAX_ROUNDS, samples[i], parts);
                _checked(type(uint96).max, decay, MAX_ROUNDS, samples[i], parts);
            }
        }
    }

    /// @dev Parts of all rounds together: the sum of the powers of what is left.
    function _parts(uint256 decay, uint256 rounds) private pure returns (uint256 parts) {
        for (uint256 left = 1; left <= rounds; ++left) {
            parts += left ** decay;
        }
    }

    /// @dev A round's reward, asserted to be its part of all rewards, rounded down, by the definition of the quotient.
    function _checked(uint256 average, uint256 decay, uint256 rounds, uint256 settled, uint256 parts)
        private
        pure
        returns (uint256 reward)
    {
        reward = RewardSchedule.rewardDown(average, decay, rounds, settled);
        uint256 due = average * rounds * (rounds - settled) ** decay;
        vm.assertLe(reward * parts, due, "no more than its part");
        vm.assertGt((reward + 1) * parts, due, "no unit less");
    }

    /// @dev Three rounds.
    function _pays(uint256 average, uint256 decay, uint256[3] memory rewards) private pure {
        for (uint256 settled = 0; settled < 3; ++settled) {
            uint256 reward = RewardSchedule.rewardDown(average, decay, 3, settled);
            vm.assertEq(reward, rewards[settled], "the round's reward");
        }
    }
}
