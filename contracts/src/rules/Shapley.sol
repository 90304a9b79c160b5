// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Shapley
/// @notice The exact Shapley value of the game `U(T) = 2 b(T) / |T| - K(T, T) / |T|^2` in closed form (CHG-Shapley, Cai
/// 2024, arXiv 2406.11730).
library Shapley {
    /// @notice The game: for each trainer what concerns it alone.
    /// @param gains `b_i`, below 2^72 in size.
    /// @param own `K_ii`, below 2^140 in size, as are the row sums.
    /// @param rowSums `sum_j K_ij`, j = i included.
    struct Game {
        int256[] gains;
        int256[] own;
        int256[] rowSums;
    }

    /// @notice Absolute values of the six coefficients, times 2^96 and rounded down.
    struct Coefficients {
        int256 ownGain;
        int256 otherGains;
        int256 ownCurvature;
        int256 crossCurvature;
        int256 otherCurvatures;
        int256 otherPairs;
    }

    /// @dev Sums over all trainers.
    struct Sums {
        int256 gain;
        int256 trace;
        int256 total;
    }

    /// @dev Precision of the harmonic sums: for every n up to 255 the coefficients are those of exact rationals.
    uint256 private constant ONE = 2 ** 192;
    /// @dev From the precision of the harmonic sums to that of the coefficients.
    uint256 private constant TO_COEFFICIENT = 96;
    /// @dev From the precision of the coefficients to that of the contributions, 2^-32.
    uint256 private constant TO_CONTRIBUTION = 64;

    /// @notice The values of all trainers, times 2^32 and rounded down.
    /// @param game At least 3 and at most 255 trainers.
    function values(Game memory game) internal pure returns (int256[] memory result) {
        uint256 count = game.gains.length;
        Coefficients memory c = coefficients(count);
        Sums memory sums = _sums(game);
        (int256[] memory gains, int256[] memory own, int256[] memory rowSums) =
            (game.gains, game.own, game.rowSums);
        result = new int256[](count);
        // Indices are below 255.
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                result[i] = _value(gains[i], own[i], rowSums[i], sums, c) >> TO_CONTRIBUTION;
            }
        }
    }

    /// @notice The coefficients for n trainers, n from 3 to 255.
    function coefficients(uint256 n) internal pure returns (Coefficients memory c) {
        // Sums are below 2^196, H1 is above 1 and above H2, H2 above 1/n, and 2 H1 + 1/n above 2 H2 + 1 from n = 3 on.
        unchecked {
            uint256 h1 = 0;
            uint256 h2 = 0;
            for (uint256 s = 1; s <= n; ++s) {
                h1 += ONE / s;
                h2 += ONE / (s * s);
            }
            uint256 pairs = n * (n - 1);
            uint256 triples = pairs * (n - 2);
            c.ownGain = int256((2 * h1 / n) >> TO_COEFFICIENT);
            c.otherGains = int256((2 * (h1 - ONE) / pairs) >> TO_COEFFICIENT);
            c.ownCurvature = int256((h2 / n) >> TO_COEFFICIENT);
            c.crossCurvature = int256((2 * (h1 - h2) / pairs) >> TO_COEFFICIENT);
            c.otherCurvatures = int256(((h2 - ONE / n) / pairs) >> TO_COEFFICIENT);
            c.otherPairs = int256(((2 * h1 - 2 * h2 - ONE + ONE / n) / triples) >> TO_COEFFICIENT);
        }
    }

    /// @dev Sums over all trainers.
    function _sums(Game memory game) private pure returns (Sums memory sums) {
        (int256[] memory gains, int256[] memory own, int256[] memory rowSums) =
            (game.gains, game.own, game.rowSums);
        (int256 gain, int256 trace, int256 total) = (0, 0, 0);
        // At most 255 terms of the sizes that `Game` allows.
        unchecked {
            for (uint256 i = 0; i < gains.length; ++i) {
                gain += gains[i];
                trace += own[i];
                total += rowSums[i];
            }
        }
        (sums.gain, sums.trace, sums.total) = (gain, trace, total);
    }

    /// @dev One trainer's value from its own three numbers and the public sums.
    function _value(int256 gain, int256 own, int256 rowSum, Sums memory sums, Coefficients memory c)
        private
        pure
        returns (int256)
    {
        // Sums are below 2^148 in size and coefficients below 2^98, so that six terms stay below 2^249.
        unchecked {
            int256 cross = rowSum - own;
            return c.ownGain * gain - c.otherGains * (sums.gain - gain) - c.ownCurvature * own
                - c.crossCurvature * cross + c.otherCurvatures * (sums.trace - own) + c.otherPairs
                * (sums.total - sums.trace - 2 * cross);
        }
    }
}
