// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState, Terms} from "../../src/Types.sol";
import {ITrainingMarket} from "../../src/interfaces/ITrainingMarket.sol";
import {IRule} from "../../src/interfaces/IRule.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";
import {SettableRule} from "../mocks/SettableRule.sol";

contract CreateTest is Base {
    function test_RevertWhen_ATermIsOutOfRange() external {
        Terms memory terms = _terms();
        terms.rounds = 0;
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Market_TermOutOfRange.selector, bytes32("rounds"), 0, 1, 10_000)
        );
        market.create(terms, _specification());
    }

    function test_RevertWhen_AWordDoesNotFitItsType() external {
        bytes memory sound = abi.encodeCall(market.create, (_terms(), _specification()));
        vm.deal(owner, 27 * _deposit(_terms()));
        for (uint256 word = 0; word < 26; ++word) {
            bytes memory call = bytes.concat(sound);
            // The highest bit of a word belongs to no type but that of the last one, the allowlist's root.
            call[4 + 32 * word] ^= 0x80;
            vm.prank(owner);
            (bool created,) = address(market).call{value: _deposit(_terms())}(call);
            vm.assertFalse(created, string.concat("a word that does not fit: ", vm.toString(word)));
        }
        vm.prank(owner);
        (bool sane,) = address(market).call{value: _deposit(_terms())}(sound);
        vm.assertTrue(sane, "the words as they were");
    }

    function test_RevertWhen_TheRuleIsNotTheMarkets() external {
        Terms memory terms = _terms();
        address other = address(new SettableRule());
        terms.rule = IRule(other);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_UnknownRule.selector, other));
        market.create(terms, _specification());
    }

    function test_RevertWhen_TheTokenHasNoCode() external {
        Terms memory terms = _terms();
        terms.token = stranger;
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NoCode.selector, stranger));
        market.create(terms, _specification());
    }

    function test_RevertWhen_TheSpecificationCIDIsMalformed() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_MalformedCid.selector, bytes("no CID")));
        market.create(_terms(), "no CID");
    }

    function test_RevertWhen_TooLittleIsSent() external {
        _refusesValue(_terms(), _deposit(_terms()) - 1, _deposit(_terms()));
    }

    function test_RevertWhen_TooMuchIsSent() external {
        _refusesValue(_terms(), _deposit(_terms()) + 1, _deposit(_terms()));
    }

    function test_RevertWhen_CoinsAreSentForATokenJob() external {
        _refusesValue(_tokenTerms(), 1, 0);
    }

    function test_RevertWhen_TheTokenIsNotApproved() external {
        Terms memory terms = _tokenTerms();
        token.mint(owner, _deposit(terms));
        vm.expectRevert();
        vm.prank(owner);
        market.create(terms, _specification());
        vm.assertEq(market.jobCount(), 0, "no job was created");
    }

    function test_When_PaidInTheNativeCoin() external {
        _creates(_terms());
    }

    function test_When_PaidInAToken() external {
        _creates(_tokenTerms());
    }

    function test_When_AnotherJobIsCreated() external {
        vm.assertEq(_create(_terms()), 1, "the first number");
        vm.assertEq(_create(_terms()), 2, "the second number");
        vm.assertEq(market.jobCount(), 2, "jobs so far");
        vm.assertNotEq(market.joinDigest(1), market.joinDigest(2), "equal terms are different jobs");
    }

    function _refusesValue(Terms memory terms, uint256 sent, uint256 due) private {
        vm.deal(owner, sent);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_WrongValue.selector, sent, due));
        vm.prank(owner);
        market.create{value: sent}(terms, _specification());
        vm.assertEq(market.jobCount(), 0, "no job was created");
    }

    function _creates(Terms memory terms) private {
        uint256 deposit = _deposit(terms);
        uint256 value = _fund(terms.token, owner, deposit);
        vm.expectEmit(address(market));
        emit ITrainingMarket.JobCreated(1, owner, aggregator, terms, _specification());
        vm.prank(owner);
        uint256 jobId = market.create{value: value}(terms, _specification());

        Books memory expected;
        expected.balance = new uint256[](TRAINER + TRAINERS);
        expected.withdrawable = new uint256[](TRAINER + TRAINERS);
        expected.market = deposit;
        expected.ledger.escrow = uint128(deposit);
        _assertBooks(jobId, expected);
        _assertState(jobId, JobState.Open);
        _assertIdentity(jobId, terms);
    }

    function _assertIdentity(uint256 jobId, Terms memory terms) private view {
        (address jobOwner, bytes32 specification, bytes32 key, bytes32 nextKey, bytes32 model) =
            market.identityOf(jobId);
        vm.assertEq(jobOwner, owner, "owner");
        vm.assertEq(specification, keccak256(_specification()), "specification");
        vm.assertEq(key, 0, "key");
        vm.assertEq(nextKey, 0, "next key");
        vm.assertEq(model, keccak256(_model(0)), "model");
        bytes32 identity =
            keccak256(abi.encode(block.chainid, address(market), jobId, owner, terms, specification));
        vm.assertEq(market.joinDigest(jobId), keccak256(abi.encode(identity, bytes32(0))), "join digest");
        vm.assertEq(abi.encode(market.termsOf(jobId)), abi.encode(terms), "terms");
    }
}
