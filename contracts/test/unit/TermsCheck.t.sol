// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TermsCheck} from "../../src/TermsCheck.sol";
import {Terms} from "../../src/Types.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract TermsCheckTest is Base {
    uint256 private constant MAX = 2 ** 94;

    TermsCheck private _check;
    Terms private _given;

    function setUp() public override {
        super.setUp();
        _check = market.termsCheck();
        _given = _terms();
    }

    function test_When_EveryTermIsInRange() external view {
        vm.assertEq(_check.check(_given), 3 * (10_007 + 1009 + 503), "deposit");
    }

    function test_When_TheTermsAreEncoded() external {
        bytes memory encoded = abi.encode(_given);
        vm.assertEq(_check.checkEncoded(encoded), 3 * (10_007 + 1009 + 503), "deposit");
        _given.rounds = 0;
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Market_TermOutOfRange.selector, bytes32("rounds"), 0, 1, 10_000)
        );
        _check.checkEncoded(abi.encode(_given));
        // 256 strikes don't fit eight bits.
        encoded[32 * 18 + 30] = 0x01;
        vm.expectRevert(bytes(""));
        _check.checkEncoded(encoded);
    }

    function test_When_TheAggregatorIsZero() external {
        _given.aggregator = address(0);
        _refuses("aggregator", 0, 1, type(uint160).max);
    }

    function test_When_TheRewardIsAtItsLimits() external {
        _given.rewardPerRound = 0;
        _refuses("rewardPerRound", 0, 1, MAX);
        _given.rewardPerRound = 1;
        _accepts();
        _given.rewardPerRound = uint96(MAX) + 1;
        _refuses("rewardPerRound", MAX + 1, 1, MAX);
    }

    function test_When_ThePenaltyIsAtItsLimits() external {
        // A tenth more than 10,007, rounded up.
        _given.penalty = 11_007;
        _refuses("penalty", 11_007, 11_008, MAX);
        _given.penalty = 11_008;
        _accepts();
        _given.penalty = uint96(MAX) + 1;
        _refuses("penalty", MAX + 1, 11_008, MAX);
    }

    function test_When_TheRewardIsAMultipleOfTen() external {
        _given.rewardPerRound = 10;
        _given.penalty = 10;
        _refuses("penalty", 10, 11, MAX);
        _given.penalty = 11;
        _accepts();
    }

    function test_When_TheDecayIsAtItsLimits() external {
        (_given.penalty, _given.bond) = (22_000, 44_000);
        _given.rewardDecay = 2;
        _accepts();
        _given.rewardDecay = 3;
        _refuses("rewardDecay", 3, 0, 2);
        _given.rewardDecay = type(uint8).max;
        _refuses("rewardDecay", 255, 0, 2);
    }

    function test_Given_TheRewardFalls() external {
        // The first of three rounds pays 15,010 or 19,299; a tenth more, rounded up.
        _given.bond = 50_000;
        (_given.rewardDecay, _given.penalty) = (1, 16_510);
        _refuses("penalty", 16_510, 16_511, MAX);
        _given.penalty = 16_511;
        _accepts();
        (_given.rewardDecay, _given.penalty) = (2, 21_228);
        _refuses("penalty", 21_228, 21_229, MAX);
        _given.penalty = 21_229;
        _accepts();
        // A single round pays all there is.
        (_given.rounds, _given.penalty) = (1, 11_007);
        _refuses("penalty", 11_007, 11_008, MAX);
        _given.penalty = 11_008;
        _accepts();
        // As many rounds as the field holds.
        (_given.rounds, _given.rewardPerRound) = (type(uint16).max, type(uint96).max);
        _refuses("rewardPerRound", type(uint96).max, 1, MAX);
        _given.rewardPerRound = uint96(MAX);
        uint256 first = 6 * MAX * 65_535 ** 2 / (uint256(65_536) * 131_071);
        _refuses("penalty", 11_008, (first * 11 + 9) / 10, MAX);
        _given.rounds = 0;
        _refuses("rounds", 0, 1, 10_000);
    }

    function test_When_TheBondIsAtItsLimits() external {
        _given.bond = 22_017;
        _refuses("bond", 22_017, 22_018, MAX);
        _given.bond = 22_018;
        _accepts();
        _given.bond = uint96(MAX);
        _accepts();
        _given.bond = uint96(MAX) + 1;
        _refuses("bond", MAX + 1, 22_018, MAX);
    }

    function test_When_TheStakeIsAtItsLimits() external {
        _given.absencePenalty = 0;
        _given.stake = 0;
        _accepts();
        _given.stake = uint96(MAX);
        _accepts();
        _given.stake = uint96(MAX) + 1;
        _refuses("stake", MAX + 1, 0, MAX);
    }

    function test_When_TheAbsencePenaltyIsAtItsLimits() external {
        _given.absencePenalty = 201;
        _refuses("absencePenalty", 201, 0, 200);
        _given.absencePenalty = 0;
        _accepts();
    }

    function test_Given_NoReferee() external {
        _given.referee = address(0);
        _refuses("refereeFeePerRound", 503, 0, 0);
        _given.refereeFeePerRound = 0;
        _refuses("references", 1, 0, 0);
        _given.references = 0;
        _accepts();
    }

    function test_Given_AReferee() external {
        _given.references = 0;
        _refuses("references", 0, 1, 9);
        _given.references = 9;
        _accepts();
        _given.references = 10;
        _refuses("references", 10, 1, 9);
        _given.references = 1;
        _given.refereeFeePerRound = uint96(MAX) + 1;
        _refuses("refereeFeePerRound", MAX + 1, 0, MAX);
    }

    function test_When_TheRoundsAreAtTheirLimits() external {
        _given.rounds = 0;
        _refuses("rounds", 0, 1, 10_000);
        _given.rounds = 1;
        _accepts();
        _given.rounds = 10_000;
        _accepts();
        _given.rounds = 10_001;
        _refuses("rounds", 10_001, 1, 10_000);
        _given.rounds = type(uint16).max;
        _refuses("rounds", type(uint16).max, 1, 10_000);
    }

    function test_When_TheSubmitWindowIsAtItsLimits() external {
        _given.challengeWindow = 1;
        _given.submitWindow = 0;
        _refuses("submitWindow", 0, 1, 30 days);
        _given.submitWindow = 30 days;
        _accepts();
        _given.submitWindow = 30 days + 1;
        _refuses("submitWindow", 30 days + 1, 1, 30 days);
        _given.submitWindow = type(uint32).max;
        _refuses("submitWindow", type(uint32).max, 1, 30 days);
    }

    function test_When_TheDeliverWindowIsAtItsLimits() external {
        _given.deliverWindow = 0;
        _refuses("deliverWindow", 0, 1, 30 days);
        _given.deliverWindow = 30 days;
        _accepts();
        _given.deliverWindow = 30 days + 1;
        _refuses("deliverWindow", 30 days + 1, 1, 30 days);
    }

    function test_When_TheSettleWindowIsAtItsLimits() external {
        _given.settleWindow = 0;
        _refuses("settleWindow", 0, 1, 30 days);
        _given.settleWindow = 30 days;
        _accepts();
        _given.settleWindow = 30 days + 1;
        _refuses("settleWindow", 30 days + 1, 1, 30 days);
    }

    function test_When_TheChallengeWindowIsAtItsLimits() external {
        _given.challengeWindow = 0;
        _refuses("challengeWindow", 0, 1, 1600);
        _given.challengeWindow = 1600;
        _accepts();
        _given.challengeWindow = 1601;
        _refuses("challengeWindow", 1601, 1, 1600);
        (_given.submitWindow, _given.deliverWindow) = (30 days, 30 days);
        _given.challengeWindow = 30 days;
        _accepts();
        _given.challengeWindow = 30 days + 1;
        _refuses("challengeWindow", 30 days + 1, 1, 30 days);
    }

    function test_When_TheStartDeadlineIsAtItsLimits() external {
        _given.startDeadline = uint40(START);
        _refuses("startDeadline", START, START + 1, START + 365 days);
        _given.startDeadline = uint40(START + 1);
        _accepts();
        _given.startDeadline = uint40(START + 365 days);
        _accepts();
        _given.startDeadline = uint40(START + 365 days + 1);
        _refuses("startDeadline", START + 365 days + 1, START + 1, START + 365 days);
        _given.startDeadline = type(uint40).max;
        _refuses("startDeadline", type(uint40).max, START + 1, START + 365 days);
    }

    function test_When_TheMinimumOfTrainersIsAtItsLimits() external {
        _given.minTrainers = 4;
        _refuses("minTrainers", 4, 5, 128);
        _given.maxTrainers = 128;
        _given.minTrainers = 128;
        _accepts();
        _given.minTrainers = 129;
        _refuses("minTrainers", 129, 5, 128);
    }

    function test_When_TheToleratedAreAtTheirLimits() external {
        _given.tolerated = 0;
        _given.minTrainers = 2;
        _refuses("minTrainers", 2, 3, 128);
        _given.minTrainers = 3;
        _accepts();
        _given.maxTrainers = 128;
        _given.minTrainers = 128;
        _given.tolerated = 62;
        _accepts();
        _given.tolerated = 63;
        _refuses("minTrainers", 128, 129, 128);
        // 2 * 255 + 3 does not fit the 8 bits of the field.
        _given.tolerated = 255;
        _refuses("minTrainers", 128, 513, 128);
    }

    function test_When_TheMaximumOfTrainersIsAtItsLimits() external {
        _given.maxTrainers = 4;
        _refuses("maxTrainers", 4, 5, 128);
        _given.maxTrainers = 5;
        _accepts();
        _given.maxTrainers = 128;
        _accepts();
        _given.maxTrainers = 129;
        _refuses("maxTrainers", 129, 5, 128);
        _given.maxTrainers = 255;
        _refuses("maxTrainers", 255, 5, 128);
    }

    function test_When_TheDimensionIsAtItsLimits() external {
        _given.dimension = 0;
        _refuses("dimension", 0, 1, 2 ** 32);
        _given.dimension = 2 ** 32;
        _accepts();
        _given.dimension = 2 ** 32 + 1;
        _refuses("dimension", 2 ** 32 + 1, 1, 2 ** 32);
        _given.dimension = type(uint40).max;
        _refuses("dimension", type(uint40).max, 1, 2 ** 32);
    }

    function test_When_TheCoordinateBitsAreAtTheirLimits() external {
        _given.coordinateBits = 1;
        _refuses("coordinateBits", 1, 2, 16);
        _given.coordinateBits = 2;
        _accepts();
        _given.coordinateBits = 16;
        _accepts();
        _given.coordinateBits = 17;
        _refuses("coordinateBits", 17, 2, 16);
    }

    function test_When_TheScaleExponentIsAtItsLimits() external {
        _given.scaleExponent = 0;
        _accepts();
        _given.scaleExponent = 48;
        _accepts();
        _given.scaleExponent = 49;
        _refuses("scaleExponent", 49, 0, 48);
    }

    function test_When_TheDepositIsAtItsLimit() external {
        _given.rounds = 4;
        _given.rewardPerRound = uint96(MAX / 4 - 1009 - 503);
        _given.penalty = uint96(MAX / 2);
        _given.bond = uint96(MAX);
        vm.assertEq(_check.check(_given), MAX, "deposit");
        _given.aggregatorFeePerRound += 1;
        _refuses("deposit", MAX + 4, 1, MAX);
        _given.aggregatorFeePerRound = type(uint96).max;
        _refuses("deposit", MAX - 4 * 1009 + 4 * uint256(type(uint96).max), 1, MAX);
    }

    function _accepts() private view {
        _check.check(_given);
    }

    function _refuses(bytes32 term, uint256 value, uint256 minimum, uint256 maximum) private {
        Terms memory terms = _given;
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Market_TermOutOfRange.selector, term, value, minimum, maximum)
        );
        _check.check(terms);
    }
}
