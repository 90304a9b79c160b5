// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Trainer, TrainerStatus} from "../Types.sol";
import {SeatSet} from "./SeatSet.sol";

/// @title TrainerRecord
/// @notice A trainer's record as the one storage word that it is, for the two steps that a settlement takes with every
/// trainer. To read and write the members one by one takes several times the gas.
/// @dev Members lie from the lowest bits up in the order of `Trainer`, as Solidity packs them.
library TrainerRecord {
    uint256 private constant PENDING = 96;
    uint256 private constant PENDING_ROUND = 192;
    uint256 private constant RELEASE_ROUND = 208;
    uint256 private constant SEAT = 224;
    uint256 private constant STATUS = 240;

    /// @notice Reads a record.
    function load(Trainer storage trainer) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(trainer.slot)
        }
    }

    /// @notice Stores a record.
    function store(Trainer storage trainer, uint256 word) internal {
        assembly ("memory-safe") {
            sstore(trainer.slot, word)
        }
    }

    /// @notice The seat as a set if the trainer takes part in the round, else the empty set.
    ///
    /// @dev Whoever takes part is Staked, or Leaving when this round ends. A seat is taken again only when its last holder's
    /// part is over.
    ///
    /// @param round The current round.
    function seatIn(uint256 word, uint256 round) internal pure returns (uint128 seat) {
        uint256 status = word >> STATUS;
        bool leaves = status == uint256(TrainerStatus.Leaving) && uint16(word >> RELEASE_ROUND) == round;
        if (status == uint256(TrainerStatus.Staked) || leaves) seat = SeatSet.only(uint8(word >> SEAT));
    }

    /// @notice The record with a round's pay added. The pay of an earlier round is free by then, since a round settles only
    /// after the challenge window of the one before.
    /// @param round The round.
    /// @param pay Its pay; at most the round's reward, which has 96 bits.
    function withPay(uint256 word, uint256 round, uint256 pay) internal pure returns (uint256) {
        uint96 credit = uint96(word) + uint96(word >> PENDING);
        return (word >> RELEASE_ROUND) << RELEASE_ROUND | round << PENDING_ROUND | pay << PENDING | credit;
    }
}
