// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Terms} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract AcceptTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
        market.accept(1, KEY);
    }

    function test_RevertGiven_TheJobWasAborted() external {
        uint256 jobId = _create(_terms());
        vm.prank(owner);
        market.abort(jobId);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Market_WrongState.selector, jobId, JobState.Aborted, JobState.Open)
        );
        vm.prank(aggregator);
        market.accept(jobId, KEY);
    }

    function test_RevertGiven_ItIsAccepted() external {
        uint256 jobId = _create(_terms());
        _accept(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_AlreadyAccepted.selector, jobId));
        vm.prank(aggregator);
        market.accept(jobId, KEY);
    }

    function test_RevertWhen_TheCallerIsNotTheAggregator() external {
        uint256 jobId = _create(_terms());
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotAuthorised.selector, owner, aggregator));
        vm.prank(owner);
        market.accept(jobId, KEY);
    }

    function test_RevertWhen_TheStartDeadlineHasPassed() external {
        uint256 jobId = _create(_terms());
        uint256 deadline = market.termsOf(jobId).startDeadline;
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_TooLate.selector, deadline + 1, deadline));
        vm.prank(aggregator);
        market.accept(jobId, KEY);
    }

    function test_RevertWhen_TheKeyIsZero() external {
        uint256 jobId = _create(_terms());
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_ZeroKey.selector));
        vm.prank(aggregator);
        market.accept(jobId, 0);
    }

    function test_RevertWhen_TheBondIsNotSent() external {
        uint256 jobId = _create(_terms());
        uint256 bond = _terms().bond;
        vm.deal(aggregator, bond);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_WrongValue.selector, bond - 1, bond));
        vm.prank(aggregator);
        market.accept{value: bond - 1}(jobId, KEY);
    }

    function test_When_PaidInTheNativeCoin() external {
        _accepts(_terms());
    }

    function test_When_PaidInAToken() external {
        _accepts(_tokenTerms());
    }

    function _accepts(Terms memory terms) private {
        uint256 jobId = _create(terms);
        vm.warp(terms.startDeadline);
        uint256 value = _fund(terms.token, aggregator, terms.bond);
        Books memory expected = _books(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobAccepted(jobId, KEY);
        vm.prank(aggregator);
        market.accept{value: value}(jobId, KEY);

        expected.balance[AGGREGATOR] -= terms.bond;
        expected.market += terms.bond;
        expected.ledger.bond += terms.bond;
        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Open);
        (,, bytes32 key, bytes32 nextKey,) = market.identityOf(jobId);
        vm.assertEq(key, 0, "no round has a key yet");
        vm.assertEq(nextKey, KEY, "key of the first round");
    }
}
