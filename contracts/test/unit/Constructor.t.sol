// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRoundVerifier} from "../../src/interfaces/IRoundVerifier.sol";
import {IRule} from "../../src/interfaces/IRule.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";
import {SettableRule} from "../mocks/SettableRule.sol";

contract ConstructorTest is Base {
    function test_RevertWhen_TheVerifierHasNoCode() external {
        IRule[] memory rules = _rules(1);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NoCode.selector, stranger));
        _deploy(IRoundVerifier(stranger), rules);
    }

    function test_RevertWhen_ThereIsNoRule() external {
        IRoundVerifier verifier = market.verifier();
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NoRules.selector));
        _deploy(verifier, new IRule[](0));
    }

    function test_RevertWhen_ARuleHasNoCode() external {
        IRoundVerifier verifier = market.verifier();
        IRule[] memory rules = _rules(3);
        rules[2] = IRule(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NoCode.selector, stranger));
        _deploy(verifier, rules);
    }

    function test_When_ThereAreSeveralRules() external {
        IRule[] memory rules = _rules(2);
        market = _deploy(market.verifier(), rules);
        vm.assertEq(abi.encode(market.rules()), abi.encode(rules), "rules");
        for (uint256 i = 0; i < 2; ++i) {
            rule = SettableRule(address(rules[i]));
            vm.assertEq(_create(_terms()), i + 1, "a job under each rule");
        }
    }

    function _rules(uint256 count) private returns (IRule[] memory rules) {
        rules = new IRule[](count);
        for (uint256 i = 0; i < count; ++i) {
            rules[i] = IRule(address(new SettableRule()));
        }
    }
}
