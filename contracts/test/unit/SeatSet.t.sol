// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SeatSet} from "../../src/libraries/SeatSet.sol";
import {Base} from "../Base.sol";

contract SeatSetTest is Base {
    using SeatSet for uint128;

    function test_When_TheSetIsEmpty() external pure {
        vm.assertEq(uint128(0).size(), 0, "size");
        vm.assertEq(uint128(0).firstFree(0), 0, "free seat of none");
        vm.assertEq(uint128(0).firstFree(8), 0, "free seat");
        vm.assertFalse(uint128(0).has(0), "member");
    }

    function test_When_TheSetIsFull() external pure {
        vm.assertEq(type(uint128).max.size(), 128, "size");
        vm.assertEq(type(uint128).max.firstFree(128), 128, "free seat");
        vm.assertEq(type(uint128).max.firstFree(96), 96, "free seat below 96");
    }

    function test_When_TheSeatIsTheLast() external pure {
        vm.assertEq(SeatSet.only(127), 2 ** 127, "the last seat");
        vm.assertTrue(SeatSet.only(127).has(127), "member");
        vm.assertFalse(type(uint128).max.has(128), "a seat beyond the last");
    }

    function testFuzz_When_AnySetIsCounted(uint128 set, uint8 index, uint8 limit) external pure {
        uint256 seat = index % 128;
        uint256 size = set.size();
        uint256 counted = 0;
        for (uint256 i = 0; i < 128; ++i) {
            if (set.has(i)) ++counted;
        }
        vm.assertEq(size, counted, "size");
        vm.assertEq((set | SeatSet.only(seat)).size(), size + (set.has(seat) ? 0 : 1), "size with one more");
        vm.assertTrue((set | SeatSet.only(seat)).has(seat), "the one more");
        uint256 free = set.firstFree(limit % 129);
        vm.assertTrue(free == limit % 129 || !set.has(free), "the free seat is free");
        for (uint256 i = 0; i < free; ++i) {
            vm.assertTrue(set.has(i), "no seat before it is");
        }
    }
}
