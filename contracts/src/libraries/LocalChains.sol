// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title LocalChains
/// @notice The chains on which contracts may be deployed that protect nobody.
library LocalChains {
    /// @dev Chain ids of local chains: Ganache's, Hardhat's and Anvil's, eth-tester's.
    uint256 private constant GANACHE = 1337;
    uint256 private constant ANVIL = 31_337;
    uint256 private constant ETH_TESTER = 131_277_322_940_537;

    /// @notice Whether the chain with this id runs on one machine alone, for development.
    function isLocal(uint256 chainId) internal pure returns (bool) {
        return chainId == GANACHE || chainId == ANVIL || chainId == ETH_TESTER;
    }
}
