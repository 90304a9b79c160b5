// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Errors} from "./Errors.sol";

/// @title GramChecks
/// @notice What must hold of every Gram matrix of updates in range. The checks are cheap and not sufficient: whether the
/// matrix belongs to the commitments is the proof's matter.
library GramChecks {
    /// @notice Reverts unless every squared norm lies in [0, maximum] and every 2 x 2 minor is non-negative.
    ///
    /// @dev A non-negative minor also bounds the squared distance of two updates from below by zero:
    /// `2 |G_ij| <= 2 sqrt(G_ii G_jj) <= G_ii + G_jj`.
    ///
    /// @param gram Packed upper triangle, see `IRule`.
    /// @param rows Number of rows, m; the length of `gram` must be `4 m (m + 1)`.
    /// @param maximum Largest squared norm, `d 2^(2b - 2)`.
    function check(bytes calldata gram, uint256 rows, uint256 maximum) internal pure {
        uint256 length = 4 * rows * (rows + 1);
        require(gram.length == length, Errors.Market_WrongLength("gram", gram.length, length));
        int256[] memory norms = new int256[](rows);
        uint256 position = 0;
        for (uint256 i = 0; i < rows; ++i) {
            norms[i] = entry(gram, position);
            require(
                norms[i] >= 0 && uint256(norms[i]) <= maximum,
                Errors.Market_NormOutOfRange(i, norms[i], maximum)
            );
            position += rows - i;
        }
        position = 0;
        for (uint256 i = 0; i < rows; ++i) {
            int256 norm = norms[i];
            ++position;
            for (uint256 j = i + 1; j < rows; ++j) {
                int256 product = entry(gram, position);
                // Entries are below 2^63 in size, so neither product nor increment can overflow.
                unchecked {
                    require(
                        product * product <= norm * norms[j],
                        Errors.Market_InnerProductOutOfRange(i, j, product)
                    );
                    ++position;
                }
            }
        }
    }

    /// @notice The entry at a position of the packed triangle; the caller has checked the length.
    function entry(bytes calldata gram, uint256 position) internal pure returns (int256 value) {
        // The arithmetic shift extends the sign of the 64-bit entry that the word at this offset begins with.
        assembly ("memory-safe") {
            value := sar(192, calldataload(add(gram.offset, shl(3, position))))
        }
    }
}
