// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Words
/// @notice Arrays in memory without a check of the index, for loops that every update passes and that bound it
/// themselves; and words by their address, for loops that move from word to word.
library Words {
    /// @notice `array[index]`.
    function read(uint256[] memory array, uint256 index) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(array, 32), shl(5, index)))
        }
    }

    /// @notice `array[index]`.
    function read(int256[] memory array, uint256 index) internal pure returns (int256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(array, 32), shl(5, index)))
        }
    }

    /// @notice `array[index] = word`.
    function write(uint256[] memory array, uint256 index, uint256 word) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(array, 32), shl(5, index)), word)
        }
    }

    /// @notice `array[index] = word`.
    function write(int256[] memory array, uint256 index, int256 word) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(array, 32), shl(5, index)), word)
        }
    }

    /// @notice Address of the array's first word.
    function start(uint256[] memory array) internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := add(array, 32)
        }
    }

    /// @notice Address of the array's first word.
    function start(int256[] memory array) internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := add(array, 32)
        }
    }

    /// @notice The word at this address.
    function load(uint256 place) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(place)
        }
    }

    /// @notice Writes the word at this address.
    function store(uint256 place, uint256 word) internal pure {
        assembly ("memory-safe") {
            mstore(place, word)
        }
    }

    /// @notice Hides the last of an array's words.
    function shorten(uint256[] memory array, uint256 length) internal pure {
        assembly ("memory-safe") {
            mstore(array, length)
        }
    }

    /// @notice Hides the last of an array's words.
    function shorten(int256[] memory array, uint256 length) internal pure {
        assembly ("memory-safe") {
            mstore(array, length)
        }
    }
}
