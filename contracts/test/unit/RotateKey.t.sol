// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract RotateKeyTest is Base {
    bytes32 private constant NEXT_KEY = keccak256("the aggregator's next key");

    function test_RevertGiven_NoSuchJob() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 7, 0));
        market.rotateKey(7, KEY);
    }

    function test_RevertGiven_ItIsNotAccepted() external {
        uint256 jobId = _create(_terms());
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotAccepted.selector, jobId));
        vm.prank(aggregator);
        market.rotateKey(jobId, NEXT_KEY);
    }

    function test_RevertGiven_NoFurtherRoundWillOpen() external {
        uint256 jobId = _joined(_terms(), 0);
        vm.prank(owner);
        market.abort(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_Ending.selector, jobId));
        vm.prank(aggregator);
        market.rotateKey(jobId, NEXT_KEY);
    }

    function test_RevertWhen_TheCallerIsNotTheAggregator() external {
        uint256 jobId = _joined(_terms(), 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotAuthorised.selector, stranger, aggregator));
        vm.prank(stranger);
        market.rotateKey(jobId, NEXT_KEY);
    }

    function test_RevertWhen_TheKeyIsZero() external {
        uint256 jobId = _joined(_terms(), 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_ZeroKey.selector));
        vm.prank(aggregator);
        market.rotateKey(jobId, 0);
    }

    function test_Given_ARoundIsOpen() external {
        uint256 jobId = _running(_terms(), 5);
        Books memory expected = _books(jobId);
        bytes32 digest = market.joinDigest(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.KeyRotated(jobId, NEXT_KEY);
        vm.prank(aggregator);
        market.rotateKey(jobId, NEXT_KEY);
        _assertBooks(jobId, expected);
        _assertKeys(jobId, KEY, NEXT_KEY);
        vm.assertNotEq(market.joinDigest(jobId), digest, "who joins must agree to the new key");

        _round(jobId);
        _assertKeys(jobId, NEXT_KEY, NEXT_KEY);
    }

    function _assertKeys(uint256 jobId, bytes32 expected, bytes32 expectedNext) private view {
        (,, bytes32 key, bytes32 nextKey,) = market.identityOf(jobId);
        vm.assertEq(key, expected, "key of this round");
        vm.assertEq(nextKey, expectedNext, "key of the next round");
    }
}
