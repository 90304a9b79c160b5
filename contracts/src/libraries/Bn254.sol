// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Errors} from "./Errors.sol";

/// @notice A point of G1; (0, 0) is the point at infinity.
struct G1Point {
    uint256 x;
    uint256 y;
}

/// @notice A point of G2, imaginary parts first as the precompiles take it; all zero is the point at infinity.
struct G2Point {
    uint256 xImaginary;
    uint256 xReal;
    uint256 yImaginary;
    uint256 yReal;
}

/// @notice A sum of points of G1 and the term that is added to it next, laid out for the precompiles: addition takes the
/// first four words, multiplication the last three.
/// @param x First coordinate of the sum.
/// @param y Second coordinate of the sum.
/// @param termX First coordinate of the term.
/// @param termY Second coordinate of the term.
/// @param factor What the term is multiplied by before it is added.
struct Sum {
    uint256 x;
    uint256 y;
    uint256 termX;
    uint256 termY;
    uint256 factor;
}

/// @title Bn254
/// @notice Arithmetic of the curve BN254 by the precompiles of EIP-196, EIP-197 and EIP-198.
///
/// @dev Notes:
/// - A precompile consumes all gas that it was given when it refuses its input. So callers check every untrusted point
///   with `isOnCurve` first; G1 has prime order, so a point of the curve is one of the group and is not refused.
/// - For the same reason a limit on the gas that is passed on would save nothing, and it would break on a chain that
///   prices the precompiles otherwise.
library Bn254 {
    /// @notice Order of the base field.
    uint256 internal constant BASE_ORDER =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// @notice Order of the groups and of the scalar field, r.
    uint256 internal constant SCALAR_ORDER =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;

    uint256 private constant MODULAR_EXPONENTIATION = 5;
    uint256 private constant ADDITION = 6;
    uint256 private constant MULTIPLICATION = 7;
    uint256 private constant PAIRING = 8;

    /// @notice The generator of G1, `[1]`.
    function generator() internal pure returns (G1Point memory) {
        return G1Point(1, 2);
    }

    /// @notice The generator of G2, `[1]_2`.
    function generatorG2() internal pure returns (G2Point memory) {
        return G2Point({
            xImaginary: 11559732032986387107991004021392285783925812861821192530917403151452391805634,
            xReal: 10857046999023057135944570762232829481370756359578518086990519993285655852781,
            yImaginary: 4082367875863433681332203403145435568316851327593401208105741076214120093531,
            yReal: 8495653923123431417604973247489272438418190587263600148770280649306958101930
        });
    }

    /// @notice Whether `y^2 = x^3 + 3`, for coordinates below the order of the base field.
    function isOnCurve(uint256 x, uint256 y) internal pure returns (bool) {
        uint256 cube = mulmod(mulmod(x, x, BASE_ORDER), x, BASE_ORDER);
        return mulmod(y, y, BASE_ORDER) == addmod(cube, 3, BASE_ORDER);
    }

    /// @notice The second coordinate of the negative of a point that is not the point at infinity.
    function negate(uint256 y) internal pure returns (uint256) {
        // Never zero and never underflows: y is below the order, and no point of the curve has y = 0, because it would
        // have order 2.
        return BASE_ORDER - y;
    }

    /// @notice The inverse of a scalar that is not zero: `value^(r - 2) mod r`.
    function inverse(uint256 value) internal view returns (uint256 result) {
        bytes memory operands = abi.encode(32, 32, 32, value, SCALAR_ORDER - 2, SCALAR_ORDER);
        uint256 place;
        assembly ("memory-safe") {
            place := add(operands, 32)
        }
        _call(MODULAR_EXPONENTIATION, place, operands.length, place, 32);
        assembly ("memory-safe") {
            result := mload(place)
        }
    }

    /// @notice Adds the point `(x, y)` to the sum.
    function add(Sum memory sum, uint256 x, uint256 y) internal view {
        sum.termX = x;
        sum.termY = y;
        _addTerm(sum);
    }

    /// @notice Adds `factor` times the point `(x, y)` to the sum.
    function addMultiple(Sum memory sum, uint256 x, uint256 y, uint256 factor) internal view {
        multiply(sum, x, y, factor);
        _addTerm(sum);
    }

    /// @notice Makes `factor` times the point `(x, y)` the term, and leaves the sum as it is.
    function multiply(Sum memory sum, uint256 x, uint256 y, uint256 factor) internal view {
        sum.termX = x;
        sum.termY = y;
        sum.factor = factor;
        uint256 term;
        assembly ("memory-safe") {
            term := add(sum, 64)
        }
        _call(MULTIPLICATION, term, 96, term, 64);
    }

    /// @notice Whether the product of the pairings of points, each one of G1 followed by one of G2, is one.
    /// @param pairs The points' words. They are overwritten.
    function isProductOne(bytes memory pairs) internal view returns (bool) {
        uint256 place;
        uint256 answer;
        assembly ("memory-safe") {
            place := add(pairs, 32)
        }
        _call(PAIRING, place, pairs.length, place, 32);
        assembly ("memory-safe") {
            answer := mload(place)
        }
        return answer == 1;
    }

    function _addTerm(Sum memory sum) private view {
        uint256 place;
        assembly ("memory-safe") {
            place := sum
        }
        _call(ADDITION, place, 128, place, 64);
    }

    /// @dev Calls a precompile on allocated memory and reverts unless it answers with as many bytes as it should.
    function _call(uint256 precompile, uint256 input, uint256 length, uint256 output, uint256 needed)
        private
        view
    {
        bool answered;
        assembly ("memory-safe") {
            answered := staticcall(gas(), precompile, input, length, output, needed)
            // Where there is no such precompile the call succeeds with nothing.
            answered := and(answered, eq(returndatasize(), needed))
        }
        require(answered, Errors.GramVerifier_PrecompileFailed(precompile));
    }
}
