// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Words} from "./Words.sol";

/// @title Mixture
/// @notice The weights, each up to a limit and of a fixed sum, that maximise `U(w) = 2 b(w) - K(w, w)` with
/// `K_ij = 2^-16 sum_k c_ki c_kj`, by pairwise ascent (sequential minimal optimisation, Platt 1998).
///
/// @dev Equal bit for bit to `contribution/mixture.py`. Slopes are `s_i = 2^32 b_i - sum_k c_ki sum_j w_j c_kj`, half of
/// the derivative of U along w_i. Sizes: entries are below 2^63 in size, weights sum to at most 2^16, candidates are at
/// most 255 and vectors fewer than 2^10, so that products of two rows are below 2^152, and slopes too.
library Mixture {
    using Words for uint256[];
    using Words for int256[];

    /// @notice The problem.
    /// @param gains `b_i`.
    /// @param products A row for each candidate, the K products `c_ki` and zeros up to a multiple of `LANES`; behind them
    /// room for one more row.
    /// @param columns Length of a row.
    struct Problem {
        int256[] gains;
        int256[] products;
        uint256 columns;
    }

    /// @dev Where the ascent is; addresses of memory.
    /// @param table Of the first word of the products of rows.
    /// @param rows How many rows and columns the table has.
    /// @param slopes Of the first slope.
    /// @param end After the last slope.
    /// @param toWeight From a candidate's slope to its weight.
    /// @param limit The largest weight.
    /// @param high Of the highest slope of those below the limit.
    /// @param low Of the lowest slope of those with a weight.
    /// @param gap By how much the first exceeds the second; negative if nobody is below the limit.
    struct Ascent {
        uint256 table;
        uint256 rows;
        uint256 slopes;
        uint256 end;
        uint256 toWeight;
        uint256 limit;
        uint256 high;
        uint256 low;
        int256 gap;
    }

    /// @dev As many products are multiplied at a time.
    uint256 internal constant LANES = 8;
    /// @dev The whole, in units of weights.
    uint256 private constant WHOLE = 2 ** 16;
    /// @dev From gains to slopes.
    uint256 private constant SLOPE_BITS = 32;
    /// @dev Nobody has more than three equal shares, nor more than a third.
    uint256 private constant LARGEST_SHARE = 3;
    /// @dev So many steps more than half of the candidates.
    uint256 private constant EXTRA_STEPS = 12;
    /// @dev No slope is as large in size.
    int256 private constant UNREACHED = 2 ** 254;

    /// @notice An empty problem.
    function empty(uint256 candidates, uint256 vectors) internal pure returns (Problem memory problem) {
        // The next multiple of a power of two.
        problem.columns = (vectors + LANES - 1) & ~(LANES - 1);
        problem.gains = new int256[](candidates);
        problem.products = new int256[]((candidates + 1) * problem.columns);
    }

    /// @notice The weights that pairwise ascent reaches from equal ones, and the slopes there.
    /// @dev For 3 to 255 candidates.
    function best(Problem memory problem)
        internal
        pure
        returns (uint256[] memory weights, int256[] memory slopes)
    {
        uint256 count = problem.gains.length;
        // One more, see `_begin`.
        weights = new uint256[](count + 1);
        slopes = new int256[](count + 1);
        Ascent memory ascent = _begin(problem.gains, weights, slopes);
        _addUp(problem);
        _multiply(ascent, problem);
        // From no weights to equal ones is a step in the direction of the sum, away from nothing.
        uint256 nothing = new uint256[](count + 1).start();
        _shift(ascent, ascent.table + 32 * count * ascent.rows, nothing, WHOLE / count);
        for (uint256 steps = count / 2 + EXTRA_STEPS; steps != 0 && _step(ascent);) {
            // Counts down to 0.
            unchecked {
                --steps;
            }
        }
    }

    /// @notice `floor(2^32 phi_i)`, phi being the exact Shapley value of the game in which those who stay away are missing
    /// from the aggregate: `phi_i = w_i (b_i + s_i)`.
    function contribution(uint256 weight, int256 gain, int256 slope) internal pure returns (int256) {
        // Below 2^170 in size.
        unchecked {
            return (int256(weight) * ((gain << SLOPE_BITS) + slope)) >> 16;
        }
    }

    /// @dev Equal weights, and the slopes at no weights, `2^32 b_i`. Behind the last candidate stands one who is never
    /// chosen, at the limit and with a slope that is not reached: it makes an odd number of candidates even.
    function _begin(int256[] memory gains, uint256[] memory weights, int256[] memory slopes)
        private
        pure
        returns (Ascent memory ascent)
    {
        uint256 count = gains.length;
        ascent.limit = LARGEST_SHARE * WHOLE / count;
        if (ascent.limit > WHOLE / 3) ascent.limit = WHOLE / 3;
        uint256 share = WHOLE / count;
        // Counts are below 2^8, gains below 2^63 in size, and memory is small.
        unchecked {
            for (uint256 a = 0; a < count; ++a) {
                weights.write(a, share);
                slopes.write(a, gains.read(a) << SLOPE_BITS);
            }
            weights.write(count, ascent.limit);
            slopes.write(count, UNREACHED);
            ascent.slopes = slopes.start();
            ascent.end = ascent.slopes + 32 * (count + count % 2);
            ascent.toWeight = weights.start() - ascent.slopes;
        }
        weights.shorten(count);
        slopes.shorten(count);
    }

    /// @dev Writes the sum of all rows behind the last.
    function _addUp(Problem memory problem) private pure {
        (int256[] memory products, uint256 columns) = (problem.products, problem.columns);
        // In assembly because every product passes here, as many at a time as are held on the stack. Only the last row of
        // the products is written.
        assembly ("memory-safe") {
            let stride := shl(5, columns)
            let place := add(products, 32)
            let total := sub(add(place, shl(5, mload(products))), stride)
            for { let end := add(total, stride) } lt(total, end) { total := add(total, 256) } {
                let c0 := 0
                let c1 := 0
                let c2 := 0
                let c3 := 0
                let c4 := 0
                let c5 := 0
                let c6 := 0
                let c7 := 0
                for { let row := place } lt(row, total) { row := add(row, stride) } {
                    c0 := add(c0, mload(row))
                    c1 := add(c1, mload(add(row, 32)))
                    c2 := add(c2, mload(add(row, 64)))
                    c3 := add(c3, mload(add(row, 96)))
                    c4 := add(c4, mload(add(row, 128)))
                    c5 := add(c5, mload(add(row, 160)))
                    c6 := add(c6, mload(add(row, 192)))
                    c7 := add(c7, mload(add(row, 224)))
                }
                mstore(total, c0)
                mstore(add(total, 32), c1)
                mstore(add(total, 64), c2)
                mstore(add(total, 96), c3)
                mstore(add(total, 128), c4)
                mstore(add(total, 160), c5)
                mstore(add(total, 192), c6)
                mstore(add(total, 224), c7)
                place := add(place, 256)
            }
        }
    }

    /// @dev Makes the table of `sum_k c_ki c_kj` for all pairs of rows, the sum of all rows included.
    function _multiply(Ascent memory ascent, Problem memory problem) private pure {
        uint256 rows = problem.gains.length + 1;
        uint256 table = new int256[](rows * rows).start();
        (ascent.table, ascent.rows) = (table, rows);
        (int256[] memory products, uint256 columns) = (problem.products, problem.columns);
        // In assembly because every pair passes here. A row is held on the stack while those up to itself are multiplied
        // with it, some columns at a time. Only words of the table are written, which is zero before.
        assembly ("memory-safe") {
            let width := shl(5, rows)
            let stride := shl(5, columns)
            for { let chunk := 0 } lt(chunk, stride) { chunk := add(chunk, 256) } {
                let first := add(add(products, 32), chunk)
                let left := first
                let row := table
                for { let diagonal := table } lt(diagonal, add(table, mul(width, rows))) {
                    diagonal := add(diagonal, add(width, 32))
                } {
                    let c0 := mload(left)
                    let c1 := mload(add(left, 32))
                    let c2 := mload(add(left, 64))
                    let c3 := mload(add(left, 96))
                    let c4 := mload(add(left, 128))
                    let c5 := mload(add(left, 160))
                    let c6 := mload(add(left, 192))
                    let c7 := mload(add(left, 224))
                    let right := first
                    let mirrored := add(table, sub(diagonal, row))
                    for { let place := row } iszero(gt(place, diagonal)) { place := add(place, 32) } {
                        let product := add(mul(c0, mload(right)), mul(c1, mload(add(right, 32))))
                        product := add(product, mul(c2, mload(add(right, 64))))
                        product := add(product, mul(c3, mload(add(right, 96))))
                        product := add(product, mul(c4, mload(add(right, 128))))
                        product := add(product, mul(c5, mload(add(right, 160))))
                        product := add(product, mul(c6, mload(add(right, 192))))
                        product := add(product, mul(c7, mload(add(right, 224))))
                        product := add(product, mload(place))
                        mstore(place, product)
                        mstore(mirrored, product)
                        mirrored := add(mirrored, width)
                        right := add(right, stride)
                    }
                    left := add(left, stride)
                    row := add(row, width)
                }
            }
        }
    }

    /// @dev Moves as much weight as raises U most, or as there is, from the lowest to the highest slope.
    /// @return Whether any was moved.
    function _step(Ascent memory ascent) private pure returns (bool) {
        if (ascent.gap <= 0) return false;
        (uint256 high, uint256 low) = (ascent.high, ascent.low);
        // No sum or product of the sizes above overflows, and all addresses are of this ascent's candidates.
        unchecked {
            uint256 highOffset = high - ascent.slopes;
            uint256 lowOffset = low - ascent.slopes;
            uint256 highRow = ascent.table + highOffset * ascent.rows;
            uint256 lowRow = ascent.table + lowOffset * ascent.rows;
            high += ascent.toWeight;
            low += ascent.toWeight;
            uint256 moved = ascent.limit - Words.load(high);
            if (Words.load(low) < moved) moved = Words.load(low);
            uint256 shared = Words.load(highRow + lowOffset);
            // A sum of squares.
            uint256 bend = Words.load(highRow + highOffset) + Words.load(lowRow + lowOffset) - 2 * shared;
            if (bend != 0) {
                uint256 rise = uint256(ascent.gap) / bend;
                if (rise < moved) moved = rise;
            }
            if (moved == 0) return false;
            Words.store(high, Words.load(high) + moved);
            Words.store(low, Words.load(low) - moved);
            _shift(ascent, highRow, lowRow, moved);
        }
        return true;
    }

    /// @dev Subtracts `moved (high row - low row)` from the slopes, and finds the next pair; ties to the lower index.
    function _shift(Ascent memory ascent, uint256 highRow, uint256 lowRow, uint256 moved) private pure {
        (uint256 place, uint256 end) = (ascent.slopes, ascent.end);
        (uint256 high, uint256 low) = (place, place);
        (int256 highest, int256 lowest) = (-UNREACHED, UNREACHED);
        // In assembly because every candidate passes here in every step; two at a time. Only slopes are written. Most are
        // neither the highest nor the lowest so far, so weights are looked at last; `toWeight` and the limit, the fifth and
        // sixth words of the ascent, are read for that alone, since the stack has no room for them.
        assembly ("memory-safe") {
            for {} lt(place, end) {
                place := add(place, 64)
                highRow := add(highRow, 64)
                lowRow := add(lowRow, 64)
            } {
                let slope := sub(mload(place), mul(moved, sub(mload(highRow), mload(lowRow))))
                mstore(place, slope)
                if sgt(slope, highest) {
                    if lt(mload(add(place, mload(add(ascent, 0x80)))), mload(add(ascent, 0xa0))) {
                        highest := slope
                        high := place
                    }
                }
                if slt(slope, lowest) {
                    if mload(add(place, mload(add(ascent, 0x80)))) {
                        lowest := slope
                        low := place
                    }
                }
                let next := add(place, 32)
                slope := sub(mload(next), mul(moved, sub(mload(add(highRow, 32)), mload(add(lowRow, 32)))))
                mstore(next, slope)
                if sgt(slope, highest) {
                    if lt(mload(add(next, mload(add(ascent, 0x80)))), mload(add(ascent, 0xa0))) {
                        highest := slope
                        high := next
                    }
                }
                if slt(slope, lowest) {
                    if mload(add(next, mload(add(ascent, 0x80)))) {
                        lowest := slope
                        low := next
                    }
                }
            }
        }
        // Both are below 2^255 in size.
        unchecked {
            (ascent.high, ascent.low, ascent.gap) = (high, low, highest - lowest);
        }
    }
}
