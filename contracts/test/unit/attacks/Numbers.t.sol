// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Settlement, Terms} from "../../../src/Types.sol";
import {Errors} from "../../../src/libraries/Errors.sol";
import {Base} from "../../Base.sol";

/// @notice Values around every width that a field could have.
contract NumbersTest is Base {
    uint256[9] private _widths = [uint256(8), 16, 32, 40, 64, 96, 128, 160, 255];

    function test_NoNumberWrapsAroundToAJob() external {
        uint256 jobId = _running(_terms(), 5);
        for (uint256 i = 0; i < _widths.length; ++i) {
            uint256 top = 1 << _widths[i];
            _refusesJob(top - 1);
            _refusesJob(top);
            _refusesJob(top + jobId);
        }
        _refusesJob(type(uint256).max);
    }

    function test_NoNumberWrapsAroundToARound() external {
        uint256 jobId = _running(_terms(), 5);
        for (uint256 i = 0; i < _widths.length; ++i) {
            uint256 top = 1 << _widths[i];
            _refusesRound(jobId, top - 1);
            _refusesRound(jobId, top);
            _refusesRound(jobId, top + 1);
        }
        _refusesRound(jobId, type(uint256).max);
        // What was refused has poisoned nothing.
        _round(jobId);
        vm.assertEq(market.progressOf(jobId).round, 2, "round");
    }

    function test_NoNumberWrapsAroundToASettledRound() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        for (uint256 i = 0; i < _widths.length; ++i) {
            uint256 round = (1 << _widths[i]) + 1;
            vm.expectRevert(abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, round, 1));
            vm.prank(trainers[0]);
            market.flag(jobId, round);
        }
    }

    function test_NoNumberWrapsAroundToASeat() external {
        uint256 jobId = _running(_terms(), 5);
        for (uint256 i = 0; i < _widths.length; ++i) {
            uint256 top = 1 << _widths[i];
            vm.assertEq(market.seatHolder(jobId, top), address(0), "a seat nobody has");
            vm.assertEq(market.seatHolder(jobId, top + 1), address(0), "a seat nobody has");
        }
    }

    function test_TermsThatDoNotFitTheirFieldsAreRefused() external {
        // Fields in the order of Terms and their widths; the high bits of a word must be clear.
        uint8[28] memory widths = [
            160,
            96,
            160,
            40,
            8,
            8,
            8,
            8,
            8,
            8,
            8,
            32,
            32,
            32,
            32,
            40,
            16,
            16,
            8,
            96,
            96,
            96,
            96,
            160,
            96,
            160,
            96,
            0
        ];
        bytes memory call = abi.encodeCall(market.create, (_terms(), _specification()));
        vm.deal(owner, 1 ether);
        for (uint256 field = 0; field < 27; ++field) {
            bytes memory dirty = bytes.concat(call);
            // The byte that holds the first bit beyond the field.
            uint256 place = 4 + 32 * field + 31 - uint256(widths[field]) / 8;
            dirty[place] = 0x01;
            vm.prank(owner);
            (bool done, bytes memory answer) = address(market).call{value: _deposit(_terms())}(dirty);
            vm.assertFalse(done, "a term that does not fit");
            vm.assertEq(answer.length, 0, "refused by the decoder");
        }
        vm.assertEq(market.jobCount(), 0, "jobs");
    }

    function test_TheLargestAmountsFit() external {
        Terms memory terms = _tokenTerms();
        terms.rounds = 1;
        terms.rewardPerRound = uint96(uint256(2 ** 93) / 11 * 10);
        terms.penalty = uint96(2 ** 93);
        terms.aggregatorFeePerRound = uint96(2 ** 94 - terms.rewardPerRound);
        terms.refereeFeePerRound = 0;
        terms.bond = uint96(2 ** 94);
        terms.stake = uint96(2 ** 94);
        terms.absencePenalty = uint96(2 ** 90);
        uint256 jobId = _running(terms, 8);
        _round(jobId);
        _passChallenge(jobId);
        market.complete(jobId);
        uint256 pay = uint256(terms.rewardPerRound) / 8;
        for (uint256 i = 0; i < 8; ++i) {
            vm.assertEq(_withdraw(jobId, trainers[i]), pay + 2 ** 94, "pay and stake");
        }
        vm.assertEq(
            _withdraw(jobId, aggregator), uint256(terms.aggregatorFeePerRound) + 2 ** 94, "aggregator"
        );
        uint256 dust = uint256(terms.rewardPerRound) - 8 * pay;
        vm.assertEq(market.withdrawable(jobId, owner), dust, "owner");
        vm.assertEq(token.balanceOf(address(market)), dust, "the market's balance");
    }

    function test_OneTrainerCanEarnEverythingAtOnce() external {
        // The whole deposit as pay, the whole bond as shares of penalties, and a stake of the largest size, in one record.
        Terms memory terms = _tokenTerms();
        terms.rounds = 3;
        terms.rewardPerRound = uint96(uint256(2 ** 94) / 3);
        terms.penalty = uint96(2 ** 93);
        terms.bond = uint96(2 ** 94);
        terms.stake = uint96(2 ** 94);
        terms.aggregatorFeePerRound = 0;
        terms.refereeFeePerRound = 0;
        uint256 jobId = _running(terms, 5);
        _onlyFirstContributes();
        _round(jobId);
        _submitAll(jobId);
        _passSettlement(jobId);
        market.expire(jobId, 2);
        _round(jobId);
        _passChallenge(jobId);
        market.complete(jobId);
        uint256 due = 2 * (uint256(2 ** 94) / 3) + uint256(2 ** 93) / 5 + 2 ** 94;
        vm.assertEq(_withdraw(jobId, trainers[0]), due, "withdrawn");
    }

    function test_EverySeatOfTheLargestJobWorks() external {
        Terms memory terms = _terms();
        terms.maxTrainers = 128;
        terms.strikeLimit = 1;
        uint256 jobId = _joined(terms, 0);
        address[] memory many = new address[](128);
        for (uint256 i = 0; i < 128; ++i) {
            many[i] = _account(string.concat("one of many ", vm.toString(i)));
            _join(jobId, many[i]);
        }
        bytes32 digest = market.joinDigest(jobId);
        vm.deal(trainers[0], 2003);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NoFreeSeat.selector, jobId, 128));
        vm.prank(trainers[0]);
        market.join{value: 2003}(jobId, digest, new bytes32[](0));

        market.start(jobId);
        _round(jobId);
        vm.assertEq(market.seatsOf(jobId).settledSubmitters, type(uint128).max, "everyone submitted");
        vm.prank(many[127]);
        market.flag(jobId, 1);
        vm.assertEq(market.seatsOf(jobId).flags, 2 ** 127, "the last seat's flag");
        _passChallenge(jobId);
        for (uint256 i = 0; i < 128; ++i) {
            vm.assertEq(_withdraw(jobId, many[i]), 10_007 / uint256(128), "pay");
        }
    }

    function test_TimesNearTheWidthOfTheirFieldsWork() external {
        // The year 36,000; windows end below 2^40.
        vm.warp(2 ** 40 - 366 days);
        Terms memory terms = _terms();
        terms.startDeadline = uint40(_now() + 365 days);
        (terms.submitWindow, terms.deliverWindow, terms.challengeWindow) = (1 hours, 1 hours, 2 hours);
        uint256 jobId = _running(terms, 5);
        for (uint256 i = 0; i < 3; ++i) {
            _round(jobId);
        }
        _passChallenge(jobId);
        market.complete(jobId);
        vm.assertEq(_withdraw(jobId, trainers[0]), 3 * 2001 + 2003, "withdrawn");
    }

    function test_NoTermsAreTakenWhoseTimesDoNotFit() external {
        vm.warp(2 ** 40 + START);
        Terms memory terms = _terms();
        terms.startDeadline = uint40(START + 1 days);
        vm.expectRevert(
            abi.encodeWithSelector(
                Errors.Market_TermOutOfRange.selector,
                bytes32("startDeadline"),
                START + 1 days,
                2 ** 40 + START + 1,
                2 ** 40 + START + 365 days
            )
        );
        market.create(terms, _specification());
    }

    function test_ManyRoundsAreCounted() external {
        // More rounds than eight bits hold, void ones among them.
        Terms memory terms = _terms();
        terms.rounds = 10_000;
        terms.rewardPerRound = 10;
        terms.penalty = 11;
        uint256 jobId = _running(terms, 5);
        for (uint256 i = 1; i <= 258; ++i) {
            vm.assertEq(market.progressOf(jobId).round, 2 * i - 1, "round");
            _round(jobId);
            for (uint256 k = 0; k < 4; ++k) {
                _submit(jobId, trainers[k]);
            }
            _passSubmissions(jobId);
            market.voidRound(jobId, 2 * i);
        }
        vm.assertEq(market.progressOf(jobId).voids, 258, "voids");
        vm.assertEq(market.progressOf(jobId).settledRounds, 258, "settled rounds");
        _passChallenge(jobId);
        vm.assertEq(market.withdrawable(jobId, trainers[0]), 258 * 2, "pay");
    }

    function _onlyFirstContributes() private {
        uint256[] memory weights = new uint256[](5);
        int256[] memory contributions = new int256[](5);
        for (uint256 i = 0; i < 5; ++i) {
            weights[i] = 1;
        }
        contributions[0] = 2 ** 200 - 1;
        rule.set(weights, contributions);
    }

    function _refusesJob(uint256 id) private {
        Settlement memory settlement;
        settlement.jobId = id;
        bytes[8] memory calls = [
            abi.encodeCall(market.termsOf, (id)),
            abi.encodeCall(market.withdrawable, (id, owner)),
            abi.encodeCall(market.withdraw, (id, owner)),
            abi.encodeCall(market.burn, (id)),
            abi.encodeCall(market.start, (id)),
            abi.encodeCall(market.abort, (id)),
            abi.encodeCall(market.settle, (settlement)),
            abi.encodeCall(market.complete, (id))
        ];
        bytes memory reason = abi.encodeWithSelector(Errors.Market_UnknownJob.selector, id, 1);
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done, bytes memory answer) = address(market).call(calls[i]);
            vm.assertFalse(done, "a call on no job");
            vm.assertEq(answer, reason, "its reason");
        }
    }

    function _refusesRound(uint256 jobId, uint256 round) private {
        Settlement memory settlement;
        (settlement.jobId, settlement.round) = (jobId, round);
        bytes[6] memory calls = [
            abi.encodeCall(market.submit, (jobId, round, KEY, _cid("envelope"))),
            abi.encodeCall(market.closeSubmissions, (jobId, round)),
            abi.encodeCall(market.missing, (jobId, round, _first(1))),
            abi.encodeCall(market.voidRound, (jobId, round)),
            abi.encodeCall(market.expire, (jobId, round)),
            abi.encodeCall(market.settle, (settlement))
        ];
        bytes memory reason = abi.encodeWithSelector(Errors.Market_WrongRound.selector, jobId, round, 1);
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(i == 0 ? trainers[0] : aggregator);
            (bool done, bytes memory answer) = address(market).call(calls[i]);
            vm.assertFalse(done, "a call on no round");
            vm.assertEq(answer, reason, "its reason");
        }
    }
}
