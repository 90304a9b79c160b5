// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254} from "./Bn254.sol";
import {GramChecks} from "./GramChecks.sol";

/// @title QuadraticForm
/// @notice The value of a packed Gram matrix at a vector of challenges.
library QuadraticForm {
    /// @notice `sum_ij rho_i rho_j G_ij mod r`.
    ///
    /// @param gram Packed upper triangle, see `IRule`; the caller has checked its length.
    /// @param rho The challenges, each below 2^128, then three zeros.
    /// @param count Number of the challenges, at most 255.
    function evaluate(bytes calldata gram, uint256[] memory rho, uint256 count)
        internal
        pure
        returns (uint256 value)
    {
        uint256 position = 0;
        // The triangle has each entry beside the diagonal once and the diagonal itself once too, so the row counts double
        // and the diagonal is taken off. No overflow: 255 entries below 2^63 in size, times 2^128, times two stay below
        // 2^200, and so adding r makes the sum positive and keeps it below 2^256.
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                uint256 factor = rho[i];
                int256 diagonal = GramChecks.entry(gram, position) * int256(factor);
                int256 row = 2 * _row(gram, position, rho, i, count) - diagonal;
                uint256 positive = uint256(row + int256(Bn254.SCALAR_ORDER));
                value = addmod(value, mulmod(factor, positive, Bn254.SCALAR_ORDER), Bn254.SCALAR_ORDER);
                position += count - i;
            }
        }
    }

    /// @dev `sum_(j >= i) rho_j G_ij`, four entries at a time. Entries behind the row's end meet the zeros behind the
    /// challenges.
    function _row(bytes calldata gram, uint256 position, uint256[] memory rho, uint256 i, uint256 count)
        private
        pure
        returns (int256 sum)
    {
        assembly ("memory-safe") {
            let entries := add(gram.offset, shl(3, position))
            let factor := add(add(rho, 32), shl(5, i))
            let end := add(add(rho, 32), shl(5, count))
            for {} lt(factor, end) {} {
                // The arithmetic shift extends the sign of the 64 bits that the word begins with.
                let four := calldataload(entries)
                sum := add(sum, mul(sar(192, four), mload(factor)))
                sum := add(sum, mul(sar(192, shl(64, four)), mload(add(factor, 32))))
                sum := add(sum, mul(sar(192, shl(128, four)), mload(add(factor, 64))))
                sum := add(sum, mul(sar(192, shl(192, four)), mload(add(factor, 96))))
                entries := add(entries, 32)
                factor := add(factor, 128)
            }
        }
    }
}
