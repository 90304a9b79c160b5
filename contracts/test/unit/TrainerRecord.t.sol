// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Trainer, TrainerStatus} from "../../src/Types.sol";
import {TrainerRecord} from "../../src/libraries/TrainerRecord.sol";
import {Vm} from "../Vm.sol";

contract TrainerRecordTest {
    using TrainerRecord for Trainer;
    using TrainerRecord for uint256;

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    Trainer private _record;
    Trainer private _other;

    function testFuzz_When_ARecordIsCopied(uint96 credit, uint96 pending, uint64 rest) external {
        Trainer memory trainer = _trainer(credit, pending, rest);
        _record = trainer;
        _other.store(_record.load());
        _assertEqual(_other, trainer);
    }

    function testFuzz_When_PayIsAdded(uint96 credit, uint96 pending, uint64 rest, uint16 round, uint96 pay)
        external
    {
        Trainer memory trainer = _trainer(credit / 2, pending / 2, rest);
        _record = trainer;
        _record.store(_record.load().withPay(round, pay));
        trainer.credit += trainer.pending;
        (trainer.pending, trainer.pendingRound) = (pay, round);
        _assertEqual(_record, trainer);
    }

    function test_RevertWhen_EarlierPayLeavesTheCreditsWidth() external {
        _record = _trainer(type(uint96).max - 6, 6, 0);
        vm.assertEq(uint96(this.addPay(1, 5)), type(uint96).max, "the most");
        _record = _trainer(type(uint96).max - 6, 7, 0);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        this.addPay(1, 5);
    }

    function test_When_AnAccountNeverJoined() external view {
        vm.assertEq(_record.load().seatIn(0), 0, "takes part in nothing");
    }

    function test_Given_TheTrainerIsStaked() external {
        (_record.status, _record.seat, _record.releaseRound) = (TrainerStatus.Staked, 127, 3);
        vm.assertEq(_record.load().seatIn(5), 2 ** 127, "any round");
        _record.seat = 0;
        vm.assertEq(_record.load().seatIn(3), 1, "the first seat");
    }

    function test_Given_TheTrainerLeaves() external {
        (_record.status, _record.seat, _record.releaseRound) = (TrainerStatus.Leaving, 4, 3);
        uint256 word = _record.load();
        vm.assertEq(word.seatIn(3), 16, "its last round");
        vm.assertEq(word.seatIn(2), 0, "an earlier round");
        vm.assertEq(word.seatIn(4), 0, "the round after");
    }

    function test_Given_TheTrainerTakesNoPart() external {
        TrainerStatus[3] memory statuses = [TrainerStatus.None, TrainerStatus.Absent, TrainerStatus.Out];
        for (uint256 i = 0; i < 3; ++i) {
            (_record.status, _record.seat, _record.releaseRound) = (statuses[i], 4, 3);
            vm.assertEq(_record.load().seatIn(3), 0, "no seat");
        }
    }

    function testFuzz_When_AnyRecordIsAskedForItsSeat(
        uint96 credit,
        uint96 pending,
        uint64 rest,
        uint16 round
    ) external {
        Trainer memory trainer = _trainer(credit, pending, rest);
        if (rest >> 63 == 0) trainer.releaseRound = round;
        trainer.seat %= 128;
        _record = trainer;
        bool leaves = trainer.status == TrainerStatus.Leaving && trainer.releaseRound == round;
        bool takesPart = trainer.status == TrainerStatus.Staked || leaves;
        vm.assertEq(_record.load().seatIn(round), takesPart ? 1 << trainer.seat : 0, "the seat");
    }

    function addPay(uint256 round, uint256 pay) external view returns (uint256) {
        return _record.load().withPay(round, pay);
    }

    function _trainer(uint96 credit, uint96 pending, uint64 rest) private pure returns (Trainer memory) {
        return Trainer({
            credit: credit,
            pending: pending,
            pendingRound: uint16(rest),
            releaseRound: uint16(rest >> 16),
            seat: uint8(rest >> 32),
            strikes: uint8(rest >> 40),
            status: TrainerStatus((rest >> 48) % 5)
        });
    }

    function _assertEqual(Trainer storage found, Trainer memory expected) private pure {
        Trainer memory copy = found;
        vm.assertEq(abi.encode(copy), abi.encode(expected), "the record");
    }
}
