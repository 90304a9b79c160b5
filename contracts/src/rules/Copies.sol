// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Gram, PackedGram} from "./PackedGram.sol";
import {Words} from "./Words.sol";

/// @title Copies
/// @notice Finds updates that are zero and updates that copy one of a lower index.
/// @dev Entries are below 2^63 in size, norms in memory at most 2^140 and limits at most 1000, so that no product
/// overflows.
library Copies {
    using PackedGram for Gram;
    using Words for uint256[];

    /// @dev The square of what a limit is in units of.
    uint256 private constant UNIT = 1_000_000;

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
        // Indices are below 255.
        unchecked {
            limit *= limit;
            for (uint256 i = 0; i < trainers; ++i) {
                uint256 bound = limit * norms.read(i);
                if (bound == 0) {
                    zeros |= 1 << i;
                    continue;
                }
                uint256 base = gram.row(i);
                // Rounded down, so that no copy is missed.
                if (!_anyAbove(base, i, norms, bound / UNIT)) continue;
                uint256 found = _copiesOf(base, i, norms, bound);
                if (found == 0) continue;
                copies |= found;
                copied |= 1 << i;
            }
        }
    }

    /// @dev Whether `G_ij^2 > bound G_jj` for any j > i.
    function _anyAbove(uint256 base, uint256 i, uint256[] memory norms, uint256 bound)
        private
        pure
        returns (bool above)
    {
        // In assembly because every pair passes here, four at a time: behind the last norm are three that nothing exceeds,
        // whatever is read as their entries.
        assembly ("memory-safe") {
            let norm := add(norms, shl(5, add(i, 2)))
            let place := add(base, shl(3, add(i, 1)))
            for { let end := add(norms, shl(5, add(mload(norms), 1))) } lt(norm, end) {
                norm := add(norm, 128)
            } {
                let entry := sar(192, calldataload(place))
                above := or(above, gt(mul(entry, entry), mul(bound, mload(norm))))
                entry := sar(192, calldataload(add(place, 8)))
                above := or(above, gt(mul(entry, entry), mul(bound, mload(add(norm, 32)))))
                entry := sar(192, calldataload(add(place, 16)))
                above := or(above, gt(mul(entry, entry), mul(bound, mload(add(norm, 64)))))
                entry := sar(192, calldataload(add(place, 24)))
                above := or(above, gt(mul(entry, entry), mul(bound, mload(add(norm, 96)))))
                place := add(place, 32)
            }
        }
    }

    /// @dev The copies of update i, which is not zero, among those of a higher index; `bound` is `limit^2 G_ii`.
    function _copiesOf(uint256 base, uint256 i, uint256[] memory norms, uint256 bound)
        private
        pure
        returns (uint256 copies)
    {
        // A zero update has product 0 with all others.
        unchecked {
            for (uint256 j = i + 1; j < norms.length; ++j) {
                int256 entry = PackedGram.load(base + 8 * j);
                if (entry > 0 && UNIT * uint256(entry * entry) > bound * norms.read(j)) copies |= 1 << j;
            }
        }
    }
}
