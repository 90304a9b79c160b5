// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Terms} from "../../../src/Types.sol";
import {Base} from "../../Base.sol";
import {Wallet} from "../../mocks/Wallets.sol";

contract ContractWalletsTest is Base {
    /// @dev Every party but the stranger is a contract.
    function setUp() public override {
        super.setUp();
        owner = address(new Wallet());
        aggregator = address(new Wallet());
        referee = address(new Wallet());
        for (uint256 i = 0; i < TRAINERS; ++i) {
            trainers[i] = address(new Wallet());
        }
        trainers = _ascending(trainers);
    }

    function test_EveryPartyCanBeAContract() external {
        _plays(_terms());
    }

    function test_EveryPartyCanBeAContractInAToken() external {
        _plays(_tokenTerms());
    }

    function test_TheAccountThatSendsTheTransactionHasNoSay() external {
        // A party that calls a stranger's contract in a transaction of its own lends it nothing.
        uint256 jobId = _running(_terms(), 5);
        vm.prank(stranger, trainers[0]);
        (bool done,) = address(market).call(abi.encodeCall(market.leaveJob, (jobId)));
        vm.assertFalse(done, "leaving for the origin");
        vm.prank(stranger, owner);
        (done,) = address(market).call(abi.encodeCall(market.abort, (jobId)));
        vm.assertFalse(done, "aborting for the origin");
        vm.prank(trainers[0], stranger);
        market.leaveJob(jobId);
    }

    function _plays(Terms memory terms) private {
        uint256 jobId = _running(terms, 5);
        for (uint256 i = 0; i < 3; ++i) {
            _round(jobId);
        }
        _passChallenge(jobId);
        market.complete(jobId);
        vm.assertEq(_withdraw(jobId, owner), _deposit(terms) - 3 * (10_005 + 1512), "owner");
        vm.assertEq(_withdraw(jobId, aggregator), 3 * 1009 + 22_019, "aggregator");
        vm.assertEq(_withdraw(jobId, referee), 3 * 503, "referee");
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(_withdraw(jobId, trainers[i]), 3 * 2001 + 2003, "trainer");
        }
    }
}
