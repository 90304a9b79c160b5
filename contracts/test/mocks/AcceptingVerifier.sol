// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRoundVerifier, Step} from "../../src/interfaces/IRoundVerifier.sol";

/// @notice Accepts every proof and every step of the model, for tests of what the market does with a proven matrix.
contract AcceptingVerifier is IRoundVerifier {
    function initialModel() external pure returns (bytes memory) {
        return new bytes(64);
    }

    function verify(bytes32, bytes calldata, bytes calldata, bytes calldata) external pure returns (bool) {
        return true;
    }

    function verifyStep(bytes32, bytes calldata, bytes calldata, bytes calldata, Step calldata)
        external
        pure
        returns (bool)
    {
        return true;
    }
}
