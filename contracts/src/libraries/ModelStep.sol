// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Step} from "../interfaces/IRoundVerifier.sol";
import {Bn254, G1Point, Sum} from "./Bn254.sol";
import {Errors} from "./Errors.sol";
import {GramEncoding} from "./GramEncoding.sol";

/// @notice The model commitments before and after a step; (0, 0) is the point at infinity, which commits to zero.
struct Models {
    G1Point before;
    G1Point next;
}

/// @title ModelStep
/// @notice The claim `M' = M + sum_i w_i C_i`, which one equation checks together with a Gram proof: see
/// docs/gram-proof.md, section The model step.
library ModelStep {
    using Bn254 for Sum;

    /// @notice Reads the model commitments; reverts unless both are encoded as specified and there are no more weights
    /// than commitments.
    /// @param count Number of commitments.
    function read(Step calldata step, uint256 count) internal pure returns (Models memory models) {
        _requireLength(step.modelCommitment, "model");
        _requireLength(step.newModelCommitment, "new model");
        uint256 number = step.weights.length;
        require(number <= count, Errors.GramVerifier_NumberOfWeights(number, count));
        models.before = _point(step.modelCommitment, "model");
        models.next = _point(step.newModelCommitment, "new model");
    }

    /// @notice Makes each `rho_i` into `rho_i + lambda w_i mod r`, the factor of `C_i` in both claims together.
    function addWeights(uint256[] memory rho, uint256 lambda, uint256[] calldata weights) internal pure {
        // There are at most 255 weights, and no more than challenges.
        unchecked {
            for (uint256 i = 0; i < weights.length; ++i) {
                uint256 product = mulmod(lambda, weights[i], Bn254.SCALAR_ORDER);
                rho[i] = addmod(rho[i], product, Bn254.SCALAR_ORDER);
            }
        }
    }

    /// @notice Adds `lambda (M - M')` to the sum.
    function addDifference(Sum memory sum, uint256 lambda, Models memory models) internal view {
        Sum memory difference;
        difference.x = models.before.x;
        difference.y = models.before.y;
        (uint256 x, uint256 y) = (models.next.x, models.next.y);
        // The point at infinity is its own negative.
        if (x | y != 0) difference.add(x, Bn254.negate(y));
        sum.addMultiple(difference.x, difference.y, lambda);
    }

    function _requireLength(bytes calldata model, bytes32 element) private pure {
        require(
            model.length == GramEncoding.POINT_BYTES,
            Errors.GramVerifier_LengthOfModel(element, model.length, GramEncoding.POINT_BYTES)
        );
    }

    function _point(bytes calldata model, bytes32 element) private pure returns (G1Point memory) {
        (uint256 x, uint256 y) = GramEncoding.point(model, 0);
        if (x | y != 0) GramEncoding.checkPoint(x, y, element, 0);
        return G1Point(x, y);
    }
}
