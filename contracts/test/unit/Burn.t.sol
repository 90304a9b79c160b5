// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Terms} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract BurnTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
        market.burn(1);
    }

    function test_RevertGiven_TheJobHasNotEnded() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        _passSettlement(jobId);
        market.expire(jobId, 1);
        vm.assertGt(market.ledgerOf(jobId).burned, 0, "slashed");
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotEnded.selector, jobId, JobState.Running));
        market.burn(jobId);
    }

    function test_RevertGiven_NothingWasSlashed() external {
        uint256 jobId = _joined(_terms(), 4);
        vm.prank(owner);
        market.abort(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NothingToBurn.selector, jobId));
        market.burn(jobId);
    }

    function test_RevertGiven_AllWasBurned() external {
        uint256 jobId = _flagged(_terms());
        market.burn(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NothingToBurn.selector, jobId));
        market.burn(jobId);
    }

    function test_Given_PaidInTheNativeCoin() external {
        _burns(_terms());
    }

    function test_Given_PaidInAToken() external {
        _burns(_tokenTerms());
    }

    function _flagged(Terms memory terms) private returns (uint256 jobId) {
        jobId = _running(terms, 5);
        _round(jobId);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(trainers[i]);
            market.flag(jobId, 1);
        }
    }

    function _burns(Terms memory terms) private {
        uint256 jobId = _flagged(terms);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.Burned(jobId, 12_018);
        vm.prank(stranger);
        vm.assertEq(market.burn(jobId), 12_018, "burned");
        expected.market -= 12_018;
        expected.balance[BURNED] += 12_018;
        expected.ledger.burned = 0;
        _assertBooks(jobId, expected);
    }
}
