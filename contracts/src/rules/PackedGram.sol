// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice A packed Gram matrix in calldata, see `IRule`.
/// @param offset Where its first entry lies in calldata.
/// @param trainers Number of accepted updates, n; row n is the reference.
/// @param rows Number of all rows, m.
/// @param norms The updates' squared norms, `G_ii`; a legal matrix holds them non-negative. In memory they are followed
/// by `SPARE` words `UNREACHED`, so that rows can be read some entries at a time.
struct Gram {
    uint256 offset;
    uint256 trainers;
    uint256 rows;
    uint256[] norms;
}

/// @title PackedGram
/// @notice Reads entries of a packed Gram matrix.
library PackedGram {
    /// @notice Words behind the norms.
    uint256 internal constant SPARE = 3;
    /// @notice More than the square of any entry, however scaled.
    uint256 internal constant UNREACHED = 2 ** 140;

    /// @notice Where row i would begin if the entries left of the diagonal were packed too: for `j >= i`, entry (i, j)
    /// lies 8 j bytes further.
    function row(Gram memory gram, uint256 i) internal pure returns (uint256 base) {
        // The caller has compared the length of the matrix with its rows, and rows are few enough for 64 bits.
        unchecked {
            return gram.offset + 4 * i * (2 * gram.rows - i - 1);
        }
    }

    /// @notice Entry (i, j) for `i <= j`.
    function entry(Gram memory gram, uint256 i, uint256 j) internal pure returns (int256 value) {
        // As above.
        unchecked {
            return load(row(gram, i) + 8 * j);
        }
    }

    /// @notice The int64 at a place in calldata.
    function load(uint256 place) internal pure returns (int256 value) {
        // The arithmetic shift extends the sign of the 64-bit entry that the word at this place begins with.
        assembly ("memory-safe") {
            value := sar(192, calldataload(place))
        }
    }
}
