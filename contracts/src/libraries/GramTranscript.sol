// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254} from "./Bn254.sol";
import {GramEncoding} from "./GramEncoding.sol";
import {Models} from "./ModelStep.sol";

/// @notice The challenges of a Gram proof.
/// @param rho `rho_1 .. rho_n`, each below 2^128, then three zeros, which let readers take four at a time.
/// @param z The point at which polynomials are evaluated, below r.
/// @param gamma The factor that joins two openings to one, below r.
/// @param batch The hash that gamma comes from, which fixes everything hashed before.
struct Challenges {
    uint256[] rho;
    uint256 z;
    uint256 gamma;
    bytes32 batch;
}

/// @title GramTranscript
/// @notice The hashes that take the place of the verifier's messages, as in docs/gram-proof.md, section Encoding.
///
/// @dev Lengths have been checked: the commitments and the matrix are shorter than 2^64 bytes, the proof has 352.
library GramTranscript {
    bytes32 private constant SRS = "cairn/gram-proof/1/srs";
    bytes32 private constant STATEMENT = "cairn/gram-proof/1/statement";
    bytes32 private constant ROW = "cairn/gram-proof/1/row";
    bytes32 private constant EVALUATION = "cairn/gram-proof/1/evaluation";
    bytes32 private constant BATCH = "cairn/gram-proof/1/batch";
    bytes32 private constant STEP = "cairn/gram-proof/1/step";

    /// @dev Zeros behind the challenges of the rows.
    uint256 private constant PADDING = 3;

    /// @notice The hash that identifies a structured reference string.
    /// @param key The verification key's points, 384 bytes.
    function identity(bytes memory key) internal pure returns (bytes32) {
        return keccak256(bytes.concat(SRS, key));
    }

    /// @notice The hash of everything that is fixed before the first challenge.
    function statementOf(
        bytes32 srs,
        bytes32 context,
        bytes calldata commitments,
        bytes calldata gram,
        bytes calldata proof
    ) internal pure returns (bytes32 statement) {
        bytes32 tag = STATEMENT;
        // Written behind the allocated memory, which nobody reads afterwards. Each item overwrites what the word of the
        // length before it left behind.
        assembly ("memory-safe") {
            let start := mload(64)
            mstore(start, tag)
            mstore(add(start, 32), srs)
            mstore(add(start, 64), context)
            mstore(add(start, 96), shl(192, shr(6, commitments.length)))
            mstore(add(start, 104), shl(192, commitments.length))
            let end := add(start, 112)
            calldatacopy(end, commitments.offset, commitments.length)
            end := add(end, commitments.length)
            mstore(end, shl(192, gram.length))
            end := add(end, 8)
            calldatacopy(end, gram.offset, gram.length)
            end := add(end, gram.length)
            // C_M and mu, with which the proof begins.
            calldatacopy(end, proof.offset, 96)
            end := add(end, 96)
            statement := keccak256(start, sub(end, start))
        }
    }

    /// @notice The challenges that follow from the statement and the proof.
    function challengesOf(bytes32 statement, uint256 count, bytes calldata proof)
        internal
        pure
        returns (Challenges memory challenges)
    {
        challenges.rho = _rows(statement, count);
        bytes calldata correlation = proof[GramEncoding.CORRELATION_COMMITMENT:GramEncoding.U];
        bytes32 evaluation = keccak256(abi.encodePacked(EVALUATION, statement, correlation));
        challenges.z = uint256(evaluation) % Bn254.SCALAR_ORDER;
        bytes calldata values = proof[GramEncoding.U:GramEncoding.E];
        challenges.batch = keccak256(abi.encodePacked(BATCH, evaluation, values));
        challenges.gamma = uint256(challenges.batch) % Bn254.SCALAR_ORDER;
    }

    /// @notice lambda, the factor that joins the claim about the model to the proof, below r. It follows from everything
    /// that either is about.
    function stepFactor(bytes32 batch, bytes calldata proof, uint256[] calldata weights, Models memory models)
        internal
        pure
        returns (uint256)
    {
        bytes calldata opening = proof[GramEncoding.E:];
        // Safe narrowing: there are at most 255 weights.
        uint64 count = uint64(weights.length);
        bytes32 hash = keccak256(abi.encodePacked(STEP, batch, opening, abi.encode(models), count, weights));
        return uint256(hash) % Bn254.SCALAR_ORDER;
    }

    /// @dev One challenge per commitment, then the padding.
    function _rows(bytes32 statement, uint256 count) private pure returns (uint256[] memory rho) {
        rho = new uint256[](count + PADDING);
        bytes32 tag = ROW;
        // The hashed bytes are tag, statement and the number in 8 bytes, behind the allocated memory.
        assembly ("memory-safe") {
            let start := mload(64)
            mstore(start, tag)
            mstore(add(start, 32), statement)
            for { let i := 1 } iszero(gt(i, count)) { i := add(i, 1) } {
                mstore(add(start, 64), shl(192, i))
                mstore(add(rho, shl(5, i)), shr(128, shl(128, keccak256(start, 72))))
            }
        }
    }
}
