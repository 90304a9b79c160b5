// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Errors} from "./libraries/Errors.sol";
import {GramChecks} from "./libraries/GramChecks.sol";

/// @title Refutations
/// @notice Who knew when that a matrix is no Gram matrix, and whether it is true. The market asks it; see
/// `ITrainingMarket.refuteGram`.
///
/// @dev Notes:
/// - Whoever copies the transaction that shows a refutation comes too late to announce it as its own. Whoever finds the
///   refutation by itself is a challenger like any other, and the first that shows it is paid.
/// - A transaction that shows a refutation and is kept out of the next block can be overtaken by who read it meanwhile and
///   announced it in that block.
/// - An announcement says nothing but when. Anyone may make as many as it pays for, for itself or for others, and the
///   first of each stands.
contract Refutations {
    /// @notice A refutation was announced.
    event RefutationAnnounced(bytes32 indexed sealedRefutation);

    /// @notice The block of an announcement; 0 for none.
    mapping(bytes32 sealedRefutation => uint256) public announcedIn;

    /// @notice Announces a refutation without showing it.
    /// @param sealedRefutation keccak256 of the ABI encoding of the account that will show it, the number of the job, the
    /// number of the round and the certificate, of the types `address, uint256, uint256, bytes`.
    function announce(bytes32 sealedRefutation) external {
        if (announcedIn[sealedRefutation] != 0) return;
        announcedIn[sealedRefutation] = block.number;
        emit RefutationAnnounced(sealedRefutation);
    }

    /// @notice Reverts unless `x' G x < 0` and the caller of the market announced it in an earlier block.
    /// @param challenger The account that shows the refutation.
    /// @param gram The settled matrix, packed as in `IRule`.
    /// @param x One integer for each row, packed as the matrix is.
    function check(address challenger, uint256 jobId, uint256 round, bytes calldata gram, bytes calldata x)
        external
        view
    {
        bytes32 sealedRefutation = keccak256(abi.encode(challenger, jobId, round, x));
        uint256 announced = announcedIn[sealedRefutation];
        require(announced != 0, Errors.Refutations_NotAnnounced(sealedRefutation));
        require(block.number > announced, Errors.Refutations_AnnouncedInThisBlock(announced));
        // A triangle of n rows has 4 n (n + 1) bytes, one less than (2 n + 1)^2; n integers have 8 n.
        uint256 needed = 4 * (Math.sqrt(gram.length + 1) - 1);
        require(x.length == needed, Errors.Market_WrongLength("x", x.length, needed));
        int256 value = evaluate(gram, x);
        require(value < 0, Errors.Refutations_NotNegative(value));
    }

    /// @notice `x' G x`, exactly.
    /// @param gram Packed upper triangle of n rows, n at most 255.
    /// @param x n packed integers.
    function evaluate(bytes calldata gram, bytes calldata x) public pure returns (int256 value) {
        uint256 count = x.length / 8;
        uint256 position = 0;
        // No overflow: 255^2 terms below 2^63 * 2^63 * 2^63 in size stay below 2^205.
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                int256 factor = GramChecks.entry(x, i);
                // The triangle has each entry beside the diagonal once, and it counts twice.
                int256 row = GramChecks.entry(gram, position++) * factor;
                for (uint256 j = i + 1; j < count; ++j) {
                    row += 2 * GramChecks.entry(gram, position++) * GramChecks.entry(x, j);
                }
                value += row * factor;
            }
        }
    }
}
