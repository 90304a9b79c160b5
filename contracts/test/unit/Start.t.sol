// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {JobState} from "../../src/Types.sol";
import {Base} from "../Base.sol";

contract StartTest is Base {
    function test_Smoke() external {
        uint256 jobId = _running(_terms(), 6);
        _round(jobId);
        _round(jobId);
        _round(jobId);
        _passChallenge(jobId);
        market.complete(jobId);
        _assertState(jobId, JobState.Completed);
        _assertBooks(jobId, _books(jobId));
    }
}
