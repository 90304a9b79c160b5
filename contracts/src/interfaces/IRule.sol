// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title IRule
/// @notice Decides a round from the Gram matrix of its updates alone: who is kept, with which weight, and what each
/// trainer contributed. A rule is immutable, pure and made of integers, so that everyone computes the same result.
interface IRule {
    /// @notice The rule's name and version, as the Python twin is registered.
    function name() external pure returns (string memory);

    /// @notice Evaluates the rule.
    ///
    /// @dev Notes:
    /// - The matrix has `trainers + references` rows: first the accepted updates in ascending order of the trainers'
    ///   addresses, then the referee's vectors: the reference (the negative loss gradient), then curvature vectors.
    /// - The caller has checked every diagonal entry and every 2 x 2 minor; a rule needn't.
    /// - All weights zero means that the round is void.
    ///
    /// Requirements:
    /// - Must not revert for `1 <= trainers <= 255` and a matrix of the right length.
    ///
    /// @param gram Upper triangle of the Gram matrix, diagonal included, row by row, each entry an int64 in big-endian
    /// byte order: `8 m (m + 1) / 2` bytes for m rows.
    /// @param trainers Number of accepted updates, n.
    /// @param references Number of the referee's vectors: 0 without referee, 1 for the reference alone, 1 + K with K
    /// curvature vectors.
    /// @param tolerated Number of faulty trainers that the job tolerates, f.
    /// @return weights One per trainer; their sum is at most 2^16.
    /// @return contributions One per trainer: its Shapley value in a scale common to the round; 0 for those not kept.
    /// @return referenceUsed Whether the referee's reference decided who was kept. Without it nobody earns a strike: false if
    /// there is none, or if too many updates point away from it to tell whether they or the reference are wrong.
    function evaluate(bytes calldata gram, uint256 trainers, uint256 references, uint256 tolerated)
        external
        pure
        returns (uint256[] memory weights, int256[] memory contributions, bool referenceUsed);
}
