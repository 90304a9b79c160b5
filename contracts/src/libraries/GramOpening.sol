// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254} from "./Bn254.sol";
import {Errors} from "./Errors.sol";

/// @notice The values that a Gram proof claims: `u = A(z)`, `v = A(1/z)`, `w = g(z)`, each below r.
struct Values {
    uint256 u;
    uint256 v;
    uint256 w;
}

/// @notice What a batched opening at z and 1/z is checked with, all below r.
/// @param constantTerm `l_0` of the line `l_0 + l_1 X` through the two claimed values.
/// @param slope `l_1`.
/// @param sum `s = z + 1/z`.
struct Opening {
    uint256 constantTerm;
    uint256 slope;
    uint256 sum;
}

/// @title GramOpening
/// @notice Steps 4 and 5 of the Gram proof as far as they are arithmetic of scalars, see docs/gram-proof.md.
library GramOpening {
    uint256 private constant R = Bn254.SCALAR_ORDER;

    /// @notice The line through `(z, u + gamma w)` and `(1/z, v + gamma w')`, with `w' = z (u v - c - z w)`.
    /// @dev Reverts if z is 0, 1 or -1.
    function openingAt(uint256 z, uint256 gamma, uint256 c, Values memory values)
        internal
        view
        returns (Opening memory opening)
    {
        require(z > 1 && z != R - 1, Errors.GramVerifier_DegenerateChallenge(z));
        uint256 atZ = addmod(values.u, mulmod(gamma, values.w, R), R);
        uint256 atInverse = addmod(values.v, mulmod(gamma, _reflected(z, c, values), R), R);
        // One inversion serves for both: with t = 1 / (z (z^2 - 1)), 1/z = t (z^2 - 1) and 1/(z - 1/z) = t z^2.
        uint256 square = mulmod(z, z, R);
        uint256 less = _subtract(square, 1);
        uint256 t = Bn254.inverse(mulmod(z, less, R));
        opening.sum = addmod(z, mulmod(t, less, R), R);
        opening.slope = mulmod(_subtract(atZ, atInverse), mulmod(t, square, R), R);
        opening.constantTerm = _subtract(atZ, mulmod(opening.slope, z, R));
    }

    /// @dev `w' = g(1/z) = z (u v - c - z w)`, equation (2).
    function _reflected(uint256 z, uint256 c, Values memory values) private pure returns (uint256) {
        uint256 known = addmod(c, mulmod(z, values.w, R), R);
        return mulmod(z, _subtract(mulmod(values.u, values.v, R), known), R);
    }

    /// @dev The difference of scalars below r.
    function _subtract(uint256 left, uint256 right) private pure returns (uint256) {
        return addmod(left, R - right, R);
    }
}
