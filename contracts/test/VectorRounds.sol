// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Settlement, Terms} from "../src/Types.sol";
import {Base} from "./Base.sol";

/// @notice Rounds of small updates whose matrix is computed here.
abstract contract VectorRounds is Base {
    /// @dev Updates of four coordinates, then the referee's vectors.
    int64[4][] private _vectors;

    /// @notice Starts a job with these terms and trainers, all of whom submit.
    function _submitted(Terms memory terms, uint256 count) internal returns (uint256 jobId) {
        jobId = _running(terms, count);
        _submitAll(jobId);
    }

    /// @notice Adds the next update, or, after all of them, the next of the referee's vectors.
    function _push(int64 a, int64 b, int64 c, int64 d) internal {
        _vectors.push([a, b, c, d]);
    }

    /// @notice The settlement of all submitted updates with the Gram matrix of those added.
    function _withMatrix(uint256 jobId) internal view returns (Settlement memory settlement) {
        settlement = _settlement(jobId);
        settlement.gram = "";
        for (uint256 i = 0; i < _vectors.length; ++i) {
            for (uint256 j = i; j < _vectors.length; ++j) {
                int64 product = 0;
                for (uint256 k = 0; k < 4; ++k) {
                    product += _vectors[i][k] * _vectors[j][k];
                }
                settlement.gram = bytes.concat(settlement.gram, bytes8(uint64(product)));
            }
        }
    }

    /// @notice Settles with that matrix.
    function _settleVectors(uint256 jobId) internal {
        _settle(_withMatrix(jobId));
    }

    /// @notice What the first trainers have been credited.
    function _paid(uint256 jobId, uint256 count) internal view returns (uint256 paid) {
        for (uint256 i = 0; i < count; ++i) {
            paid += market.trainerOf(jobId, trainers[i]).pending;
        }
    }

    /// @notice Settles with that matrix, whatever it is, and checks that the job goes on and where the money is.
    function _settlesWithinTheReward(uint256 jobId, uint256 count) internal {
        uint256 escrow = market.ledgerOf(jobId).escrow;
        _settleVectors(jobId);
        vm.assertEq(market.progressOf(jobId).round, 2, "settled or void, the job goes on");
        uint256 paid = _paid(jobId, count);
        vm.assertLe(paid, 10_007, "no more than the reward");
        vm.assertEq(market.ledgerOf(jobId).escrow, escrow - paid, "the escrow pays exactly that");
    }
}
