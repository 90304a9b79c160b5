// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Settlement} from "../src/Types.sol";
import {Base} from "./Base.sol";
import {Lies} from "./Lies.sol";

/// @notice Matrices that no vectors have, and what shows it.
abstract contract Refuting is Base {
    function _lie(uint256 rows) internal pure returns (bytes memory) {
        return Lies.gram(rows);
    }

    function _witness(uint256 rows) internal pure returns (bytes memory) {
        return Lies.witness(rows);
    }

    function _writeEntry(bytes memory packed, uint256 position, int64 value) internal pure {
        Lies.write(packed, position, value);
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
