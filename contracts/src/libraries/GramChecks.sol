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
        uint256[] memory norms = _norms(gram, rows, maximum);
        uint256 position = 0;
        // The length of the matrix bounds the number of rows, and with it every position.
        unchecked {
            for (uint256 i = 0; i < rows; ++i) {
                if (_exceeds(gram, position, norms, i)) _revertAt(gram, position, norms, i);
                position += rows - i;
            }
        }
    }

    /// @dev The squared norms; reverts if one is out of range.
    function _norms(bytes calldata gram, uint256 rows, uint256 maximum)
        private
        pure
        returns (uint256[] memory norms)
    {
        norms = new uint256[](rows);
        uint256 position = 0;
        // As above.
        unchecked {
            for (uint256 i = 0; i < rows; ++i) {
                int256 norm = entry(gram, position);
                require(norm >= 0 && uint256(norm) <= maximum, Errors.Market_NormOutOfRange(i, norm, maximum));
                norms[i] = uint256(norm);
                position += rows - i;
            }
        }
    }

    /// @dev Whether a product of row i with a later one exceeds the norms.
    /// @param position Of the row's first entry, its norm.
    function _exceeds(bytes calldata gram, uint256 position, uint256[] memory norms, uint256 i)
        private
        pure
        returns (bool found)
    {
        // In assembly because every pair passes here; four at a time, which one word holds, then the rest. Entries are
        // below 2^63 in size, so that no product overflows; the arithmetic shift extends their sign.
        assembly ("memory-safe") {
            let place := add(norms, shl(5, add(i, 1)))
            let norm := mload(place)
            let end := add(norms, shl(5, add(mload(norms), 1)))
            let entries := add(gram.offset, shl(3, add(position, 1)))
            let product
            place := add(place, 32)
            for { let last := sub(end, 96) } lt(place, last) { place := add(place, 128) } {
                let four := calldataload(entries)
                product := sar(192, four)
                found := or(found, gt(mul(product, product), mul(norm, mload(place))))
                product := sar(192, shl(64, four))
                found := or(found, gt(mul(product, product), mul(norm, mload(add(place, 32)))))
                product := sar(192, shl(128, four))
                found := or(found, gt(mul(product, product), mul(norm, mload(add(place, 64)))))
                product := sar(192, shl(192, four))
                found := or(found, gt(mul(product, product), mul(norm, mload(add(place, 96)))))
                entries := add(entries, 32)
            }
            for {} lt(place, end) { place := add(place, 32) } {
                product := sar(192, calldataload(entries))
                found := or(found, gt(mul(product, product), mul(norm, mload(place))))
                entries := add(entries, 8)
            }
        }
    }

    /// @dev Reverts with the first product of row i that exceeds the norms; there is one.
    function _revertAt(bytes calldata gram, uint256 position, uint256[] memory norms, uint256 i)
        private
        pure
    {
        for (uint256 j = i + 1; j < norms.length; ++j) {
            int256 product = entry(gram, ++position);
            require(
                uint256(product * product) <= norms[i] * norms[j],
                Errors.Market_InnerProductOutOfRange(i, j, product)
            );
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
