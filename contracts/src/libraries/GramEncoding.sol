// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254} from "./Bn254.sol";
import {Errors} from "./Errors.sol";

/// @title GramEncoding
/// @notice The encoding of commitments, matrices and Gram proofs, and the refusal of everything that is not encoded so.
/// The layout and the order of the checks are those of docs/gram-proof.md, section Encoding.
library GramEncoding {
    uint256 internal constant POINT_BYTES = 64;
    uint256 internal constant MAX_COMMITMENTS = 255;
    uint256 internal constant PROOF_BYTES = 352;

    /// @dev Where the elements of a proof begin.
    uint256 internal constant MASK_COMMITMENT = 0;
    uint256 internal constant MU = 64;
    uint256 internal constant CORRELATION_COMMITMENT = 96;
    uint256 internal constant U = 160;
    uint256 internal constant V = 192;
    uint256 internal constant W = 224;
    uint256 internal constant E = 256;
    uint256 internal constant PI = 288;

    /// @notice Reverts unless commitments, matrix and proof are encoded as specified.
    /// @return count Number of commitments.
    function check(bytes calldata commitments, bytes calldata gram, bytes calldata proof)
        internal
        pure
        returns (uint256 count)
    {
        count = countOf(commitments, 1);
        uint256 needed = 4 * count * (count + 1);
        require(gram.length == needed, Errors.GramVerifier_LengthOfMatrix(gram.length, needed));
        require(proof.length == PROOF_BYTES, Errors.GramVerifier_LengthOfProof(proof.length, PROOF_BYTES));
        checkCommitments(commitments, count);
        _checkProof(proof);
    }

    /// @notice The number of commitments; reverts unless there are `minimum` to 255 and no bytes are left over.
    function countOf(bytes calldata commitments, uint256 minimum) internal pure returns (uint256 count) {
        uint256 length = commitments.length;
        require(length % POINT_BYTES == 0, Errors.GramVerifier_LengthOfCommitments(length, POINT_BYTES));
        count = length / POINT_BYTES;
        require(
            count >= minimum && count <= MAX_COMMITMENTS,
            Errors.GramVerifier_NumberOfCommitments(count, minimum, MAX_COMMITMENTS)
        );
    }

    /// @notice Reverts unless each of the first `count` commitments is a point and not the point at infinity.
    function checkCommitments(bytes calldata commitments, uint256 count) internal pure {
        // There are at most 255 commitments.
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                (uint256 x, uint256 y) = point(commitments, i * POINT_BYTES);
                checkPoint(x, y, "commitment", i + 1);
            }
        }
    }

    /// @notice Reverts unless the coordinates are those of a point that is not the point at infinity.
    /// @param x First coordinate.
    /// @param y Second coordinate.
    /// @param element What the point is.
    /// @param number Its number if there are several of them, from 1; else 0.
    function checkPoint(uint256 x, uint256 y, bytes32 element, uint256 number) internal pure {
        require(x | y != 0, Errors.GramVerifier_PointAtInfinity(element, number));
        require(
            x < Bn254.BASE_ORDER && y < Bn254.BASE_ORDER,
            Errors.GramVerifier_CoordinateOutOfRange(element, number, x, y)
        );
        require(Bn254.isOnCurve(x, y), Errors.GramVerifier_PointNotOnCurve(element, number, x, y));
    }

    /// @notice The coordinates that begin at an offset; the caller has checked the length.
    function point(bytes calldata data, uint256 offset) internal pure returns (uint256 x, uint256 y) {
        assembly ("memory-safe") {
            let place := add(data.offset, offset)
            x := calldataload(place)
            y := calldataload(add(place, 32))
        }
    }

    /// @notice The scalar that begins at an offset; the caller has checked the length.
    function scalar(bytes calldata data, uint256 offset) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(add(data.offset, offset))
        }
    }

    function _checkProof(bytes calldata proof) private pure {
        _checkProofPoint(proof, MASK_COMMITMENT, "C_M");
        _checkProofPoint(proof, CORRELATION_COMMITMENT, "C_g");
        _checkProofPoint(proof, PI, "pi");
        _checkScalar(proof, MU, "mu");
        _checkScalar(proof, U, "u");
        _checkScalar(proof, V, "v");
        _checkScalar(proof, W, "w");
        _checkScalar(proof, E, "e");
    }

    function _checkProofPoint(bytes calldata proof, uint256 offset, bytes32 element) private pure {
        (uint256 x, uint256 y) = point(proof, offset);
        checkPoint(x, y, element, 0);
    }

    function _checkScalar(bytes calldata proof, uint256 offset, bytes32 element) private pure {
        uint256 value = scalar(proof, offset);
        require(value < Bn254.SCALAR_ORDER, Errors.GramVerifier_ScalarOutOfRange(element, value));
    }
}
