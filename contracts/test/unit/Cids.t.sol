// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Cids} from "../../src/libraries/Cids.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract CidsTest is Base {
    function check(bytes calldata cid) external pure {
        Cids.check(cid);
    }

    function test_When_TheCodecIsRaw() external view {
        this.check(abi.encodePacked(hex"01551220", keccak256("content")));
    }

    function test_When_TheCodecIsDagPb() external view {
        this.check(abi.encodePacked(hex"01701220", keccak256("content")));
    }

    function test_RevertWhen_ItIsEmpty() external {
        _refuses("");
    }

    function test_RevertWhen_AByteIsMissing() external {
        _refuses(abi.encodePacked(hex"01551220", bytes31(keccak256("content"))));
    }

    function test_RevertWhen_AByteIsTooMany() external {
        _refuses(abi.encodePacked(hex"01551220", keccak256("content"), hex"00"));
    }

    function test_RevertWhen_TheVersionIsZero() external {
        _refuses(abi.encodePacked(hex"1220", keccak256("content")));
        _refuses(abi.encodePacked(hex"00551220", keccak256("content")));
    }

    function test_RevertWhen_TheCodecIsAnother() external {
        _refuses(abi.encodePacked(hex"01711220", keccak256("content")));
    }

    function test_RevertWhen_TheHashIsAnother() external {
        _refuses(abi.encodePacked(hex"01551b20", keccak256("content")));
        _refuses(abi.encodePacked(hex"01550020", keccak256("content")));
    }

    function test_RevertWhen_TheDigestHasAnotherLength() external {
        _refuses(abi.encodePacked(hex"01551214", keccak256("content")));
    }

    function test_RevertWhen_ItIsText() external {
        _refuses("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy");
    }

    function _refuses(bytes memory cid) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_MalformedCid.selector, cid));
        this.check(cid);
    }
}
