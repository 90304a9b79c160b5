// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Copies} from "./Copies.sol";
import {Mixture} from "./Mixture.sol";
import {MultiKrumShapleyRule} from "./MultiKrumShapleyRule.sol";
import {Gram, PackedGram} from "./PackedGram.sol";
import {Words} from "./Words.sol";

/// @title CappedMixtureRule
/// @notice Weights the updates so that the referee's held-out loss falls most, to second order, with a limit on each
/// weight, and values each by its exact Shapley value in that fall. Without curvature vectors it decides as
/// `MultiKrumShapleyRule`.
///
/// @dev Equal bit for bit to `contribution/mixture_rule.py`, which states every rounding.
contract CappedMixtureRule is MultiKrumShapleyRule {
    using PackedGram for Gram;
    using Words for uint256[];
    using Words for int256[];

    /// @dev Two updates with a cosine above 0.99 are copies.
    uint256 private constant NEAR_COPY_COSINE = 990;
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
        (uint256 zeros, uint256 copies, uint256 copied) = Copies.find(gram, NEAR_COPY_COSINE);
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
        uint256 count = indices.length;
        uint256 vectors = gram.rows - gram.trainers - 1;
        problem = Mixture.empty(count, vectors);
        int256[] memory gains = problem.gains;
        uint256 row = problem.products.start();
        // Entries are below 2^63 in size and factors at most 2^16; there is a row of products for each candidate.
        unchecked {
            for (uint256 a = 0; a < count; ++a) {
                uint256 place = gram.row(indices.read(a)) + 8 * gram.trainers;
                uint256 factor = factors.read(a);
                gains.write(a, (PackedGram.load(place) * int256(factor)) >> WEIGHT_BITS);
                row = _clip(place + 8, factor, row, row + 32 * vectors, row + 32 * problem.columns);
            }
        }
    }

    /// @dev Writes a row of clipped products from `next` to `end`, and zeros up to `rowEnd`, which it returns.
    /// @param entry Where the first entry lies in calldata.
    function _clip(uint256 entry, uint256 factor, uint256 next, uint256 end, uint256 rowEnd)
        private
        pure
        returns (uint256)
    {
        // In assembly because every entry passes here; eight at a time, since the length of a row is a multiple of that.
        // What is read beyond the last entry, at worst beyond the calldata, is overwritten.
        assembly ("memory-safe") {
            function clipped(source, by) -> product {
                product := sar(WEIGHT_BITS, mul(sar(192, calldataload(source)), by))
            }
            for {} lt(next, rowEnd) { next := add(next, 256) } {
                mstore(next, clipped(entry, factor))
                mstore(add(next, 32), clipped(add(entry, 8), factor))
                mstore(add(next, 64), clipped(add(entry, 16), factor))
                mstore(add(next, 96), clipped(add(entry, 24), factor))
                mstore(add(next, 128), clipped(add(entry, 32), factor))
                mstore(add(next, 160), clipped(add(entry, 40), factor))
                mstore(add(next, 192), clipped(add(entry, 48), factor))
                mstore(add(next, 224), clipped(add(entry, 56), factor))
                entry := add(entry, 64)
            }
            for {} lt(end, rowEnd) { end := add(end, 32) } { mstore(end, 0) }
        }
        return rowEnd;
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
                uint256 share = shares.read(a);
                uint256 weight = (share * factors.read(a)) >> WEIGHT_BITS;
                if (weight == 0) continue;
                ++kept;
                uint256 i = indices.read(a);
                weights.write(i, weight);
                contributions.write(i, Mixture.contribution(share, gains.read(a), slopes.read(a)));
            }
        }
        if (kept < MIN_KEPT) return (new uint256[](trainers), new int256[](trainers));
    }
}
