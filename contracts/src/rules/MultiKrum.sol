// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Gram, PackedGram} from "./PackedGram.sol";
import {Selection} from "./Selection.sol";
import {Words} from "./Words.sol";

/// @title MultiKrum
/// @notice Keeps the updates whose nearest others are nearest (Blanchard et al. 2017), on a Gram matrix of integers.
library MultiKrum {
    using PackedGram for Gram;
    using Words for uint256[];

    /// @dev What scoring needs of the candidates, with a buffer for one row of distances.
    /// @param keys Per candidate j, `2^20 G_jj + 8 j`: added to a distance's other terms it gives the distance, in
    /// units of 2^20, and a number that makes all distances of a row differ.
    /// @param bases Per candidate, `PackedGram.row`.
    /// @param buffer Room for a row of distances, or for the largest of it if few are dropped.
    /// @param nearest Number of distances that count.
    struct Table {
        uint256[] keys;
        uint256[] bases;
        uint256[] buffer;
        uint256 nearest;
    }

    /// @dev The tie breakers of a row, at most 8 * 254 each and 255 of them, sum to less than 2^20.
    uint256 private constant DISTANCE_SHIFT = 20;
    uint256 private constant COLUMN_MASK = 0xfffff;
    /// @dev Inner products count twice in a distance.
    uint256 private constant PRODUCT_SHIFT = 21;
    /// @dev Up to so many distances of a row that don't count are kept apart while the row is read; more are parted from
    /// those that count by `Selection`, whose cost does not grow with their number.
    uint256 private constant FEW = 4;
    /// @dev No distance is as large, nor is the sum of all in a row.
    uint256 private constant UNREACHED = 2 ** 128;

    /// @notice Keeps the `n' - f'` candidates with the lowest scores, ties to the lower index; a score is the sum of
    /// the `n' - f' - 2` smallest squared distances to other candidates.
    /// @param gram The matrix.
    /// @param candidates Those who passed the filters, ascending; at least `2 f' + 3`.
    /// @param faulty f', the number of them that may be faulty.
    /// @param seed Unpredictable number, see `Selection`.
    /// @return kept Those kept, ascending.
    function keepCentral(Gram memory gram, uint256[] memory candidates, uint256 faulty, uint256 seed)
        internal
        pure
        returns (uint256[] memory kept)
    {
        if (faulty == 0) return candidates;
        Table memory table = _table(gram, candidates, faulty);
        uint256 count = candidates.length;
        uint256[] memory ranked = new uint256[](count);
        // Counts are small. A score is below 2^74, so the shift leaves room for the position, which breaks ties.
        unchecked {
            for (uint256 a = 0; a < count; ++a) {
                uint256 score;
                // Of the distances to the others, all but the nearest are dropped.
                if (faulty < FEW) score = _scoreWithoutLargest(table, a, faulty + 1);
                else (score, seed) = _score(table, a, seed);
                ranked[a] = (score << 8) | a;
            }
            return _lowest(candidates, ranked, count - faulty, seed);
        }
    }

    /// @dev Prepares what does not change from row to row.
    function _table(Gram memory gram, uint256[] memory candidates, uint256 faulty)
        private
        pure
        returns (Table memory table)
    {
        uint256 count = candidates.length;
        table.keys = new uint256[](count);
        table.bases = new uint256[](count);
        table.buffer = new uint256[](faulty < FEW ? FEW : count - 1);
        table.nearest = count - faulty - 2;
        uint256[] memory keys = table.keys;
        uint256[] memory bases = table.bases;
        uint256[] memory norms = gram.norms;
        // Counts are small.
        unchecked {
            for (uint256 a = 0; a < count; ++a) {
                uint256 j = candidates.read(a);
                keys.write(a, (norms.read(j) << DISTANCE_SHIFT) | (8 * j));
                bases.write(a, gram.row(j));
            }
        }
    }

    /// @dev The score of the candidate at position a, as the sum of all distances but the largest.
    /// @param dropped Number of the largest, at most 4 and no more than there are distances.
    function _scoreWithoutLargest(Table memory table, uint256 a, uint256 dropped)
        private
        pure
        returns (uint256 score)
    {
        uint256[] memory keys = table.keys;
        uint256[] memory bases = table.bases;
        uint256[] memory top = table.buffer;
        // In assembly because every pair of candidates passes here twice. The largest distances so far are the four words
        // of the buffer in ascending order; where fewer are to be dropped, the last of them hold what no distance reaches. A
        // distance above the first pushes it out and moves up to its place by comparison instead of by jumps. A candidate
        // before a has the entry in its own row.
        assembly ("memory-safe") {
            function push(words, distance) {
                let word := mload(add(words, 32))
                let swap := mul(xor(word, distance), lt(word, distance))
                mstore(words, xor(distance, swap))
                distance := xor(word, swap)
                word := mload(add(words, 64))
                swap := mul(xor(word, distance), lt(word, distance))
                mstore(add(words, 32), xor(distance, swap))
                distance := xor(word, swap)
                word := mload(add(words, 96))
                swap := mul(xor(word, distance), lt(word, distance))
                mstore(add(words, 64), xor(distance, swap))
                mstore(add(words, 96), xor(word, swap))
            }
            top := add(top, 32)
            mstore(top, 0)
            mstore(add(top, 32), 0)
            mstore(add(top, 64), mul(lt(dropped, 3), UNREACHED))
            mstore(add(top, 96), mul(lt(dropped, 4), UNREACHED))
            let distance
            let place := add(keys, 32)
            let self := add(place, shl(5, a))
            let column := and(mload(self), COLUMN_MASK)
            let own := sub(mload(self), column)
            let toBase := sub(bases, keys)
            for {} lt(place, self) { place := add(place, 32) } {
                distance := shl(PRODUCT_SHIFT, sar(192, calldataload(add(mload(add(place, toBase)), column))))
                distance := sub(add(mload(place), own), distance)
                score := add(score, distance)
                if gt(distance, mload(top)) { push(top, distance) }
            }
            let base := mload(add(self, toBase))
            let end := add(keys, shl(5, add(mload(keys), 1)))
            for { place := add(self, 32) } lt(place, end) { place := add(place, 32) } {
                distance := shl(
                    PRODUCT_SHIFT,
                    sar(192, calldataload(add(base, and(mload(place), COLUMN_MASK))))
                )
                distance := sub(add(mload(place), own), distance)
                score := add(score, distance)
                if gt(distance, mload(top)) { push(top, distance) }
            }
            score := add(score, mul(sub(4, dropped), UNREACHED))
            score := sub(
                score,
                add(add(mload(top), mload(add(top, 32))), add(mload(add(top, 64)), mload(add(top, 96))))
            )
            score := shr(DISTANCE_SHIFT, score)
        }
    }

    /// @dev The score of the candidate at position a.
    function _score(Table memory table, uint256 a, uint256 seed)
        private
        pure
        returns (uint256 score, uint256 state)
    {
        uint256[] memory buffer = table.buffer;
        uint256 left = buffer.start();
        // Addresses are small.
        unchecked {
            uint256 right = left + 32 * buffer.length;
            uint256 target = left + 32 * table.nearest;
            state = Selection.next(seed);
            uint256 boundary = _fill(table, a, _firstThreshold(table, a, state));
            state = boundary > target
                ? Selection.select(left, boundary, target, state)
                : Selection.select(boundary, right, target, state);
            return (Selection.sum(left, target) >> DISTANCE_SHIFT, state);
        }
    }

    /// @dev A number that parts the row, from the distances to three candidates.
    function _firstThreshold(Table memory table, uint256 a, uint256 state) private pure returns (uint256) {
        uint256 count = table.keys.length;
        (uint256 b, uint256 c, uint256 d) = Selection.positions(count, state);
        return Selection.threshold(
            _distance(table, a, b), _distance(table, a, c), _distance(table, a, d), table.nearest, count
        );
    }

    /// @dev The squared distance of the candidates at positions a and b with its tie breaker.
    function _distance(Table memory table, uint256 a, uint256 b) private pure returns (uint256) {
        uint256 key = table.keys.read(b);
        uint256 own = table.keys.read(a);
        // Entries are below 2^63 in size, so that nothing overflows 2^86; a legal matrix has no negative distance.
        unchecked {
            uint256 place =
                a < b ? table.bases.read(a) + (key & COLUMN_MASK) : table.bases.read(b) + (own & COLUMN_MASK);
            return key + (own & ~COLUMN_MASK) - (uint256(PackedGram.load(place)) << PRODUCT_SHIFT);
        }
    }

    /// @dev Writes the distances of the candidate at position a to all others into the buffer, those below the threshold
    /// from the front, the rest from the back.
    /// @return boundary Address after the last below the threshold.
    function _fill(Table memory table, uint256 a, uint256 threshold) private pure returns (uint256 boundary) {
        uint256[] memory keys = table.keys;
        uint256[] memory bases = table.bases;
        uint256[] memory buffer = table.buffer;
        // In assembly because every pair of candidates passes here twice; two at a time, then the last if their number is
        // odd. Each distance is written to both ends of the free part of the buffer, and the end that it belongs to
        // moves on; as many words are free as distances are to come, so only words of the buffer are written. A
        // candidate before a has the entry in its own row.
        assembly ("memory-safe") {
            let distance
            let place := add(keys, 32)
            let self := add(place, shl(5, a))
            let column := and(mload(self), COLUMN_MASK)
            let own := sub(mload(self), column)
            let toBase := sub(bases, keys)
            // The boundary plus this minus the place is the last free word.
            let last := add(keys, shl(5, mload(buffer)))
            boundary := add(buffer, 32)
            for { let end := sub(self, 32) } lt(place, end) { place := add(place, 64) } {
                distance := shl(PRODUCT_SHIFT, sar(192, calldataload(add(mload(add(place, toBase)), column))))
                distance := sub(add(mload(place), own), distance)
                mstore(boundary, distance)
                mstore(add(boundary, sub(last, place)), distance)
                boundary := add(shl(5, lt(distance, threshold)), boundary)
                distance := shl(
                    PRODUCT_SHIFT,
                    sar(192, calldataload(add(mload(add(add(place, 32), toBase)), column)))
                )
                distance := sub(add(mload(add(place, 32)), own), distance)
                mstore(boundary, distance)
                mstore(add(boundary, sub(last, add(place, 32))), distance)
                boundary := add(shl(5, lt(distance, threshold)), boundary)
            }
            if lt(place, self) {
                distance := shl(PRODUCT_SHIFT, sar(192, calldataload(add(mload(add(place, toBase)), column))))
                distance := sub(add(mload(place), own), distance)
                mstore(boundary, distance)
                mstore(add(boundary, sub(last, place)), distance)
                boundary := add(shl(5, lt(distance, threshold)), boundary)
            }
            // The candidate itself is left out, so that places are one word ahead of the buffer from here on.
            last := add(last, 32)
            place := add(self, 32)
            let base := mload(add(self, toBase))
            let end := add(last, 32)
            let key
            for { let lastPair := sub(end, 32) } lt(place, lastPair) { place := add(place, 64) } {
                key := mload(place)
                distance := shl(PRODUCT_SHIFT, sar(192, calldataload(add(base, and(key, COLUMN_MASK)))))
                distance := sub(add(key, own), distance)
                mstore(boundary, distance)
                mstore(add(boundary, sub(last, place)), distance)
                boundary := add(shl(5, lt(distance, threshold)), boundary)
                key := mload(add(place, 32))
                distance := shl(PRODUCT_SHIFT, sar(192, calldataload(add(base, and(key, COLUMN_MASK)))))
                distance := sub(add(key, own), distance)
                mstore(boundary, distance)
                mstore(add(boundary, sub(last, add(place, 32))), distance)
                boundary := add(shl(5, lt(distance, threshold)), boundary)
            }
            if lt(place, end) {
                key := mload(place)
                distance := shl(PRODUCT_SHIFT, sar(192, calldataload(add(base, and(key, COLUMN_MASK)))))
                distance := sub(add(key, own), distance)
                mstore(boundary, distance)
                mstore(add(boundary, sub(last, place)), distance)
                boundary := add(shl(5, lt(distance, threshold)), boundary)
            }
        }
    }

    /// @dev The candidates of the `count` lowest ranks, in ascending order.
    function _lowest(uint256[] memory candidates, uint256[] memory ranked, uint256 count, uint256 seed)
        private
        pure
        returns (uint256[] memory kept)
    {
        uint256 left = ranked.start();
        Selection.select(left, left + 32 * ranked.length, left + 32 * count, seed);
        uint256 positions = 0;
        kept = new uint256[](count);
        // Counts are small.
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                positions |= 1 << (ranked[k] & 0xff);
            }
            uint256 found = 0;
            for (uint256 a = 0; found < count; ++a) {
                if ((positions >> a) & 1 == 1) kept[found++] = candidates[a];
            }
        }
    }
}
