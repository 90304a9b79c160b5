// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {RewardSchedule} from "src/libraries/RewardSchedule.sol";

/// @notice The library behind an interface, for the test that compares it with its Python twin.
contract RewardScheduleProbe {
    /// @notice The rewards after `first` to `last` settled rounds.
    function rewards(uint256 average, uint256 decay, uint256 rounds, uint256 first, uint256 last)
        external
        pure
        returns (uint256[] memory list)
    {
        list = new uint256[](last + 1 - first);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = RewardSchedule.rewardDown(average, decay, rounds, first + i);
        }
    }
}
