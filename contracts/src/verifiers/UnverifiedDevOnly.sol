// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRoundVerifier} from "../interfaces/IRoundVerifier.sol";
import {Errors} from "../libraries/Errors.sol";

/// @title UnverifiedDevOnly
/// @notice Accepts every settlement without a proof. It exists for development on local chains and refuses to be
/// deployed anywhere else. A commitment is a salted keccak256 of the update, and the model commitment a hash chain over
/// the aggregates that the aggregator states.
contract UnverifiedDevOnly is IRoundVerifier {
    /// @dev Chain ids of local chains: Ganache's, Hardhat's and Anvil's, eth-tester's.
    uint256 private constant GANACHE = 1337;
    uint256 private constant ANVIL = 31_337;
    uint256 private constant ETH_TESTER = 131_277_322_940_537;

    constructor() {
        uint256 id = block.chainid;
        require(id == GANACHE || id == ANVIL || id == ETH_TESTER, Errors.UnverifiedDevOnly_NotALocalChain(id));
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
