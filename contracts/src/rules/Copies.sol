// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Gram, PackedGram} from "./PackedGram.sol";

/// @title Copies
/// @notice Finds updates that are zero and updates that copy one of a lower index.
library Copies {
    using PackedGram for Gram;

    /// @notice Bit i of `zeros` tells that update i is zero; of `copies`, that it has a cosine above `limit / 1000` with
    /// one of a lower index, `G_ij > 0` and `1000^2 G_ij^2 > limit^2 G_ii G_jj`; of `copied`, that it has with one of a
    /// higher index.
    function find(Gram memory gram, uint256 limit)
        internal
        pure
        returns (uint256 zeros, uint256 copies, uint256 copied)
    {
        uint256 trainers = gram.trainers;
        uint256[] memory norms = gram.norms;
        // Indices are below 255 and the limit is at most 1000.
        unchecked {
            limit *= limit;
            for (uint256 i = 0; i < trainers; ++i) {
                if (norms[i] == 0) {
                    zeros |= 1 << i;
                    continue;
                }
                uint256 found = _copiesOf(gram.row(i), i, norms, limit);
                if (found == 0) continue;
                copies |= found;
                copied |= 1 << i;
            }
        }
    }

    /// @dev The copies of update i, which is not zero, among those of a higher index.
    function _copiesOf(uint256 base, uint256 i, uint256[] memory norms, uint256 squaredLimit)
        private
        pure
        returns (uint256 copies)
    {
        // In assembly because every pair passes here; four at a time, then the rest. A zero update has product 0 with all
        // others. Entries are below 2^63 in size, so no product overflows.
        assembly ("memory-safe") {
            let entry
            let bound := mul(squaredLimit, mload(add(norms, shl(5, add(i, 1)))))
            let count := mload(norms)
            let j := add(i, 1)
            for {} lt(add(j, 3), count) { j := add(j, 4) } {
                let place := add(base, shl(3, j))
                let norm := add(norms, shl(5, j))
                entry := sar(192, calldataload(place))
                if gt(mul(mul(entry, entry), 1000000), mul(bound, mload(add(norm, 32)))) {
                    copies := or(copies, shl(j, sgt(entry, 0)))
                }
                entry := sar(192, calldataload(add(place, 8)))
                if gt(mul(mul(entry, entry), 1000000), mul(bound, mload(add(norm, 64)))) {
                    copies := or(copies, shl(add(j, 1), sgt(entry, 0)))
                }
                entry := sar(192, calldataload(add(place, 16)))
                if gt(mul(mul(entry, entry), 1000000), mul(bound, mload(add(norm, 96)))) {
                    copies := or(copies, shl(add(j, 2), sgt(entry, 0)))
                }
                entry := sar(192, calldataload(add(place, 24)))
                if gt(mul(mul(entry, entry), 1000000), mul(bound, mload(add(norm, 128)))) {
                    copies := or(copies, shl(add(j, 3), sgt(entry, 0)))
                }
            }
            for {} lt(j, count) { j := add(j, 1) } {
                entry := sar(192, calldataload(add(base, shl(3, j))))
                if gt(mul(mul(entry, entry), 1000000), mul(bound, mload(add(norms, shl(5, add(j, 1)))))) {
                    copies := or(copies, shl(j, sgt(entry, 0)))
                }
            }
        }
    }
}
