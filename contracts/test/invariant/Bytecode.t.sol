// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRule} from "../../src/interfaces/IRule.sol";
import {Parties} from "../Parties.sol";
import {AcceptingVerifier} from "../mocks/AcceptingVerifier.sol";

/// @notice What the deployed code can't do, because the instructions for it are not there.
contract BytecodeTest is Parties {
    uint256 private constant PUSH1 = 0x60;
    uint256 private constant PUSH32 = 0x7f;
    uint256 private constant CALLCODE = 0xf2;
    uint256 private constant DELEGATECALL = 0xf4;
    uint256 private constant SELFDESTRUCT = 0xff;

    function setUp() public override {
        vm.warp(START);
        bytes memory code = vm.getCode("MultiKrumShapleyRule.sol:MultiKrumShapleyRule");
        address created;
        assembly ("memory-safe") {
            created := create(0, add(code, 32), mload(code))
        }
        market = _deploy(new AcceptingVerifier(), created);
    }

    function test_NoForeignCodeRunsInTheMarketAndNothingRemovesIt() external view {
        _scan("market", address(market).code);
        _scan("judge", address(market.judge()).code);
        _scan("terms check", address(market.termsCheck()).code);
        _scan("verifier", address(market.verifier()).code);
        IRule[] memory rules = market.rules();
        for (uint256 i = 0; i < rules.length; ++i) {
            _scan("rule", address(rules[i]).code);
        }
    }

    function test_TheScanFindsWhatItLooksFor() external pure {
        vm.assertEq(_find(hex"60ff61f4f4f2"), CALLCODE, "an instruction behind data of pushes");
        vm.assertEq(
            _find(hex"7f00000000000000000000000000000000000000000000000000000000000000ff01"), 0, "data only"
        );
        vm.assertEq(_find(hex"01f4"), DELEGATECALL, "delegatecall");
        vm.assertEq(_find(hex"01ff"), SELFDESTRUCT, "selfdestruct");
    }

    function _scan(string memory name, bytes memory code) private pure {
        vm.assertGt(code.length, 0, string.concat("27: there is code to scan: ", name));
        string memory message = string.concat("27: a forbidden instruction in the ", name);
        vm.assertEq(_find(code), 0, message);
    }

    /// @dev The first forbidden instruction, 0 if there is none. What follows a push is data.
    function _find(bytes memory code) private pure returns (uint256) {
        for (uint256 i = 0; i < code.length; ++i) {
            uint256 instruction = uint8(code[i]);
            bool forbidden =
                instruction == CALLCODE || instruction == DELEGATECALL || instruction == SELFDESTRUCT;
            if (forbidden) return instruction;
            if (instruction >= PUSH1 && instruction <= PUSH32) i += instruction - PUSH1 + 1;
        }
        return 0;
    }
}
