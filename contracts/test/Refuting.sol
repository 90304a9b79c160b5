// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Settlement} from "../src/Types.sol";
import {Base} from "./Base.sol";

/// @notice Matrices that no vectors have, and what shows it.
abstract contract Refuting is Base {
    /// @dev The identity, but that of the first three vectors each is the opposite of both others; the 2 x 2 minors are
    /// zero there. The sum of the three would have the squared length -3.
    function _lie(uint256 rows) internal pure returns (bytes memory gram) {
        gram = _gram(rows);
        _writeEntry(gram, 1, -1);
        _writeEntry(gram, 2, -1);
        _writeEntry(gram, rows + 1, -1);
    }

    /// @dev What refutes the lie: the sum of the first three vectors.
    function _witness(uint256 rows) internal pure returns (bytes memory x) {
        x = new bytes(8 * rows);
        for (uint256 i = 0; i < 3; ++i) {
            _writeEntry(x, i, 1);
        }
    }

    /// @dev Writes an int64 at a position of packed ones.
    function _writeEntry(bytes memory packed, uint256 position, int64 value) internal pure {
        for (uint256 k = 0; k < 8; ++k) {
            packed[8 * position + k] = bytes1(uint8(uint64(value) >> (56 - 8 * k)));
        }
    }

    /// @dev Settles the current round with the lie, as soon as that is legal.
    /// @return settlement What was settled.
    function _settleLie(uint256 jobId) internal returns (Settlement memory settlement) {
        uint256 challengeEnd = market.progressOf(jobId).challengeEnd;
        if (_now() <= challengeEnd) vm.warp(challengeEnd + 1);
        settlement = _settlement(jobId);
        settlement.gram = _lie(_rows(settlement.gram));
        _settle(settlement);
    }

    /// @dev Rows of a packed triangle.
    function _rows(bytes memory gram) internal pure returns (uint256 rows) {
        while (4 * rows * (rows + 1) < gram.length) ++rows;
    }

    function _sealed(address account, uint256 jobId, uint256 round, bytes memory x)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(account, jobId, round, x));
    }

    /// @dev Announces a refutation of the account's own.
    function _announce(address account, uint256 jobId, uint256 round, bytes memory x) internal {
        bytes32 sealedRefutation = _sealed(account, jobId, round, x);
        vm.prank(account);
        market.refutations().announce(sealedRefutation);
    }

    /// @dev Goes on to the next block, in the same second.
    function _nextBlock() internal {
        vm.roll(vm.getBlockNumber() + 1);
    }

    /// @dev Shows a refutation of a settlement.
    function _refute(address account, Settlement memory settlement, bytes memory x) internal {
        vm.prank(account);
        market.refuteGram(
            settlement.jobId, settlement.round, keccak256(settlement.modelCommitment), settlement.gram, x
        );
    }

    /// @dev Announces and shows the refutation of a lie.
    function _refuteLie(address account, Settlement memory settlement) internal {
        bytes memory x = _witness(_rows(settlement.gram));
        _announce(account, settlement.jobId, settlement.round, x);
        _nextBlock();
        _refute(account, settlement, x);
    }
}
