// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Exclusion, Reason, Settlement} from "../../src/Types.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {Base} from "../Base.sol";

contract SettleExclusionsTest is Base {
    function test_RevertWhen_ExclusionsAreNotAscending() external {
        uint256 jobId = _submitted(7);
        Exclusion[] memory list = _exclude(Reason.Mismatch, _first(2));
        (list[0], list[1]) = (list[1], list[0]);
        _refuses(
            _settlement(jobId, list),
            abi.encodeWithSelector(Errors.Market_NotAscending.selector, 1, trainers[1], trainers[0])
        );
    }

    function test_RevertWhen_AnExcludedAccountDidNotSubmit() external {
        uint256 jobId = _submitted(5);
        Settlement memory settlement = _settlement(jobId);
        settlement.exclusions = _exclude(Reason.Mismatch, _list(trainers[7]));
        _refuses(settlement, _notSubmitted(jobId, trainers[7]));
    }

    function test_RevertWhen_AReferenceThatIsNotThereIsExcluded() external {
        uint256 jobId = _running(_terms(), 5);
        _submitTrainers(jobId);
        _passSubmissions(jobId);
        _refuses(_settlement(jobId, _exclude(Reason.Mismatch, _list(referee))), _notSubmitted(jobId, referee));
    }

    function test_RevertWhen_AnExclusionHasNoReason() external {
        uint256 jobId = _submitted(6);
        _refuses(
            _settlement(jobId, _exclude(Reason.None, _list(trainers[0]))),
            abi.encodeWithSelector(Errors.Market_NoReason.selector, trainers[0])
        );
    }

    function test_RevertWhen_AReasonIsBeyondTheList() external {
        uint256 jobId = _submitted(6);
        bytes memory data = abi.encodeCall(
            market.settle, (_settlement(jobId, _exclude(Reason.OutOfRange, _list(trainers[0]))))
        );
        // The reason follows the excluded account, the only word of the call with that value.
        bytes32 account = bytes32(uint256(uint160(trainers[0])));
        for (uint256 i = 4; i + 64 <= data.length; i += 32) {
            bytes32 word;
            assembly ("memory-safe") {
                word := mload(add(add(data, 32), i))
            }
            if (word == account) data[i + 63] = 0x05;
        }
        vm.prank(aggregator);
        (bool done, bytes memory answer) = address(market).call(data);
        vm.assertFalse(done, "a fifth reason");
        vm.assertEq(answer.length, 0, "refused by the decoder");
    }

    function test_RevertWhen_EvidenceIsMalformed() external {
        uint256 jobId = _submitted(6);
        Exclusion[] memory list = _exclude(Reason.Undecryptable, _list(trainers[0]));
        list[0].evidence = "";
        _refuses(
            _settlement(jobId, list), abi.encodeWithSelector(Errors.Market_MalformedCid.selector, bytes(""))
        );
    }

    function test_RevertWhen_UnavailableWithoutNotice() external {
        uint256 jobId = _submitted(6);
        _passDelivery(jobId);
        _refuses(
            _settlement(jobId, _exclude(Reason.Unavailable, _list(trainers[0]))),
            abi.encodeWithSelector(Errors.Market_NoMissingNotice.selector, trainers[0])
        );
    }

    function test_RevertWhen_UnavailableAndAnotherWasNoticed() external {
        uint256 jobId = _submitted(6);
        _notice(jobId, trainers[1]);
        _passDelivery(jobId);
        _refuses(
            _settlement(jobId, _exclude(Reason.Unavailable, _list(trainers[0]))),
            abi.encodeWithSelector(Errors.Market_NoMissingNotice.selector, trainers[0])
        );
    }

    function test_RevertWhen_TheReferenceIsUnavailableWithoutNotice() external {
        uint256 jobId = _submitted(6);
        _passDelivery(jobId);
        _refuses(
            _settlement(jobId, _exclude(Reason.Unavailable, _list(referee))),
            abi.encodeWithSelector(Errors.Market_NoMissingNotice.selector, referee)
        );
    }

    function test_RevertWhen_UnavailableWithEvidence() external {
        uint256 jobId = _submitted(6);
        _notice(jobId, trainers[0]);
        _passDelivery(jobId);
        Exclusion[] memory list = _exclude(Reason.Unavailable, _list(trainers[0]));
        list[0].evidence = _cid("evidence");
        _refuses(
            _settlement(jobId, list),
            abi.encodeWithSelector(Errors.Market_UnexpectedEvidence.selector, trainers[0])
        );
    }

    function test_RevertWhen_UnavailableDuringDelivery() external {
        uint256 jobId = _submitted(6);
        _notice(jobId, trainers[0]);
        vm.warp(START + 600);
        _refuses(
            _settlement(jobId, _exclude(Reason.Unavailable, _list(trainers[0]))),
            abi.encodeWithSelector(Errors.Market_TooEarly.selector, START + 600, START + 600)
        );
    }

    function _notice(uint256 jobId, address account) private {
        vm.prank(aggregator);
        market.missing(jobId, 1, _list(account));
    }

    function _submitted(uint256 count) private returns (uint256 jobId) {
        jobId = _running(_terms(), count);
        _submitAll(jobId);
    }

    function _notSubmitted(uint256 jobId, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.Market_NotSubmitted.selector, jobId, 1, account);
    }

    function _refuses(Settlement memory settlement, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(aggregator);
        market.settle(settlement);
    }
}
