// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Refutations} from "../../src/Refutations.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Refuting} from "../Refuting.sol";

contract RefutationsTest is Refuting {
    Refutations private refutations;

    function setUp() public override {
        super.setUp();
        refutations = market.refutations();
        vm.roll(1000);
    }

    function test_When_ARefutationIsAnnounced() external {
        vm.assertEq(refutations.announcedIn(KEY), 0, "not yet");
        vm.expectEmit(address(refutations));
        emit Refutations.RefutationAnnounced(KEY);
        refutations.announce(KEY);
        vm.assertEq(refutations.announcedIn(KEY), 1000, "the block");
    }

    function test_When_ItIsAnnouncedAgain() external {
        refutations.announce(KEY);
        vm.roll(1001);
        vm.recordLogs();
        vm.prank(stranger);
        refutations.announce(KEY);
        vm.assertEq(vm.getRecordedLogs().length, 0, "nothing new");
        vm.assertEq(refutations.announcedIn(KEY), 1000, "the first block");
    }

    function test_When_AnybodyAnnouncesIt() external {
        bytes32 sealedRefutation = _sealed(trainers[0], 7, 3, _witness(6));
        vm.prank(stranger);
        refutations.announce(sealedRefutation);
        vm.roll(1001);
        refutations.check(trainers[0], 7, 3, _lie(6), _witness(6));
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.Refutations_NotAnnounced.selector, _sealed(stranger, 7, 3, _witness(6))
            )
        );
        refutations.check(stranger, 7, 3, _lie(6), _witness(6));
    }

    function test_RevertWhen_TheCheckIsAskedInTheSameBlock() external {
        _announce(stranger, 7, 3, _witness(6));
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Refutations_AnnouncedInThisBlock.selector, uint256(1000))
        );
        refutations.check(stranger, 7, 3, _lie(6), _witness(6));
    }

    function test_When_TheCheckIsAskedInTheNextBlock() external {
        _announce(stranger, 7, 3, _witness(6));
        vm.roll(1001);
        refutations.check(stranger, 7, 3, _lie(6), _witness(6));
    }

    function test_RevertWhen_NothingWasAnnouncedToTheCheck() external {
        bytes32 sealedRefutation = _sealed(stranger, 7, 3, _witness(6));
        vm.expectRevert(abi.encodeWithSelector(Errors.Refutations_NotAnnounced.selector, sealedRefutation));
        refutations.check(stranger, 7, 3, _lie(6), _witness(6));
    }

    function test_When_TheFormIsEvaluated() external view {
        bytes memory gram = abi.encodePacked(int64(2), int64(-3), int64(5), int64(7), int64(11), int64(-13));
        bytes memory x = abi.encodePacked(int64(17), int64(-19), int64(23));
        int256 expected =
            2 * 17 * 17 + 7 * 19 * 19 - 13 * 23 * 23 + 2 * 3 * 17 * 19 + 2 * 5 * 17 * 23 - 2 * 11 * 19 * 23;
        vm.assertEq(refutations.evaluate(gram, x), expected, "three rows");
        vm.assertEq(refutations.evaluate("", ""), 0, "none");
    }

    function test_When_TheFormHasTheLargestTerms() external view {
        uint256 rows = 132;
        bytes memory gram = new bytes(4 * rows * (rows + 1));
        bytes memory x = new bytes(8 * rows);
        for (uint256 i = 0; i < gram.length; i += 8) {
            // The least int64, which has no opposite.
            gram[i] = 0x80;
        }
        for (uint256 i = 0; i < x.length; i += 8) {
            x[i] = 0x80;
        }
        int256 expected = -int256(rows * rows) * 2 ** 189;
        vm.assertEq(refutations.evaluate(gram, x), expected, "132^2 terms of -2^63 2^63 2^63");
    }

    function test_When_TheFormIsMinusOne() external {
        bytes memory gram = abi.encodePacked(int64(-1));
        bytes memory x = abi.encodePacked(int64(1));
        _announce(stranger, 1, 1, x);
        vm.roll(1001);
        refutations.check(stranger, 1, 1, gram, x);
        gram = abi.encodePacked(int64(0));
        vm.expectRevert(abi.encodeWithSelector(Errors.Refutations_NotNegative.selector, int256(0)));
        refutations.check(stranger, 1, 1, gram, x);
    }
}
