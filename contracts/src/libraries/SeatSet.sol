// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title SeatSet
/// @notice Sets of seats as bits of a word.
library SeatSet {
    /// @notice The set of one seat.
    function only(uint256 seat) internal pure returns (uint128) {
        return uint128(1) << uint8(seat);
    }

    /// @notice Whether the set has the seat.
    function has(uint128 set, uint256 seat) internal pure returns (bool) {
        return set & only(seat) != 0;
    }

    /// @notice Number of seats in the set.
    function size(uint128 set) internal pure returns (uint256 count) {
        // Each step clears the lowest set bit, so the loop runs once per member, at most 128 times.
        unchecked {
            while (set != 0) {
                set &= set - 1;
                ++count;
            }
        }
    }

    /// @notice The lowest seat below `limit` that is not in the set, or `limit` if there is none.
    function firstFree(uint128 set, uint256 limit) internal pure returns (uint256 seat) {
        while (seat < limit && has(set, seat)) ++seat;
    }
}
