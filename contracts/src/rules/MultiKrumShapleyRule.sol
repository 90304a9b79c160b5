// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IRule} from "../interfaces/IRule.sol";
import {Errors} from "../libraries/Errors.sol";
import {Copies} from "./Copies.sol";
import {MultiKrum} from "./MultiKrum.sol";
import {Gram, PackedGram} from "./PackedGram.sol";
import {Selection} from "./Selection.sol";
import {Shapley} from "./Shapley.sol";
import {Words} from "./Words.sol";

/// @title MultiKrumShapleyRule
/// @notice Drops zero updates, copies and updates that point away from the referee's reference; keeps the most central
/// rest by multi-Krum; clips what is kept to the median norm, weights it, and values it by its exact Shapley value.
///
/// @dev Equal bit for bit to `contribution/rule.py`, which states every rounding. Sizes that the comments rely on: 255
/// trainers, 2^10 references (the block gas limit of any chain allows fewer), entries of 64 bits.
contract MultiKrumShapleyRule is IRule {
    using Words for uint256[];
    using Words for int256[];
    using PackedGram for Gram;

    /// @dev Those who passed the filters, how many of them may be faulty, and whether the reference was one of the filters.
    struct Candidates {
        uint256[] indices;
        uint256 faulty;
        bool referenceUsed;
    }

    uint256 internal constant MAX_TRAINERS = 255;
    /// @dev The aggregate of fewer hides nobody.
    uint256 internal constant MIN_KEPT = 3;
    /// @dev Two updates with a cosine above 0.999 are copies.
    uint256 private constant COPY_COSINE = 999;
    /// @dev A clip factor of 2^16 leaves an update as it is.
    uint256 internal constant WEIGHT_BITS = 16;

    /// @inheritdoc IRule
    function name() external pure virtual returns (string memory) {
        return "multi-krum-exact-shapley/1";
    }

    /// @inheritdoc IRule
    function evaluate(bytes calldata packed, uint256 trainers, uint256 references, uint256 tolerated)
        external
        pure
        virtual
        returns (uint256[] memory weights, int256[] memory contributions, bool referenceUsed)
    {
        return _evaluateByKrum(packed, trainers, references, tolerated);
    }

    /// @dev What `evaluate` returns.
    function _evaluateByKrum(bytes calldata packed, uint256 trainers, uint256 references, uint256 tolerated)
        internal
        pure
        returns (uint256[] memory weights, int256[] memory contributions, bool referenceUsed)
    {
        Gram memory gram = _open(packed, trainers, references);
        weights = new uint256[](trainers);
        contributions = new int256[](trainers);
        Candidates memory candidates = _filter(gram, tolerated);
        referenceUsed = candidates.referenceUsed;
        if (!_enough(candidates.indices.length, candidates.faulty)) {
            return (weights, contributions, referenceUsed);
        }

        uint256[] memory kept =
            MultiKrum.keepCentral(gram, candidates.indices, candidates.faulty, _digest(packed));
        uint256[] memory factors = _clipFactors(gram, kept);
        if (!_weigh(weights, kept, factors)) {
            return (new uint256[](trainers), contributions, referenceUsed);
        }
        int256[] memory values = Shapley.values(_game(gram, kept, factors));
        // Indices are below 255.
        unchecked {
            for (uint256 k = 0; k < kept.length; ++k) {
                uint256 i = kept[k];
                if (weights[i] != 0) contributions[i] = values[k];
            }
        }
    }

    /* INPUT */

    /// @dev Checks the numbers against the length of the matrix.
    function _open(bytes calldata packed, uint256 trainers, uint256 references)
        internal
        pure
        returns (Gram memory gram)
    {
        require(
            trainers != 0 && trainers <= MAX_TRAINERS,
            Errors.Market_TermOutOfRange("trainers", trainers, 1, MAX_TRAINERS)
        );
        // A number of references whose matrix has a length beyond 256 bits reverts here, as no such matrix exists.
        uint256 rows = trainers + references;
        uint256 length = 4 * rows * (rows + 1);
        require(packed.length == length, Errors.Market_WrongLength("gram", packed.length, length));
        assembly ("memory-safe") {
            mstore(gram, packed.offset)
        }
        gram.trainers = trainers;
        gram.rows = rows;
        gram.norms = _norms(gram);
    }

    /// @dev The diagonal, and behind it the words that `Gram` promises.
    function _norms(Gram memory gram) private pure returns (uint256[] memory norms) {
        uint256 trainers = gram.trainers;
        uint256 rows = gram.rows;
        norms = new uint256[](trainers + PackedGram.SPARE);
        uint256 place = gram.offset;
        // Each row is an entry shorter than the one before, and all of them lie in calldata.
        unchecked {
            for (uint256 i = 0; i < trainers; ++i) {
                norms.write(i, uint256(PackedGram.load(place)));
                place += 8 * (rows - i);
            }
            for (uint256 i = trainers; i < trainers + PackedGram.SPARE; ++i) {
                norms.write(i, PackedGram.UNREACHED);
            }
        }
        norms.shorten(trainers);
    }

    /// @dev Hash of the matrix, in memory behind all that is allocated.
    function _digest(bytes calldata packed) private pure returns (uint256) {
        return uint256(keccak256(packed));
    }

    /* FILTERS */

    /// @dev Drops zero updates and copies, then what points away from the reference unless that leaves too few.
    function _filter(Gram memory gram, uint256 tolerated)
        private
        pure
        returns (Candidates memory candidates)
    {
        (uint256 zeros, uint256 copies,) = Copies.find(gram, COPY_COSINE);
        uint256 dropped = zeros | copies;
        if (gram.rows == gram.trainers) return _remaining(gram, dropped, tolerated);
        candidates = _remaining(gram, dropped | _againstReference(gram), tolerated);
        bool tooFew = !_enough(candidates.indices.length, candidates.faulty);
        if (tooFew && _enough(gram.trainers, tolerated)) return _remaining(gram, dropped, tolerated);
        candidates.referenceUsed = true;
    }

    /// @dev Bit i tells that update i has no positive inner product with the reference.
    function _againstReference(Gram memory gram) private pure returns (uint256 dropped) {
        uint256 trainers = gram.trainers;
        // Indices are below 255.
        unchecked {
            for (uint256 i = 0; i < trainers; ++i) {
                if (gram.entry(i, trainers) <= 0) dropped |= 1 << i;
            }
        }
    }

    /// @dev Those not dropped; each dropped update is taken for one of the faulty ones.
    function _remaining(Gram memory gram, uint256 dropped, uint256 tolerated)
        internal
        pure
        returns (Candidates memory candidates)
    {
        uint256 trainers = gram.trainers;
        uint256[] memory indices = new uint256[](trainers);
        uint256 count = 0;
        // Indices are below 255.
        unchecked {
            for (uint256 i = 0; i < trainers; ++i) {
                if ((dropped >> i) & 1 == 0) indices.write(count++, i);
            }
        }
        indices.shorten(count);
        candidates.indices = indices;
        candidates.faulty = tolerated > trainers - count ? tolerated - (trainers - count) : 0;
    }

    /// @dev Whether multi-Krum can tolerate so many faulty updates: `count >= 2 faulty + 3`.
    function _enough(uint256 count, uint256 faulty) internal pure returns (bool) {
        // Written so that no `faulty` overflows.
        return count >= 3 && faulty <= (count - 3) / 2;
    }

    /* CLIPPING AND WEIGHTS */

    /// @dev `k_i = floor(2^16 min(1, median / |q_i|))` with norms rounded down and the lower median.
    function _clipFactors(Gram memory gram, uint256[] memory kept)
        internal
        pure
        returns (uint256[] memory factors)
    {
        uint256 count = kept.length;
        uint256 squaredMedian = _medianSquare(gram, kept);
        uint256 median = Math.sqrt(squaredMedian);
        uint256[] memory norms = gram.norms;
        factors = new uint256[](count);
        // Indices are below 255.
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                uint256 square = norms.read(kept.read(k));
                // The root keeps the order, so a square up to the median's needs none. No kept update is zero.
                factors.write(
                    k,
                    square <= squaredMedian ? 1 << WEIGHT_BITS : (median << WEIGHT_BITS) / Math.sqrt(square)
                );
            }
        }
    }

    /// @dev The lower median of the squared norms.
    function _medianSquare(Gram memory gram, uint256[] memory kept) private pure returns (uint256) {
        uint256 count = kept.length;
        uint256[] memory squares = new uint256[](count);
        uint256[] memory norms = gram.norms;
        // Indices are below 255.
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                // The position makes the words differ, as the selection needs it.
                squares.write(k, (norms.read(kept.read(k)) << 8) | k);
            }
        }
        uint256 lowerHalf = (count + 1) / 2;
        uint256 left = squares.start();
        Selection.select(left, left + 32 * count, left + 32 * lowerHalf, count);
        uint256 largest = 0;
        // As above.
        unchecked {
            for (uint256 k = 0; k < lowerHalf; ++k) {
                uint256 square = squares.read(k);
                if (square > largest) largest = square;
            }
        }
        return largest >> 8;
    }

    /// @dev Fills in `w_i = floor(k_i / |S|)`.
    /// @return sufficient Whether enough updates have a weight.
    function _weigh(uint256[] memory weights, uint256[] memory kept, uint256[] memory factors)
        private
        pure
        returns (bool sufficient)
    {
        uint256 weighted = 0;
        uint256 count = kept.length;
        // Indices are below 255, and somebody is kept.
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                uint256 weight = factors[k] / count;
                weights[kept[k]] = weight;
                if (weight != 0) ++weighted;
            }
        }
        return weighted >= MIN_KEPT;
    }

    /* CONTRIBUTIONS */

    /// @dev The game on the clipped updates.
    function _game(Gram memory gram, uint256[] memory kept, uint256[] memory factors)
        private
        pure
        returns (Shapley.Game memory game)
    {
        uint256 count = kept.length;
        game.gains = new int256[](count);
        game.own = new int256[](count);
        game.rowSums = new int256[](count);
        if (gram.rows == gram.trainers) {
            _playAmongThemselves(gram, kept, factors, game);
            return game;
        }
        _project(gram, kept, factors, gram.trainers, game.gains);
        for (uint256 vector = gram.trainers + 1; vector < gram.rows; ++vector) {
            _addCurvature(gram, kept, factors, vector, game);
        }
    }

    /// @dev Fills in the inner products of the clipped updates with one of the referee's vectors.
    /// @return total Their sum.
    function _project(
        Gram memory gram,
        uint256[] memory kept,
        uint256[] memory factors,
        uint256 vector,
        int256[] memory products
    ) private pure returns (int256 total) {
        // Entries are below 2^63 in size and factors at most 2^16.
        unchecked {
            for (uint256 k = 0; k < kept.length; ++k) {
                int256 product = (gram.entry(kept[k], vector) * int256(factors[k])) >> WEIGHT_BITS;
                products[k] = product;
                total += product;
            }
        }
    }

    /// @dev Adds `c_ki c_kj` of one curvature vector to the game.
    function _addCurvature(
        Gram memory gram,
        uint256[] memory kept,
        uint256[] memory factors,
        uint256 vector,
        Shapley.Game memory game
    ) private pure {
        int256[] memory products = new int256[](kept.length);
        int256 total = _project(gram, kept, factors, vector, products);
        // Products are below 2^63 in size, their sum below 2^71, and vectors fewer than 2^10.
        unchecked {
            for (uint256 k = 0; k < kept.length; ++k) {
                game.own[k] += products[k] * products[k];
                game.rowSums[k] += products[k] * total;
            }
        }
    }

    /// @dev Without referee: curvature is the Gram matrix of the clipped updates, gains are inner products with their
    /// mean.
    function _playAmongThemselves(
        Gram memory gram,
        uint256[] memory kept,
        uint256[] memory factors,
        Shapley.Game memory game
    ) private pure {
        uint256 count = kept.length;
        for (uint256 a = 0; a < count; ++a) {
            _addRow(gram.row(kept[a]), kept, factors, a, game);
        }
        for (uint256 a = 0; a < count; ++a) {
            game.gains[a] = _divideDown(game.rowSums[a], int256(count));
        }
    }

    /// @dev Adds `floor(2^-32 k_i k_j G_ij)` for `j >= i` to the row sums of both.
    function _addRow(
        uint256 base,
        uint256[] memory kept,
        uint256[] memory factors,
        uint256 a,
        Shapley.Game memory game
    ) private pure {
        int256[] memory rowSums = game.rowSums;
        int256 factor = int256(factors[a]);
        int256 sum = (PackedGram.load(base + 8 * kept[a]) * factor * factor) >> (2 * WEIGHT_BITS);
        game.own[a] = sum;
        // In assembly because every pair of kept updates passes here. Entries are below 2^63 in size and factors at most
        // 2^16, so nothing overflows; the three arrays have one length, and only row sums are written. Two at a time, then the
        // last if their number is odd.
        assembly ("memory-safe") {
            let product
            let rowSum
            let toFactor := sub(factors, kept)
            let toRowSum := sub(rowSums, kept)
            let end := add(kept, shl(5, add(mload(kept), 1)))
            let place := add(kept, shl(5, add(a, 2)))
            for { let lastPair := sub(end, 32) } lt(place, lastPair) { place := add(place, 64) } {
                product := mul(sar(192, calldataload(add(base, shl(3, mload(place))))), factor)
                product := sar(32, mul(product, mload(add(place, toFactor))))
                rowSum := add(place, toRowSum)
                mstore(rowSum, add(mload(rowSum), product))
                sum := add(product, sum)
                product := mul(sar(192, calldataload(add(base, shl(3, mload(add(place, 32)))))), factor)
                product := sar(32, mul(product, mload(add(add(place, 32), toFactor))))
                rowSum := add(add(place, 32), toRowSum)
                mstore(rowSum, add(mload(rowSum), product))
                sum := add(product, sum)
            }
            if lt(place, end) {
                product := mul(sar(192, calldataload(add(base, shl(3, mload(place))))), factor)
                product := sar(32, mul(product, mload(add(place, toFactor))))
                rowSum := add(place, toRowSum)
                mstore(rowSum, add(mload(rowSum), product))
                sum := add(product, sum)
            }
        }
        rowSums[a] += sum;
    }

    /// @dev `floor(x / y)` for positive y.
    function _divideDown(int256 x, int256 y) private pure returns (int256 quotient) {
        quotient = x / y;
        // Solidity rounds toward zero.
        if (x % y < 0) --quotient;
    }
}
