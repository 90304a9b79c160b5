// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Case, RoundJudge, Verdict} from "../../src/RoundJudge.sol";
import {IRoundVerifier, Step} from "../../src/interfaces/IRoundVerifier.sol";
import {IRule} from "../../src/interfaces/IRule.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";
import {Answering, GasBurning} from "../mocks/Answering.sol";

contract RoundJudgeTest is Base {
    int256 private constant LIMIT = 2 ** 200;

    RoundJudge private _judge;
    uint256[] private _weights;
    int256[] private _contributions;

    function setUp() public override {
        super.setUp();
        _judge = market.judge();
    }

    function test_RevertWhen_TheMatrixHasAnotherSize() external {
        Case memory round = _case(4);
        round.gram = _gram(6);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_WrongLength.selector, bytes32("gram"), 168, 120));
        _judge.judge(round);
    }

    function test_RevertWhen_AnInnerProductIsOutOfRange() external {
        Case memory round = _case(4);
        // Of five rows, entry (3, 4) is the last but one.
        for (uint256 k = 0; k < 7; ++k) {
            round.gram[13 * 8 + k] = 0xff;
        }
        round.gram[13 * 8 + 7] = 0xfe;
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_InnerProductOutOfRange.selector, 3, 4, -2));
        _judge.judge(round);
        round.gram[13 * 8 + 7] = 0xff;
        _judge.judge(round);
    }

    function test_RevertWhen_ANormIsNegativeOrTooLarge() external {
        Case memory round = _case(4);
        round.gram[14 * 8 + 7] = 0x02;
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NormOutOfRange.selector, 4, 2, 1));
        _judge.judge(round);
        round.gram[14 * 8] = 0x80;
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Market_NormOutOfRange.selector, 4, type(int64).min + 2, 1)
        );
        _judge.judge(round);
    }

    function test_RevertWhen_TheVerifierSaysNo() external {
        _judge = _judgeOf(new Answering(abi.encode(false), false));
        Case memory round = _case(4);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_ProofRejected.selector, round.context));
        _judge.judge(round);
    }

    function test_RevertWhen_TheProofOfAVoidRoundIsRefused() external {
        // Nobody is kept, so that the verifier is asked about the matrix alone.
        rule.set(new uint256[](4), new int256[](4));
        _judge = _judgeOf(new Answering(abi.encode(false), false));
        Case memory round = _case(4);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_ProofRejected.selector, round.context));
        _judge.judge(round);
    }

    function test_RevertWhen_TheVerifierReverts() external {
        bytes memory reason = abi.encodeWithSelector(Errors.Market_ZeroKey.selector);
        _judge = _judgeOf(new Answering(reason, true));
        vm.expectRevert(reason);
        _judge.judge(_case(4));
    }

    function test_RevertWhen_TheVerifierReturnsNothing() external {
        _judge = _judgeOf(new Answering("", false));
        vm.expectRevert(bytes(""));
        _judge.judge(_case(4));
    }

    function test_RevertWhen_TheVerifierReturnsTwo() external {
        _judge = _judgeOf(new Answering(abi.encode(uint256(2)), false));
        vm.expectRevert(bytes(""));
        _judge.judge(_case(4));
    }

    function test_RevertWhen_TheVerifierHasNoCode() external {
        Answering verifier = new Answering("", false);
        _judge = _judgeOf(verifier);
        vm.etch(address(verifier), "");
        vm.expectRevert(bytes(""));
        _judge.judge(_case(4));
    }

    function test_RevertWhen_TheRuleHasNoCode() external {
        _refusesRule(stranger);
    }

    function test_RevertWhen_TheRuleReturnsNothing() external {
        _refusesRule(address(new Answering("", false)));
    }

    function test_RevertWhen_TheRuleReturnsPointersBeyondItsAnswer() external {
        _refusesRule(address(new Answering(abi.encode(uint256(2 ** 40), uint256(64)), false)));
        _refusesRule(address(new Answering(abi.encode(type(uint256).max, type(uint256).max), false)));
    }

    function test_RevertWhen_TheRuleClaimsAGiantArray() external {
        _refusesRule(address(new Answering(abi.encode(uint256(64), uint256(64), type(uint256).max), false)));
    }

    function test_RevertWhen_TheRuleReverts() external {
        Case memory round = _case(4);
        bytes memory reason = abi.encodeWithSelector(Errors.Market_ZeroKey.selector);
        round.rule = IRule(address(new Answering(reason, true)));
        vm.expectRevert(reason);
        _judge.judge(round);
    }

    function test_RevertWhen_TheRuleBurnsAllGas() external {
        Case memory round = _case(4);
        round.rule = IRule(address(new GasBurning()));
        vm.expectRevert(bytes(""));
        _judge.judge{gas: 1_000_000}(round);
    }

    function test_RevertWhen_AWeightIsMissing() external {
        _answer(3, 4);
        _misbehaves();
    }

    function test_RevertWhen_AContributionIsMissing() external {
        _answer(4, 3);
        _misbehaves();
    }

    function test_RevertWhen_BothArraysAreTooLong() external {
        _answer(5, 5);
        _misbehaves();
    }

    function test_RevertWhen_BothArraysAreEmpty() external {
        _answer(0, 0);
        _misbehaves();
    }

    function test_RevertWhen_TheWeightsSumToMore() external {
        _answer(4, 4);
        for (uint256 i = 0; i < 4; ++i) {
            _weights[i] = 2 ** 14;
        }
        _weights[2] += 1;
        _misbehaves();
    }

    function test_RevertWhen_OneWeightIsMore() external {
        _answer(4, 4);
        _weights[3] = 2 ** 16 + 1;
        _misbehaves();
        _weights[3] = type(uint256).max;
        _misbehaves();
    }

    function test_RevertWhen_WeightsWrapAround() external {
        _answer(4, 4);
        _weights[0] = 2 ** 255;
        _weights[1] = 2 ** 255;
        _misbehaves();
    }

    function test_RevertWhen_AContributionIsAtTheUpperLimit() external {
        _answer(4, 4);
        _contributions[1] = LIMIT;
        _misbehaves();
        _contributions[1] = type(int256).max;
        _misbehaves();
    }

    function test_RevertWhen_AContributionIsAtTheLowerLimit() external {
        _answer(4, 4);
        _contributions[1] = -LIMIT;
        _misbehaves();
        _contributions[1] = type(int256).min;
        _misbehaves();
    }

    function test_RevertWhen_SomebodyContributesWithoutWeight() external {
        _answer(4, 4);
        _weights[0] = 0;
        _misbehaves();
        _contributions[0] = -1;
        _misbehaves();
    }

    function test_When_TheWeightsSumToTheLimit() external {
        _answer(4, 4);
        for (uint256 i = 0; i < 4; ++i) {
            _weights[i] = 2 ** 14;
        }
        Verdict memory verdict = _ask();
        vm.assertEq(verdict.paid, 10_004, "paid, a multiple of four");
    }

    function test_When_ContributionsAreJustWithinTheLimits() external {
        _answer(4, 4);
        _contributions[0] = LIMIT - 1;
        _contributions[1] = LIMIT - 1;
        _contributions[2] = 1 - LIMIT;
        Verdict memory verdict = _ask();
        vm.assertEq(verdict.payouts[0], 5003, "half the reward, rounded down");
        vm.assertEq(verdict.payouts[3], 0, "one of 2^201");
        vm.assertEq(verdict.paid, 10_006, "paid");
        vm.assertEq(verdict.harmful, 4, "the harmful one");
    }

    function test_When_NobodyIsKept() external {
        _answer(4, 4);
        delete _weights;
        delete _contributions;
        for (uint256 i = 0; i < 4; ++i) {
            _weights.push(0);
            _contributions.push(0);
        }
        _assertVoid(_ask());
    }

    function test_When_TwoAreKept() external {
        _answer(4, 4);
        for (uint256 i = 0; i < 2; ++i) {
            _weights[i] = 0;
            _contributions[i] = 0;
        }
        _assertVoid(_ask());
    }

    function test_When_ThreeAreKept() external {
        _answer(4, 4);
        _weights[0] = 0;
        _contributions[0] = 0;
        Verdict memory verdict = _ask();
        vm.assertEq(verdict.payouts[0], 0, "pay of the one dropped");
        vm.assertEq(verdict.payouts[1], 3335, "pay of each other");
        vm.assertTrue(verdict.settled, "settled");
    }

    function test_When_ARoundIsSettled() external {
        _answer(4, 4);
        _weights[1] = 7;
        Case memory round = _case(4);
        Step memory step = Step(_weights, _model(0), _model(1));
        vm.expectCall(
            address(market.verifier()),
            abi.encodeCall(
                IRoundVerifier.verifyStep, (round.context, round.commitments, round.gram, round.proof, step)
            ),
            1
        );
        vm.assertTrue(_ask().settled, "settled");
    }

    function test_When_ARoundIsVoid() external {
        rule.set(new uint256[](4), new int256[](4));
        Case memory round = _case(4);
        vm.expectCall(
            address(market.verifier()),
            abi.encodeCall(
                IRoundVerifier.verify, (round.context, round.commitments, round.gram, round.proof)
            ),
            1
        );
        _assertVoid(_judge.judge(round));
    }

    function test_When_NobodyContributed() external {
        _answer(4, 4);
        for (uint256 i = 0; i < 4; ++i) {
            _contributions[i] = -int256(i);
        }
        Verdict memory verdict = _ask();
        vm.assertEq(verdict.paid, 0, "paid");
        vm.assertEq(verdict.harmful, 0, "with no positive sum nobody is harmful");
        vm.assertEq(verdict.payouts.length, 4, "payouts");
        vm.assertTrue(verdict.settled, "settled");
    }

    function test_Given_ToleranceZero() external {
        _answer(4, 4);
        (_contributions[0], _contributions[1]) = (-1, 0);
        Case memory round = _case(4);
        round.strikeToleranceBps = 0;
        rule.set(_weights, _contributions);
        vm.assertEq(_judge.judge(round).harmful, 1, "a contribution of zero is not harmful");
    }

    function test_Given_NoReference() external {
        _answer(4, 4);
        _contributions[0] = -1000;
        Case memory round = _case(4);
        round.references = 0;
        round.gram = _gram(4);
        rule.set(_weights, _contributions);
        vm.assertEq(_judge.judge(round).harmful, 0, "harmful");
    }

    function test_When_TheRuleIgnoresTheReference() external {
        _answer(4, 4);
        _contributions[0] = -1000;
        rule.setIgnoresReference(true);
        Verdict memory verdict = _ask();
        vm.assertEq(verdict.harmful, 0, "harmful");
        vm.assertGt(verdict.paid, 0, "the others are paid all the same");
    }

    function testFuzz_When_AnyContributionsAreScored(int256[5] calldata contributions, uint96 reward)
        external
    {
        _answer(5, 5);
        for (uint256 i = 0; i < 5; ++i) {
            _contributions[i] = contributions[i] % LIMIT;
        }
        Case memory round = _case(5);
        round.reward = reward;
        rule.set(_weights, _contributions);
        Verdict memory verdict = _judge.judge(round);
        uint256 sum = 0;
        bool somebody = false;
        for (uint256 i = 0; i < 5; ++i) {
            sum += verdict.payouts[i];
            if (_contributions[i] <= 0) vm.assertEq(verdict.payouts[i], 0, "pay for nothing");
            else somebody = true;
        }
        vm.assertEq(sum, verdict.paid, "the sum of the payouts");
        vm.assertLe(sum, reward, "never more than the reward");
        if (somebody) vm.assertLt(reward - sum, 5, "dust");
    }

    /// @dev Answers with as many weights of 100 and contributions of 7.
    function _answer(uint256 weights, uint256 contributions) private {
        for (uint256 i = 0; i < weights; ++i) {
            _weights.push(100);
        }
        for (uint256 i = 0; i < contributions; ++i) {
            _contributions.push(7);
        }
    }

    /// @dev The judge of a market with another verifier.
    function _judgeOf(Answering verifier) private returns (RoundJudge) {
        return _deploy(IRoundVerifier(address(verifier)), address(rule)).judge();
    }

    function _case(uint256 count) private view returns (Case memory round) {
        round.rule = IRule(address(rule));
        round.trainers = count;
        round.references = 1;
        round.tolerated = 0;
        round.maximumNorm = 1;
        round.reward = 10_007;
        round.strikeToleranceBps = 100;
        round.context = keccak256("context");
        round.commitments = "commitments";
        round.gram = _gram(count + 1);
        round.proof = "proof";
        round.modelCommitment = _model(0);
        round.newModelCommitment = _model(1);
    }

    function _ask() private returns (Verdict memory) {
        rule.set(_weights, _contributions);
        return _judge.judge(_case(4));
    }

    function _misbehaves() private {
        rule.set(_weights, _contributions);
        Case memory round = _case(4);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_RuleMisbehaved.selector, address(rule)));
        _judge.judge(round);
    }

    function _refusesRule(address bad) private {
        Case memory round = _case(4);
        round.rule = IRule(bad);
        vm.expectRevert();
        _judge.judge(round);
    }

    function _assertVoid(Verdict memory verdict) private pure {
        vm.assertEq(verdict.payouts.length, 0, "payouts");
        vm.assertEq(verdict.paid, 0, "paid");
        vm.assertFalse(verdict.settled, "void");
    }
}
