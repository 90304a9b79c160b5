// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Terms} from "../../../src/Types.sol";
import {Base} from "../../Base.sol";

contract ForcedMoneyTest is Base {
    function test_TheMarketTakesNoUnaskedCoins() external {
        vm.deal(stranger, 1 ether);
        vm.prank(stranger);
        (bool taken,) = address(market).call{value: 1}("");
        vm.assertFalse(taken, "a plain transfer");
        vm.prank(stranger);
        (taken,) = address(market).call{value: 1}(abi.encodeCall(market.start, (1)));
        vm.assertFalse(taken, "coins for a function that takes none");
    }

    function test_ForcedCoinsChangeNoEntitlement() external {
        _changesNothing(_terms());
    }

    function test_StrayTokensChangeNoEntitlement() external {
        _changesNothing(_tokenTerms());
    }

    /// @dev Plays a job with money forced in between all its steps.
    function _changesNothing(Terms memory terms) private {
        uint256 forced = 0;
        uint256 jobId = _create(terms);
        forced += _force();
        _accept(jobId);
        for (uint256 i = 0; i < 5; ++i) {
            forced += _force();
            _join(jobId, trainers[i]);
        }
        market.start(jobId);
        for (uint256 i = 0; i < 3; ++i) {
            forced += _force();
            _round(jobId);
        }
        _passChallenge(jobId);
        market.complete(jobId);
        forced += _force();
        vm.assertEq(_withdraw(jobId, owner), _deposit(terms) - 3 * (10_005 + 1009 + 503), "owner");
        vm.assertEq(_withdraw(jobId, aggregator), 3 * 1009 + 22_019, "aggregator");
        vm.assertEq(_withdraw(jobId, referee), 3 * 503, "referee");
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(_withdraw(jobId, trainers[i]), 3 * 2001 + 2003, "trainer");
        }
        vm.assertEq(_balance(terms.token, address(market)), forced, "what was forced in stays, nobody's");
    }

    function _force() private returns (uint256 amount) {
        amount = 777;
        vm.deal(address(this), amount);
        // PUSH20 market, SELFDESTRUCT: a constructor that leaves its coins to an account that can't refuse them.
        bytes memory code = abi.encodePacked(hex"73", address(market), hex"ff");
        assembly ("memory-safe") {
            pop(create(amount, add(code, 32), mload(code)))
        }
        token.mint(address(market), amount);
    }
}
