// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Errors} from "./Errors.sol";

/// @title Cids
/// @notice The one form in which content identifiers are accepted.
library Cids {
    /// @dev CIDv1, raw codec, sha2-256, 32 bytes of digest.
    bytes4 internal constant RAW = 0x01551220;
    /// @dev CIDv1, dag-pb codec, sha2-256, 32 bytes of digest.
    bytes4 internal constant DAG_PB = 0x01701220;

    /// @notice Reverts unless `cid` is a canonical binary CIDv1 of 36 bytes.
    function check(bytes calldata cid) internal pure {
        require(
            cid.length == 36 && (bytes4(cid) == RAW || bytes4(cid) == DAG_PB), Errors.Market_MalformedCid(cid)
        );
    }
}
