// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Copies} from "./Copies.sol";
import {Mixture} from "./Mixture.sol";
import {MultiKrumShapleyRule} from "./MultiKrumShapleyRule.sol";
import {Gram, PackedGram} from "./PackedGram.sol";

/// @title CappedMixtureRule
/// @notice Weights the updates so that the referee's held-out loss falls most, to second order, with a limit on each
/// weight, and values each by its exact Shapley value in that fall. Without curvature vectors it decides as
/// `MultiKrumShapleyRule`.
///
/// @dev Equal bit for bit to `contribution/mixture_rule.py`, which states every rounding.
contract CappedMixtureRule is MultiKrumShapleyRule {
    using PackedGram for Gram;

    /// @dev Two updates with a cosine above 0.99 are copies.
    uint256 private constant COPY_COSINE = 990;
    /// @dev The reference and one curvature vector.
    uint256 private constant MIN_REFERENCES = 2;

    function name() external pure override returns (string memory) {
        return "capped-mixture-exact-shapley/1";
    }

    function evaluate(bytes calldata packed, uint256 trainers, uint256 references, uint256 tolerated)
        external
        pure
        override
        returns (uint256[] memory weights, int256[] memory contributions, bool referenceUsed)
    {
        if (references < MIN_REFERENCES) {
            return _evaluateByKrum(packed, trainers, references, tolerated);
        }
        Gram memory gram = _open(packed, trainers, references);
        Candidates memory candidates = _remaining(gram, _dropped(gram, tolerated), tolerated);
        uint256[] memory indices = candidates.indices;
        if (!_enough(indices.length, candidates.faulty)) {
            return (new uint256[](trainers), new int256[](trainers), true);
        }
        uint256[] memory factors = _clipFactors(gram, indices);
        Mixture.Problem memory problem = _problem(gram, indices, factors);
        (uint256[] memory shares, int256[] memory slopes) = Mixture.best(problem);
        (weights, contributions) = _settle(trainers, indices, factors, problem.gains, shares, slopes);
        referenceUsed = true;
    }

    /// @dev Bit i tells that update i is dropped: as zero; as a copy; or as what is copied, if all copies and what they
    /// are copies of are at most as many as may be faulty.
    function _dropped(Gram memory gram, uint256 tolerated) private pure returns (uint256) {
        (uint256 zeros, uint256 copies, uint256 copied) = Copies.find(gram, COPY_COSINE);
        if (_bits(copies | copied) <= tolerated) copies |= copied;
        return zeros | copies;
    }

    /// @dev Number of bits that are set.
    function _bits(uint256 word) private pure returns (uint256 count) {
        // At most 256, each step clears the lowest.
        unchecked {
            for (; word != 0; word &= word - 1) {
                ++count;
            }
        }
    }

    /// @dev The inner products of the clipped updates with the referee's vectors.
    function _problem(Gram memory gram, uint256[] memory indices, uint256[] memory factors)
        private
        pure
        returns (Mixture.Problem memory problem)
    {
        uint256 vectors = gram.rows - gram.trainers - 1;
        int256[] memory gains = new int256[](indices.length);
        int256[] memory products = new int256[](indices.length * vectors);
        (problem.gains, problem.products, problem.vectors) = (gains, products, vectors);
        uint256 next = 0;
        assembly ("memory-safe") {
            next := add(products, 32)
        }
        for (uint256 a = 0; a < indices.length; ++a) {
            uint256 place = gram.row(indices[a]) + 8 * gram.trainers;
            uint256 factor = factors[a];
            gains[a] = (PackedGram.load(place) * int256(factor)) >> WEIGHT_BITS;
            // In assembly because every entry passes here. Entries are below 2^63 in size and factors at most 2^16; as many
            // words are written as were allocated.
            assembly ("memory-safe") {
                let entry := add(place, 8)
                for { let end := add(entry, shl(3, vectors)) } lt(entry, end) { entry := add(entry, 8) } {
                    mstore(next, sar(WEIGHT_BITS, mul(sar(192, calldataload(entry)), factor)))
                    next := add(next, 32)
                }
            }
        }
    }

    /// @dev Weights and contributions at the trainers' places; all 0 if fewer than three have a weight.
    function _settle(
        uint256 trainers,
        uint256[] memory indices,
        uint256[] memory factors,
        int256[] memory gains,
        uint256[] memory shares,
        int256[] memory slopes
    ) private pure returns (uint256[] memory weights, int256[] memory contributions) {
        weights = new uint256[](trainers);
        contributions = new int256[](trainers);
        uint256 kept = 0;
        // Shares and factors are at most 2^16, indices below 255.
        unchecked {
            for (uint256 a = 0; a < indices.length; ++a) {
                uint256 weight = (shares[a] * factors[a]) >> WEIGHT_BITS;
                if (weight == 0) continue;
                ++kept;
                weights[indices[a]] = weight;
                contributions[indices[a]] = Mixture.contribution(shares[a], gains[a], slopes[a]);
            }
        }
        if (kept < MIN_KEPT) return (new uint256[](trainers), new int256[](trainers));
    }
}
