// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Selection
/// @notice Brings the smallest of a row of words to its front without sorting it (quickselect).
///
/// @dev Pivots are the smallest, middle or largest of three words at pseudo-random places, whichever is likely to lie
/// near the target. With a seed that depends on all of the input, nobody can arrange the input so that the pivots are
/// bad, and the cost is close to its mean: over the rows of a matrix the deviations average out.
library Selection {
    /// @dev Bytes up to which a segment is sorted by insertion instead of partitioned further.
    uint256 private constant SMALL = 6 * 32;

    /// @notice Rearranges the words in memory from `left` to `right` so that those before `target` are the smallest.
    /// @param left Address of the first word.
    /// @param right Address after the last word.
    /// @param target Address between the two. The words must differ from each other.
    /// @param state State of the generator that chooses pivots.
    /// @return The generator's next state.
    function select(uint256 left, uint256 right, uint256 target, uint256 state)
        internal
        pure
        returns (uint256)
    {
        while (left < target && target < right) {
            if (right - left <= SMALL) {
                insertionSort(left, right);
                break;
            }
            state = next(state);
            // Of the three words that it is chosen from, the threshold leaves at least one on either side, so that the
            // segment shrinks whichever side the target is on.
            uint256 boundary = partition(left, right, _threshold(left, right, target, state));
            if (boundary > target) right = boundary;
            else left = boundary;
        }
        return state;
    }

    /// @notice The generator's next state: a linear congruence, of which only the highest bits are used.
    function next(uint256 state) internal pure returns (uint256) {
        // Wrapping modulo 2^256 is meant. The multiplier, 2^256 divided by the golden ratio, is 5 modulo 8, which gives the full period.
        unchecked {
            return state * 0x9e3779b97f4a7c15f39cc0605cedc8341082276bf3a27251f86c6a11d0c18e95 + 1;
        }
    }

    /// @notice A number that parts three different words, at the rank among them that is nearest to the target's.
    /// @param before Number of words that belong before the target.
    /// @param count Number of all words.
    function threshold(uint256 a, uint256 b, uint256 c, uint256 before, uint256 count)
        internal
        pure
        returns (uint256)
    {
        // Counts are small, and words are below 2^256 - 1.
        unchecked {
            if (a > b) (a, b) = (b, a);
            if (4 * before < count) return (c < a ? c : a) + 1;
            if (4 * before > 3 * count) return c > b ? c : b;
            if (c >= b) return b;
            return c > a ? c : a;
        }
    }

    /// @notice Three pseudo-random positions, one in each third of so many.
    function positions(uint256 count, uint256 state) internal pure returns (uint256 a, uint256 b, uint256 c) {
        // Counts are small and the random factors below 2^32.
        unchecked {
            uint256 third = count / 3;
            a = (third * (state >> 224)) >> 32;
            b = third + ((third * ((state >> 192) & 0xffffffff)) >> 32);
            c = 2 * third + ((third * ((state >> 160) & 0xffffffff)) >> 32);
        }
    }

    /// @notice Moves the words smaller than the limit to the front of the segment.
    /// @return boundary Address after the last of them.
    function partition(uint256 left, uint256 right, uint256 limit) internal pure returns (uint256 boundary) {
        // In assembly because this is the innermost loop of the rule: every word is exchanged with the first that is not
        // smaller, and the boundary moves on by comparison instead of by a jump; four words at a time, then the rest.
        // Only words of the segment are written.
        assembly ("memory-safe") {
            boundary := left
            let place := left
            for { let last := sub(right, 96) } lt(place, last) { place := add(place, 128) } {
                let word := mload(place)
                mstore(place, mload(boundary))
                mstore(boundary, word)
                boundary := add(shl(5, lt(word, limit)), boundary)
                word := mload(add(place, 32))
                mstore(add(place, 32), mload(boundary))
                mstore(boundary, word)
                boundary := add(shl(5, lt(word, limit)), boundary)
                word := mload(add(place, 64))
                mstore(add(place, 64), mload(boundary))
                mstore(boundary, word)
                boundary := add(shl(5, lt(word, limit)), boundary)
                word := mload(add(place, 96))
                mstore(add(place, 96), mload(boundary))
                mstore(boundary, word)
                boundary := add(shl(5, lt(word, limit)), boundary)
            }
            for {} lt(place, right) { place := add(place, 32) } {
                let word := mload(place)
                mstore(place, mload(boundary))
                mstore(boundary, word)
                boundary := add(shl(5, lt(word, limit)), boundary)
            }
        }
    }

    /// @notice Sorts the words of a short segment in ascending order.
    function insertionSort(uint256 left, uint256 right) internal pure {
        // In assembly because the segment has no Solidity type; only its words are written.
        assembly ("memory-safe") {
            for { let end := add(left, 32) } lt(end, right) { end := add(end, 32) } {
                let word := mload(end)
                let place := end
                for {} gt(place, left) { place := sub(place, 32) } {
                    let before := mload(sub(place, 32))
                    if iszero(gt(before, word)) { break }
                    mstore(place, before)
                }
                mstore(place, word)
            }
        }
    }

    /// @notice The sum of the words from `left` to `right`, modulo 2^256.
    function sum(uint256 left, uint256 right) internal pure returns (uint256 total) {
        // In assembly because the segment has no Solidity type; four words at a time, then the rest.
        assembly ("memory-safe") {
            for { let last := sub(right, 96) } lt(left, last) { left := add(left, 128) } {
                let half := add(mload(left), mload(add(left, 32)))
                total := add(total, add(half, add(mload(add(left, 64)), mload(add(left, 96)))))
            }
            for {} lt(left, right) { left := add(left, 32) } { total := add(total, mload(left)) }
        }
    }

    /// @dev Chooses the threshold of one step.
    function _threshold(uint256 left, uint256 right, uint256 target, uint256 state)
        private
        pure
        returns (uint256)
    {
        // The target lies between left and right.
        unchecked {
            uint256 count = (right - left) / 32;
            (uint256 a, uint256 b, uint256 c) = positions(count, state);
            return threshold(_read(left, a), _read(left, b), _read(left, c), (target - left) / 32, count);
        }
    }

    /// @dev The word at this position of a segment.
    function _read(uint256 left, uint256 position) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(left, shl(5, position)))
        }
    }
}
