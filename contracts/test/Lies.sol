// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice A matrix that no vectors have and that passes every cheap check, and what refutes it; packed as in `IRule`.
library Lies {
    /// @notice The identity, but that of the first three vectors each is the opposite of both others. All 2 x 2 minors are
    /// zero there, and the sum of the three would have the squared length -3.
    /// @param rows Three or more.
    function gram(uint256 rows) internal pure returns (bytes memory packed) {
        packed = new bytes(4 * rows * (rows + 1));
        uint256 position = 0;
        for (uint256 i = 0; i < rows; ++i) {
            write(packed, position, 1);
            position += rows - i;
        }
        write(packed, 1, -1);
        write(packed, 2, -1);
        write(packed, rows + 1, -1);
    }

    /// @notice The sum of the first three vectors, as integers for each row.
    function witness(uint256 rows) internal pure returns (bytes memory x) {
        x = new bytes(8 * rows);
        for (uint256 i = 0; i < 3; ++i) {
            write(x, i, 1);
        }
    }

    /// @notice Writes an int64 at a position of packed ones.
    function write(bytes memory packed, uint256 position, int64 value) internal pure {
        for (uint256 k = 0; k < 8; ++k) {
            packed[8 * position + k] = bytes1(uint8(uint64(value) >> (56 - 8 * k)));
        }
    }
}
