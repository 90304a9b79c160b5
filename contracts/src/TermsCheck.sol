// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Terms} from "./Types.sol";
import {Errors} from "./libraries/Errors.sol";
import {RewardSchedule} from "./libraries/RewardSchedule.sol";

/// @title TermsCheck
/// @notice The ranges of a job's terms. A contract of its own, without state, so that a page can ask it before the owner
/// pays for a transaction.
contract TermsCheck {
    /// @dev Deposit, bond and stake are each at most 2^94, so that everything one trainer can be credited in a job fits
    /// the 96 bits of its slot.
    uint256 internal constant MAX_AMOUNT = 2 ** 94;
    uint256 internal constant MAX_WINDOW = 30 days;
    uint256 internal constant MAX_TIME_TO_START = 365 days;
    uint256 internal constant MAX_ROUNDS = 10_000;
    uint256 internal constant MAX_DIMENSION = 2 ** 32;
    uint256 internal constant MAX_SCALE_EXPONENT = 48;
    /// @dev The largest number of trainers whose worst-case settlement stays under 2^24 gas.
    uint256 internal constant MAX_TRAINERS = 128;
    uint256 internal constant MAX_REFERENCES = 9;

    /// @notice Reverts unless every term lies in its range.
    /// @return deposit What the owner has to escrow.
    function check(Terms memory terms) public view returns (uint256 deposit) {
        _range("aggregator", uint160(terms.aggregator), 1, type(uint160).max);
        _checkAmounts(terms);
        _checkTimes(terms);
        _checkTrainers(terms);
        _range("dimension", terms.dimension, 1, MAX_DIMENSION);
        _range("coordinateBits", terms.coordinateBits, 2, 16);
        _range("scaleExponent", terms.scaleExponent, 0, MAX_SCALE_EXPONENT);
        deposit = uint256(terms.rounds)
            * (uint256(terms.rewardPerRound) + terms.aggregatorFeePerRound + terms.refereeFeePerRound);
        _range("deposit", deposit, 1, MAX_AMOUNT);
    }

    /// @notice Also reverts unless these are ABI-encoded terms, each value of its type.
    /// @return deposit What the owner has to escrow.
    function checkEncoded(bytes calldata encoded) external view returns (uint256 deposit) {
        return check(abi.decode(encoded, (Terms)));
    }

    function _checkAmounts(Terms memory terms) private pure {
        _range("rewardPerRound", terms.rewardPerRound, 1, MAX_AMOUNT);
        _range("rewardDecay", terms.rewardDecay, 0, RewardSchedule.MAX_DECAY);
        // A skipped settlement must cost the aggregator a tenth more than the largest reward of a round; rounded up.
        uint256 largest = RewardSchedule.rewardDown(terms.rewardPerRound, terms.rewardDecay, terms.rounds, 0);
        _range("penalty", terms.penalty, (largest * 11 + 9) / 10, MAX_AMOUNT);
        _range("bond", terms.bond, 2 * uint256(terms.penalty), MAX_AMOUNT);
        _range("stake", terms.stake, 0, MAX_AMOUNT);
        _range("absencePenalty", terms.absencePenalty, 0, terms.stake / 10);
        bool hasReferee = terms.referee != address(0);
        _range("refereeFeePerRound", terms.refereeFeePerRound, 0, hasReferee ? MAX_AMOUNT : 0);
        _range("references", terms.references, hasReferee ? 1 : 0, hasReferee ? MAX_REFERENCES : 0);
    }

    function _checkTimes(Terms memory terms) private view {
        _range("rounds", terms.rounds, 1, MAX_ROUNDS);
        _range("submitWindow", terms.submitWindow, 1, MAX_WINDOW);
        _range("deliverWindow", terms.deliverWindow, 1, MAX_WINDOW);
        _range("settleWindow", terms.settleWindow, 1, MAX_WINDOW);
        uint256 longest = uint256(terms.submitWindow) + terms.deliverWindow;
        _range("challengeWindow", terms.challengeWindow, 1, longest < MAX_WINDOW ? longest : MAX_WINDOW);
        _range("startDeadline", terms.startDeadline, block.timestamp + 1, block.timestamp + MAX_TIME_TO_START);
    }

    function _checkTrainers(Terms memory terms) private pure {
        _range("minTrainers", terms.minTrainers, 2 * uint256(terms.tolerated) + 3, MAX_TRAINERS);
        _range("maxTrainers", terms.maxTrainers, terms.minTrainers, MAX_TRAINERS);
    }

    function _range(bytes32 term, uint256 value, uint256 minimum, uint256 maximum) private pure {
        require(
            value >= minimum && value <= maximum, Errors.Market_TermOutOfRange(term, value, minimum, maximum)
        );
    }
}
