// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Errors} from "../../src/libraries/Errors.sol";
import {UnverifiedDevOnly} from "../../src/verifiers/UnverifiedDevOnly.sol";
import {Base} from "../Base.sol";

contract UnverifiedDevOnlyTest is Base {
    function test_When_TheChainIsLocal() external {
        uint256[3] memory ids = [uint256(1337), 31_337, 131_277_322_940_537];
        for (uint256 i = 0; i < 3; ++i) {
            vm.chainId(ids[i]);
            new UnverifiedDevOnly();
        }
    }

    function test_RevertWhen_TheChainIsNotLocal() external {
        uint64[9] memory ids =
            [uint64(1), 10, 137, 1336, 1338, 31_336, 31_338, 131_277_322_940_536, 131_277_322_940_538];
        for (uint256 i = 0; i < ids.length; ++i) {
            _refuses(ids[i]);
        }
    }

    function testFuzz_RevertWhen_TheChainIsAnyOther(uint64 id) external {
        vm.assume(id != 1337 && id != 31_337 && id != 131_277_322_940_537 && id != 0);
        _refuses(id);
    }

    function test_When_AskedAboutAProof() external {
        UnverifiedDevOnly verifier = new UnverifiedDevOnly();
        vm.assertTrue(verifier.verify(0, "", "", ""), "it accepts everything");
    }

    function test_When_TheModelAdvances() external {
        UnverifiedDevOnly verifier = new UnverifiedDevOnly();
        vm.assertEq(verifier.initialModel(), abi.encodePacked(bytes32(0)), "the first model");
        bytes memory next =
            verifier.advanceModel(verifier.initialModel(), "", new uint256[](3), _cid("aggregate"));
        vm.assertEq(
            next, abi.encodePacked(keccak256(abi.encodePacked(bytes32(0), _cid("aggregate")))), "next"
        );
    }

    function _refuses(uint64 id) private {
        vm.chainId(id);
        vm.expectRevert(abi.encodeWithSelector(Errors.UnverifiedDevOnly_NotALocalChain.selector, id));
        new UnverifiedDevOnly();
    }
}
