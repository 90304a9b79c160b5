// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title IRoundVerifier
/// @notice The one contract that knows what a commitment is. The market asks it at every settlement whether the matrix
/// belongs to the commitments, and what the model's commitment becomes.
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

    /// @notice The model commitment after the weighted updates were added.
    /// @param modelCommitment The model commitment before.
    /// @param commitments Concatenated commitments; those beyond `weights` are the referee's and are not added.
    /// @param weights One per accepted trainer.
    /// @param aggregateCid CID of the cumulative aggregate, as the aggregator states it.
    function advanceModel(
        bytes calldata modelCommitment,
        bytes calldata commitments,
        uint256[] calldata weights,
        bytes calldata aggregateCid
    ) external view returns (bytes memory);
}
