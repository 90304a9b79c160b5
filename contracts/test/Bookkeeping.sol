// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Ledger} from "../src/Types.sol";
import {Parties} from "./Parties.sol";
import {PlainToken} from "./mocks/Tokens.sol";

/// @notice All the money around a job, to be compared as a whole.
abstract contract Bookkeeping is Parties {
    /// @dev Indices of the parties in `Books`: trainer i is TRAINER + i.
    uint256 internal constant OWNER = 0;
    uint256 internal constant AGGREGATOR = 1;
    uint256 internal constant REFEREE = 2;
    uint256 internal constant STRANGER = 3;
    uint256 internal constant BURNED = 4;
    uint256 internal constant TRAINER = 5;

    /// @dev All the money that a job can see: balances in its token, what its parties could withdraw, and its ledger.
    struct Books {
        uint256 market;
        uint256[] balance;
        uint256[] withdrawable;
        Ledger ledger;
    }

    /// @dev A party's account by its index.
    function _party(uint256 index) internal view returns (address) {
        if (index == OWNER) return owner;
        if (index == AGGREGATOR) return aggregator;
        if (index == REFEREE) return referee;
        if (index == STRANGER) return stranger;
        if (index == BURNED) return BURN;
        return trainers[index - TRAINER];
    }

    function _balance(address tokenAddress, address account) internal view returns (uint256) {
        return tokenAddress == address(0) ? account.balance : PlainToken(tokenAddress).balanceOf(account);
    }

    /// @dev All the money around a job.
    function _books(uint256 jobId) internal view returns (Books memory books) {
        address tokenAddress = market.termsOf(jobId).token;
        books.market = _balance(tokenAddress, address(market));
        books.ledger = market.ledgerOf(jobId);
        books.balance = new uint256[](TRAINER + TRAINERS);
        books.withdrawable = new uint256[](TRAINER + TRAINERS);
        for (uint256 i = 0; i < TRAINER + TRAINERS; ++i) {
            books.balance[i] = _balance(tokenAddress, _party(i));
            books.withdrawable[i] = market.withdrawable(jobId, _party(i));
        }
    }

    /// @dev Asserts that the money around a job is exactly where it is expected.
    function _assertBooks(uint256 jobId, Books memory expected) internal view {
        Books memory actual = _books(jobId);
        vm.assertEq(actual.market, expected.market, "the market's balance");
        vm.assertEq(actual.ledger.escrow, expected.ledger.escrow, "the job's escrow");
        vm.assertEq(actual.ledger.bond, expected.ledger.bond, "the job's bond");
        vm.assertEq(actual.ledger.burned, expected.ledger.burned, "the job's slashed money");
        for (uint256 i = 0; i < TRAINER + TRAINERS; ++i) {
            string memory name = _name(i);
            vm.assertEq(actual.balance[i], expected.balance[i], string.concat("balance of ", name));
            vm.assertEq(
                actual.withdrawable[i], expected.withdrawable[i], string.concat("withdrawable of ", name)
            );
        }
    }

    function _name(uint256 index) private pure returns (string memory) {
        string[5] memory names =
            ["the owner", "the aggregator", "the referee", "a stranger", "the burn address"];
        if (index < TRAINER) return names[index];
        return string.concat("trainer ", vm.toString(index - TRAINER));
    }
}
