// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LocalChains} from "../../src/libraries/LocalChains.sol";
import {GramFixture} from "../GramFixture.sol";

contract LocalChainsTest is GramFixture {
    function test_When_TheChainIsLocal() external pure {
        vm.assertTrue(LocalChains.isLocal(1337), "Ganache");
        vm.assertTrue(LocalChains.isLocal(31_337), "Anvil");
        vm.assertTrue(LocalChains.isLocal(131_277_322_940_537), "eth-tester");
    }

    function testFuzz_When_TheChainIsAnyOther(uint256 id) external pure {
        vm.assume(id != 1337 && id != 31_337 && id != 131_277_322_940_537);
        vm.assertFalse(LocalChains.isLocal(id), "another chain");
        vm.assertFalse(LocalChains.isLocal(1), "the main chain");
    }
}
