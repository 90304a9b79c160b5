// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRoundVerifier} from "../interfaces/IRoundVerifier.sol";
import {Errors} from "../libraries/Errors.sol";
import {LocalChains} from "../libraries/LocalChains.sol";

/// @title UnverifiedDevOnly
/// @notice Accepts every settlement without a proof. It exists for development on local chains and refuses to be
/// deployed anywhere else. A commitment is a salted keccak256 of the update, and the model commitment a hash chain over
/// the aggregates that the aggregator states.
contract UnverifiedDevOnly is IRoundVerifier {
    constructor() {
        require(LocalChains.isLocal(block.chainid), Errors.UnverifiedDevOnly_NotALocalChain(block.chainid));
    }

    /// @inheritdoc IRoundVerifier
    function initialModel() external pure returns (bytes memory) {
        return abi.encodePacked(bytes32(0));
    }

    /// @inheritdoc IRoundVerifier
    function verify(bytes32, bytes calldata, bytes calldata, bytes calldata) external pure returns (bool) {
        return true;
    }

    /// @inheritdoc IRoundVerifier
    function advanceModel(
        bytes calldata modelCommitment,
        bytes calldata,
        uint256[] calldata,
        bytes calldata aggregateCid
    ) external pure returns (bytes memory) {
        return abi.encodePacked(keccak256(abi.encodePacked(modelCommitment, aggregateCid)));
    }
}
