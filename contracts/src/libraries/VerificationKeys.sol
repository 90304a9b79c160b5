// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254, G1Point, G2Point} from "./Bn254.sol";
import {Errors} from "./Errors.sol";
import {GramEncoding} from "./GramEncoding.sol";

/// @notice What a verifier knows of the structured reference string; its ABI encoding is the one of the specification.
/// @param tau `[tau]`.
/// @param beta `[beta]`.
/// @param tauG2 `[tau]_2`.
/// @param tauSquaredG2 `[tau^2]_2`.
struct VerificationKey {
    G1Point tau;
    G1Point beta;
    G2Point tauG2;
    G2Point tauSquaredG2;
}

/// @title VerificationKeys
/// @notice What must hold of every verification key. Whether anybody knows its secrets can't be checked, but for the
/// values that everybody knows.
library VerificationKeys {
    /// @notice Reverts unless all four are points but not the point at infinity, no two of `[1]`, `[tau]` and `[beta]`
    /// are equal or opposite, and the powers of tau belong together.
    /// @dev A point of G2 that is none, or not of the group, makes the precompile fail.
    function check(VerificationKey memory key) internal view {
        GramEncoding.checkPoint(key.tau.x, key.tau.y, "[tau]", 0);
        GramEncoding.checkPoint(key.beta.x, key.beta.y, "[beta]", 0);
        _requireFinite(key.tauG2, "[tau]_2");
        _requireFinite(key.tauSquaredG2, "[tau^2]_2");
        _requireSecret(key);
        G1Point memory one = Bn254.generator();
        require(
            _haveEqualPairings(key.tau, Bn254.generatorG2(), one, key.tauG2),
            Errors.GramVerifier_InconsistentKey("[tau]_2")
        );
        require(
            _haveEqualPairings(key.tau, key.tauG2, one, key.tauSquaredG2),
            Errors.GramVerifier_InconsistentKey("[tau^2]_2")
        );
    }

    function _requireFinite(G2Point memory point, bytes32 element) private pure {
        bool finite = point.xImaginary | point.xReal | point.yImaginary | point.yReal != 0;
        require(finite, Errors.GramVerifier_PointAtInfinity(element, 0));
    }

    /// @dev Two of the points with one first coordinate are equal or opposite: then what should be a secret is none, and
    /// commitments bind nobody. That [tau]_2 is not the generator follows from this and the pairings.
    function _requireSecret(VerificationKey memory key) private pure {
        uint256 one = Bn254.generator().x;
        require(key.tau.x != one, Errors.GramVerifier_WeakKey("[tau]", "[1]"));
        require(key.beta.x != one, Errors.GramVerifier_WeakKey("[beta]", "[1]"));
        require(key.beta.x != key.tau.x, Errors.GramVerifier_WeakKey("[beta]", "[tau]"));
    }

    /// @dev Whether `pairing(a, b) = pairing(c, d)`.
    function _haveEqualPairings(G1Point memory a, G2Point memory b, G1Point memory c, G2Point memory d)
        private
        view
        returns (bool)
    {
        G1Point memory negated = G1Point(c.x, Bn254.negate(c.y));
        return Bn254.isProductOne(abi.encode(a, b, negated, d));
    }
}
