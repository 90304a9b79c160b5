// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Reason, Settlement, Terms} from "../../../src/Types.sol";
import {Refuting} from "../../Refuting.sol";

/// @notice At every deadline, fifteen seconds before to fifteen seconds after it, exactly one of an action and its
/// successor is legal: the action up to and including the deadline.
contract DeadlinesTest is Refuting {
    /// @dev What is legal when; each of the functions below returns whether its call went through.
    int256[5] private _skews = [int256(-15), -1, 0, 1, 15];

    function test_StartOrAbortByAnyone() external {
        uint256 jobId = _joined(_terms(), 5);
        _compare(
            START + 1 days,
            stranger,
            abi.encodeCall(market.start, (jobId)),
            stranger,
            abi.encodeCall(market.abort, (jobId))
        );
    }

    function test_AcceptOrAbortByAnyone() external {
        Terms memory terms = _tokenTerms();
        uint256 jobId = _create(terms);
        _fund(address(token), aggregator, terms.bond);
        _compare(
            START + 1 days,
            aggregator,
            abi.encodeCall(market.accept, (jobId, KEY)),
            stranger,
            abi.encodeCall(market.abort, (jobId))
        );
    }

    function test_JoinOrAbortByAnyone() external {
        Terms memory terms = _tokenTerms();
        uint256 jobId = _joined(terms, 4);
        _fund(address(token), trainers[4], terms.stake);
        _compare(
            START + 1 days,
            trainers[4],
            abi.encodeCall(market.join, (jobId, market.joinDigest(jobId), new bytes32[](0))),
            stranger,
            abi.encodeCall(market.abort, (jobId))
        );
    }

    function test_SubmitOrVoid() external {
        uint256 jobId = _running(_terms(), 5);
        for (uint256 i = 0; i < 4; ++i) {
            _submit(jobId, trainers[i]);
        }
        _compare(
            START + 1000,
            trainers[4],
            abi.encodeCall(market.submit, (jobId, 1, KEY, _cid("envelope"))),
            stranger,
            abi.encodeCall(market.voidRound, (jobId, 1))
        );
    }

    function test_SubmitReferenceOrSettle() external {
        uint256 jobId = _running(_terms(), 5);
        _submitTrainers(jobId);
        _compare(
            START + 1000,
            referee,
            abi.encodeCall(market.submitReference, (jobId, 1, KEY, _cid("reference"))),
            aggregator,
            abi.encodeCall(market.settle, (_settlement(jobId)))
        );
    }

    function test_CloseSubmissionsOrMissing() external {
        uint256 jobId = _running(_terms(), 5);
        _submitTrainers(jobId);
        _submitReference(jobId);
        _compare(
            START + 1000,
            stranger,
            abi.encodeCall(market.closeSubmissions, (jobId, 1)),
            aggregator,
            abi.encodeCall(market.missing, (jobId, 1, _first(1)))
        );
    }

    function test_MissingLeavesHalfOfDelivery() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        _compare(
            START + 300, aggregator, abi.encodeCall(market.missing, (jobId, 1, _first(1))), address(0), ""
        );
    }

    function test_DeliverOrBeExcludedAsUnavailable() external {
        uint256 jobId = _running(_terms(), 6);
        _submitAll(jobId);
        vm.prank(aggregator);
        market.missing(jobId, 1, _first(1));
        Settlement memory settlement = _settlement(jobId, _exclude(Reason.Unavailable, _first(1)));
        _compare(START + 600, address(0), "", aggregator, abi.encodeCall(market.settle, (settlement)));
    }

    function test_SettleOrExpire() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        _compare(
            START + 1100,
            aggregator,
            abi.encodeCall(market.settle, (_settlement(jobId))),
            stranger,
            abi.encodeCall(market.expire, (jobId, 1))
        );
    }

    function test_FlagOrSettleTheNextRound() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        _submitAll(jobId);
        _compare(
            START + 400,
            trainers[0],
            abi.encodeCall(market.flag, (jobId, 1)),
            aggregator,
            abi.encodeCall(market.settle, (_settlement(jobId)))
        );
    }

    function test_FlagOrComplete() external {
        uint256 jobId = _ending();
        _compare(
            START + 400,
            trainers[0],
            abi.encodeCall(market.flag, (jobId, 1)),
            stranger,
            abi.encodeCall(market.complete, (jobId))
        );
    }

    function test_RefuteOrSettleTheNextRound() external {
        uint256 jobId = _lied(_terms());
        bytes memory call = _refutation(jobId);
        _submitAll(jobId);
        Settlement memory next = _settlement(jobId);
        _compare(START + 400, stranger, call, aggregator, abi.encodeCall(market.settle, (next)));
    }

    function test_RefuteOrComplete() external {
        Terms memory terms = _terms();
        terms.rounds = 1;
        uint256 jobId = _lied(terms);
        bytes memory call = _refutation(jobId);
        _compare(START + 400, stranger, call, aggregator, abi.encodeCall(market.complete, (jobId)));
    }

    function test_RefuteOrWithdrawTheRoundsPay() external {
        uint256 jobId = _lied(_terms());
        bytes memory call = _refutation(jobId);
        bytes memory withdrawal = abi.encodeCall(market.withdraw, (jobId, trainers[0]));
        _compare(START + 400, stranger, call, trainers[0], withdrawal);
    }

    /// @dev A job whose first round was settled with a matrix that no vectors have.
    function _lied(Terms memory terms) private returns (uint256 jobId) {
        jobId = _running(terms, 5);
        _submitAll(jobId);
        _settleLie(jobId);
    }

    /// @dev The stranger's call that refutes the first round, announced in time.
    function _refutation(uint256 jobId) private returns (bytes memory) {
        _announce(stranger, jobId, 1, _witness(6));
        _nextBlock();
        return abi.encodeCall(market.refuteGram, (jobId, 1, keccak256(_model(0)), _lie(6), _witness(6)));
    }

    function test_FlagOrWithdrawTheRoundsPay() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        _compare(
            START + 400,
            trainers[1],
            abi.encodeCall(market.flag, (jobId, 1)),
            trainers[0],
            abi.encodeCall(market.withdraw, (jobId, trainers[0]))
        );
    }

    function test_AFlagInTheLastSecondCounts() external {
        uint256 jobId = _running(_terms(), 5);
        _round(jobId);
        vm.warp(START + 400);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(trainers[i]);
            market.flag(jobId, 1);
        }
        vm.assertEq(market.withdrawable(jobId, aggregator), 22_019 - 11_009, "the penalty is lost");
    }

    function test_ASettlementInTheLastSecondCostsNoPenalty() external {
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        vm.warp(START + 1100);
        _settle(jobId);
        vm.assertEq(market.ledgerOf(jobId).bond, 22_019, "bond");
    }

    function test_NothingWaitsForLongerThanItsWindows() external {
        // After more than thirty days of silence in each phase everything that waits is legal at once.
        uint256 jobId = _running(_terms(), 5);
        _submitAll(jobId);
        vm.warp(_now() + 31 days);
        market.expire(jobId, 1);
        _submitAll(jobId);
        _settle(jobId);
        _submitAll(jobId);
        vm.warp(_now() + 31 days);
        market.expire(jobId, 3);
        vm.assertEq(_withdraw(jobId, trainers[0]), 2 * 2201 + 2001 + 2003, "all that is due");
    }

    function _ending() private returns (uint256 jobId) {
        Terms memory terms = _terms();
        terms.rounds = 1;
        jobId = _running(terms, 5);
        _round(jobId);
    }

    /// @dev Up to the deadline only the action is legal, after it only its successor; an empty call isn't tried.
    function _compare(
        uint256 deadline,
        address actor,
        bytes memory action,
        address successorsActor,
        bytes memory successor
    ) private {
        for (uint256 i = 0; i < _skews.length; ++i) {
            vm.warp(uint256(int256(deadline) + _skews[i]));
            bool inTime = _skews[i] <= 0;
            if (action.length != 0) {
                vm.assertTrue(_isLegal(actor, action) == inTime, "the action, up to its deadline");
            }
            if (successor.length != 0) {
                vm.assertTrue(_isLegal(successorsActor, successor) != inTime, "its successor, afterwards");
            }
        }
    }

    function _isLegal(address actor, bytes memory call) private returns (bool done) {
        uint256 state = vm.snapshotState();
        vm.prank(actor);
        (done,) = address(market).call(call);
        vm.revertToState(state);
    }
}
