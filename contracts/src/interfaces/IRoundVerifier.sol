// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice How a round changes the model commitment: it becomes the one before plus each update's weight times its
/// commitment.
/// @param weights One per accepted trainer.
/// @param modelCommitment The model commitment before.
/// @param newModelCommitment The model commitment after.
struct Step {
    uint256[] weights;
    bytes modelCommitment;
    bytes newModelCommitment;
}

/// @title IRoundVerifier
/// @notice The one contract that knows what a commitment is. The market asks it at every settlement whether the matrix
/// belongs to the commitments, and whether the model's commitment advanced by them.
interface IRoundVerifier {
    /// @notice Commitment to the sum of no updates, with which every job begins.
    function initialModel() external view returns (bytes memory);

    /// @notice Whether the proof shows that `gram` is the Gram matrix of the committed updates.
    ///
    /// @dev Requirements:
    /// - Must return true or revert with a reason.
    ///
    /// @param context Hash of everything that the proof is bound to: chain, market, job, round, settling account, terms,
    /// accepted trainers, exclusions, previous model and aggregate.
    /// @param commitments Concatenated commitments, the referee's last.
    /// @param gram Packed Gram matrix, see `IRule`.
    /// @param proof The proof.
    function verify(bytes32 context, bytes calldata commitments, bytes calldata gram, bytes calldata proof)
        external
        view
        returns (bool);

    /// @notice Whether the proof shows what {verify} asks for, and the model commitment changes as `Step` says.
    ///
    /// @dev Requirements:
    /// - Must return true or revert with a reason.
    ///
    /// @param context See {verify}.
    /// @param commitments See {verify}; those beyond the weights are the referee's and are not added.
    /// @param gram See {verify}.
    /// @param proof See {verify}.
    /// @param step The claimed change.
    function verifyStep(
        bytes32 context,
        bytes calldata commitments,
        bytes calldata gram,
        bytes calldata proof,
        Step calldata step
    ) external view returns (bool);
}
