// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Terms} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract MissingTest is Base {
    function test_RevertGiven_NoSuchJob() external {
        _refuses(1, 1, trainers[0], abi.encodeWithSelector(Errors.Market_UnknownJob.selector, 1, 0));
    }

    function test_RevertGiven_TheJobHasNotStarted() external {
        uint256 jobId = _joined(_terms(), 5);
        _refuses(
            jobId,
            0,
            trainers[0],
            abi.encodeWithSelector(Errors.Market_WrongState.selector, jobId, JobState.Open, JobState.Running)
        );
    }

    function test_RevertGiven_SubmissionsAreOpen() external {
        uint256 jobId = _running(_terms(), 5);
        uint256 end = START + 1000;
        vm.warp(end);
        _refuses(jobId, 1, trainers[0], abi.encodeWithSelector(Errors.Market_TooEarly.selector, end, end));
    }

    function test_RevertGiven_HalfOfDeliveryIsOver() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        vm.warp(START + 301);
        _refuses(
            jobId,
            1,
            trainers[0],
            abi.encodeWithSelector(Errors.Market_TooLate.selector, START + 301, START + 300)
        );
    }

    function test_RevertWhen_TheCallerIsNotTheAggregator() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NotAuthorised.selector, owner, aggregator));
        vm.prank(owner);
        market.missing(jobId, 1, _first(1));
    }

    function test_RevertWhen_TheRoundIsAnother() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        _refuses(
            jobId, 2, trainers[0], abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, 2, 1)
        );
    }

    function test_RevertWhen_ATrainerDidNotSubmit() external {
        uint256 jobId = _running(_terms(), 6);
        for (uint256 i = 0; i < 5; ++i) {
            _submit(jobId, trainers[i]);
        }
        _passSubmissions(jobId);
        _refuses(jobId, 1, trainers[5], _notSubmitted(jobId, trainers[5]));
        _refuses(jobId, 1, stranger, _notSubmitted(jobId, stranger));
        _refuses(jobId, 1, address(0), _notSubmitted(jobId, address(0)));
    }

    function test_RevertWhen_TheRefereeDidNotSubmit() external {
        uint256 jobId = _running(_terms(), 5);
        _submitTrainers(jobId);
        _passSubmissions(jobId);
        _refuses(jobId, 1, referee, _notSubmitted(jobId, referee));
    }

    function test_RevertWhen_TheJobHasNoRefereeAndTheAccountIsZero() external {
        Terms memory terms = _terms();
        terms.referee = address(0);
        terms.refereeFeePerRound = 0;
        terms.references = 0;
        uint256 jobId = _running(terms, 5);
        _submitAll(jobId);
        _refuses(jobId, 1, address(0), _notSubmitted(jobId, address(0)));
    }

    function test_When_TrainersAreMissing() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        Books memory expected = _books(jobId);
        vm.warp(START + 300);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectEmit(address(market));
            emit ITrainingMarket.Missing(jobId, 1, trainers[i]);
        }
        vm.prank(aggregator);
        market.missing(jobId, 1, _first(2));
        _assertBooks(jobId, expected);
        vm.assertEq(market.seatsOf(jobId).missing, 3, "the missing");
        vm.assertFalse(market.progressOf(jobId).referenceMissing, "the reference");
    }

    function test_When_TheReferenceIsMissing() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        vm.expectEmit(address(market));
        emit ITrainingMarket.Missing(jobId, 1, referee);
        vm.prank(aggregator);
        market.missing(jobId, 1, _list(referee));
        vm.assertEq(market.seatsOf(jobId).missing, 0, "no trainer is missing");
        vm.assertTrue(market.progressOf(jobId).referenceMissing, "the reference");
    }

    function test_When_NobodyIsNamed() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        vm.prank(aggregator);
        market.missing(jobId, 1, new address[](0));
        vm.assertEq(market.seatsOf(jobId).missing, 0, "nobody is missing");
    }

    function test_Given_TheNextRoundOpened() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        address[] memory accounts = new address[](2);
        (accounts[0], accounts[1]) = (trainers[0], referee);
        vm.prank(aggregator);
        market.missing(jobId, 1, accounts);
        _settle(jobId);
        vm.assertEq(market.seatsOf(jobId).missing, 0, "the notice is forgotten");
        vm.assertFalse(market.progressOf(jobId).referenceMissing, "the reference's too");
    }

    function _notSubmitted(uint256 jobId, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_NotSubmitted.selector, jobId, 1, account);
    }

    function _refuses(uint256 jobId, uint256 round, address account, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(aggregator);
        market.missing(jobId, round, _list(account));
    }
}
