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
        // Adds up neighbouring bits, then pairs, then fours, then all sixteen bytes, each at most 8, in the highest byte of 128
        // bits; Knuth, The Art of Computer Programming 4A, 7.1.3.
        unchecked {
            count = set;
            count -= (count >> 1) & 0x55555555555555555555555555555555;
            count = (count & 0x33333333333333333333333333333333)
                + ((count >> 2) & 0x33333333333333333333333333333333);
            count = (count + (count >> 4)) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
            count = uint8((count * 0x01010101010101010101010101010101) >> 120);
        }
    }

    /// @notice The lowest seat below `limit` that is not in the set, or `limit` if there is none.
    function firstFree(uint128 set, uint256 limit) internal pure returns (uint256 seat) {
        while (seat < limit && has(set, seat)) ++seat;
    }
}
