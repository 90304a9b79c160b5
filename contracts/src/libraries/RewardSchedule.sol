// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title RewardSchedule
/// @notice What each settled round of a job pays: fixed by the job's terms, so that nobody can withhold it.
library RewardSchedule {
    /// @dev The steepest fall.
    uint256 internal constant MAX_DECAY = 2;

    /// @notice A round's reward, which falls in the power `decay` of what is left of the job. With R on average over T
    /// rounds and l = T - s, of which s were settled before:
    ///
    ///     decay 0:  R
    ///     decay 1:  2 R l / (T + 1)
    ///     decay 2:  6 R l^2 / ((T + 1) (2T + 1))
    ///
    /// Before rounding, T settled rounds sum to R T (Faulhaber's formulas). Rounded down, against those who are paid: the
    /// sum is at most R T and less than T below it, so that the deposit holds all of it.
    ///
    /// A void or expired round takes no place in the schedule: it leaves the last and smallest reward unpaid. If it left
    /// its own, whoever can void rounds would save the owner most by voiding the first.
    /// @dev No overflow: the amounts are below 2^96, the rounds below 2^16.
    /// @param average R, in the token's smallest unit.
    /// @param decay 0 to `MAX_DECAY`.
    /// @param rounds T.
    /// @param settled s, at most T.
    function rewardDown(uint256 average, uint256 decay, uint256 rounds, uint256 settled)
        internal
        pure
        returns (uint256)
    {
        if (decay == 0) return average;
        unchecked {
            uint256 left = rounds - settled;
            if (decay == 1) return 2 * average * left / (rounds + 1);
            return 6 * average * left * left / ((rounds + 1) * (2 * rounds + 1));
        }
    }
}
