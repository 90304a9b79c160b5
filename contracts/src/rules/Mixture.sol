// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Mixture
/// @notice The weights, each up to a limit and of a fixed sum, that maximise `U(w) = 2 b(w) - K(w, w)` with
/// `K_ij = 2^-16 sum_k c_ki c_kj`, by pairwise ascent (sequential minimal optimisation, Platt 1998).
///
/// @dev Equal bit for bit to `contribution/mixture.py`. Slopes are `s_i = 2^32 b_i - sum_k c_ki sum_j w_j c_kj`, half of
/// the derivative of U along w_i. Sizes: entries are below 2^63 in size, weights sum to at most 2^16, and vectors are
/// fewer than 2^10, so that slopes are below 2^153.
library Mixture {
    /// @notice The problem: gains b_i, and for each candidate the K products c_ki, one candidate after the other.
    struct Problem {
        int256[] gains;
        int256[] products;
        uint256 vectors;
    }

    /// @dev The whole, in units of weights.
    uint256 private constant WHOLE = 2 ** 16;
    /// @dev From gains to slopes.
    uint256 private constant SLOPE_BITS = 32;
    /// @dev Nobody has more than three equal shares, nor more than a third.
    uint256 private constant LARGEST_SHARE = 3;
    /// @dev So many steps more than half of the candidates.
    uint256 private constant EXTRA_STEPS = 12;

    /// @notice The weights that pairwise ascent reaches from equal ones, and the slopes there.
    /// @dev For 3 to 255 candidates.
    function best(Problem memory problem)
        internal
        pure
        returns (uint256[] memory weights, int256[] memory slopes)
    {
        uint256 count = problem.gains.length;
        uint256 limit = LARGEST_SHARE * WHOLE / count;
        if (limit > WHOLE / 3) limit = WHOLE / 3;
        (weights, slopes) = _equal(problem);
        uint256 table = _multiply(problem);
        uint256 width = 32 * count;
        (uint256 high, uint256 low) = _shift(weights, slopes, limit, table, table, 0);
        // No sum or product of the sizes above overflows.
        unchecked {
            for (uint256 step = 0; step < count / 2 + EXTRA_STEPS; ++step) {
                if (high == count || slopes[high] <= slopes[low]) break;
                uint256 highRow = table + high * width;
                uint256 lowRow = table + low * width;
                int256 bend = _word(highRow, high) + _word(lowRow, low) - 2 * _word(highRow, low);
                uint256 moved = limit - weights[high];
                if (weights[low] < moved) moved = weights[low];
                if (bend != 0) {
                    uint256 rise = uint256((slopes[high] - slopes[low]) / bend);
                    if (rise < moved) moved = rise;
                }
                if (moved == 0) break;
                weights[high] += moved;
                weights[low] -= moved;
                (high, low) = _shift(weights, slopes, limit, highRow, lowRow, moved);
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

    /// @dev Equal weights and their slopes.
    function _equal(Problem memory problem)
        private
        pure
        returns (uint256[] memory weights, int256[] memory slopes)
    {
        (int256[] memory gains, int256[] memory products) = (problem.gains, problem.products);
        uint256 vectors = problem.vectors;
        uint256 count = gains.length;
        uint256 share = WHOLE / count;
        weights = new uint256[](count);
        slopes = new int256[](count);
        // In assembly because every product passes here. The sizes above leave room for all sums; gains, weights and
        // slopes have one length, and the products as many words for each.
        assembly ("memory-safe") {
            let width := shl(5, count)
            for { let offset := width } offset { offset := sub(offset, 32) } {
                mstore(add(weights, offset), share)
                mstore(add(slopes, offset), shl(SLOPE_BITS, mload(add(gains, offset))))
            }
            let stride := shl(5, vectors)
            let end := add(add(products, 32), mul(stride, count))
            for { let first := add(products, stride) } gt(first, products) { first := sub(first, 32) } {
                let total := 0
                for { let entry := first } lt(entry, end) { entry := add(entry, stride) } {
                    total := add(total, mload(entry))
                }
                total := mul(total, share)
                let slope := add(slopes, 32)
                for { let entry := first } lt(entry, end) { entry := add(entry, stride) } {
                    mstore(slope, sub(mload(slope), mul(total, mload(entry))))
                    slope := add(slope, 32)
                }
            }
        }
    }

    /// @dev Writes `sum_k c_ki c_kj` for all pairs, one candidate's row after the other, behind all that is allocated.
    /// @return table Address of the first.
    function _multiply(Problem memory problem) private pure returns (uint256 table) {
        int256[] memory products = problem.products;
        uint256 length = 32 * problem.vectors;
        uint256 width = 32 * problem.gains.length;
        // In assembly because every pair passes here. What is written is allocated first; rows of the products are read
        // four words at a time, then the rest.
        assembly ("memory-safe") {
            table := mload(0x40)
            let end := add(table, mul(width, shr(5, width)))
            mstore(0x40, end)
            let left := add(products, 32)
            let rowEnd := table
            for { let diagonal := table } lt(diagonal, end) { diagonal := add(diagonal, add(width, 32)) } {
                rowEnd := add(rowEnd, width)
                let other := left
                let below := diagonal
                for { let place := diagonal } lt(place, rowEnd) { place := add(place, 32) } {
                    let sum := 0
                    let entry := left
                    for { let otherEnd := add(other, length) } lt(other, otherEnd) {} {
                        if lt(add(other, 96), otherEnd) {
                            sum := add(sum, mul(mload(entry), mload(other)))
                            sum := add(sum, mul(mload(add(entry, 32)), mload(add(other, 32))))
                            sum := add(sum, mul(mload(add(entry, 64)), mload(add(other, 64))))
                            sum := add(sum, mul(mload(add(entry, 96)), mload(add(other, 96))))
                            entry := add(entry, 128)
                            other := add(other, 128)
                            continue
                        }
                        sum := add(sum, mul(mload(entry), mload(other)))
                        entry := add(entry, 32)
                        other := add(other, 32)
                    }
                    mstore(place, sum)
                    mstore(below, sum)
                    below := add(below, width)
                }
                left := add(left, length)
            }
        }
    }

    /// @dev Subtracts `moved (high row - low row)` from the slopes, and finds the next pair: the candidate with the highest
    /// slope of those below the limit, or the number of candidates if there is none, and that with the lowest slope of those
    /// with a weight; ties to the lower index.
    function _shift(
        uint256[] memory weights,
        int256[] memory slopes,
        uint256 limit,
        uint256 highRow,
        uint256 lowRow,
        uint256 moved
    ) private pure returns (uint256 high, uint256 low) {
        // In assembly because every candidate passes here in every step. Addresses lie in the two arrays and the table, and
        // only slopes are written.
        assembly ("memory-safe") {
            let highest := shl(255, 1)
            let lowest := not(highest)
            let first := add(slopes, 32)
            let end := add(first, shl(5, mload(slopes)))
            let toWeight := sub(weights, slopes)
            let toHigh := sub(highRow, first)
            let toLow := sub(lowRow, first)
            high := end
            low := end
            for { let place := first } lt(place, end) { place := add(place, 32) } {
                let slope :=
                    sub(mload(place), mul(moved, sub(mload(add(place, toHigh)), mload(add(place, toLow)))))
                mstore(place, slope)
                let held := mload(add(place, toWeight))
                if lt(held, limit) {
                    if sgt(slope, highest) {
                        highest := slope
                        high := place
                    }
                }
                if held {
                    if slt(slope, lowest) {
                        lowest := slope
                        low := place
                    }
                }
            }
            high := shr(5, sub(high, first))
            low := shr(5, sub(low, first))
        }
    }

    /// @dev The word at this position of a row of the table.
    function _word(uint256 row, uint256 position) private pure returns (int256 word) {
        assembly ("memory-safe") {
            word := mload(add(row, shl(5, position)))
        }
    }
}
