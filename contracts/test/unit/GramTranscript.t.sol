// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Challenges, GramTranscript} from "../../src/libraries/GramTranscript.sol";
import {GramFixture} from "../GramFixture.sol";

contract GramTranscriptTest is GramFixture {
    string[4] private names = ["one", "three", "zero", "extremes"];

    function statementOf(
        bytes32 srs,
        bytes32 context,
        bytes calldata commitments,
        bytes calldata gram,
        bytes calldata proof
    ) external pure returns (bytes32) {
        return GramTranscript.statementOf(srs, context, commitments, gram, proof);
    }

    /// @param garbage Bytes that lie behind the allocated memory when the challenges are drawn.
    function challengesOf(bytes32 statement, uint256 count, bytes calldata proof, uint256 garbage)
        external
        pure
        returns (Challenges memory)
    {
        assembly ("memory-safe") {
            let start := mload(64)
            for { let i := 0 } lt(i, garbage) { i := add(i, 32) } { mstore(add(start, i), not(0)) }
        }
        return GramTranscript.challengesOf(statement, count, proof);
    }

    function test_When_AKeyIsIdentified() external view {
        vm.assertEq(GramTranscript.identity(_bytes(".key")), _word(".srs"), "identity");
    }

    function test_When_AStatementIsHashed() external view {
        for (uint256 i = 0; i < names.length; ++i) {
            Proven memory proven = _proven(names[i]);
            bytes32 statement = this.statementOf(
                _word(".srs"), proven.context, proven.commitments, proven.gram, proven.proof
            );
            vm.assertEq(statement, _of(names[i], ".statement"), names[i]);
        }
    }

    function test_When_ChallengesAreDrawn() external view {
        for (uint256 i = 0; i < names.length; ++i) {
            _drawsWith(names[i], 0);
        }
    }

    function test_When_MemoryWasUsedBefore() external view {
        _drawsWith("three", 2048);
    }

    function testFuzz_When_AnyStatementIsHashed(
        bytes32 srs,
        bytes32 context,
        bytes calldata commitments,
        bytes calldata gram,
        bytes calldata rest
    ) external view {
        bytes memory proof = bytes.concat(new bytes(96), rest);
        bytes memory head = abi.encodePacked(
            bytes32("cairn/gram-proof/1/statement"),
            srs,
            context,
            uint64(commitments.length / 64),
            uint64(commitments.length)
        );
        bytes memory tail = abi.encodePacked(commitments, uint64(gram.length), gram, new bytes(96));
        bytes32 statement = this.statementOf(srs, context, commitments, gram, proof);
        vm.assertEq(statement, keccak256(bytes.concat(head, tail)), "statement");
    }

    function _drawsWith(string memory name, uint256 garbage) private view {
        uint256[] memory rho = _challenges(name);
        Challenges memory challenges =
            this.challengesOf(_of(name, ".statement"), rho.length, _proven(name).proof, garbage);
        vm.assertEq(challenges.rho.length, rho.length + 3, "three zeros behind");
        for (uint256 i = 0; i < rho.length; ++i) {
            vm.assertEq(challenges.rho[i], rho[i], "rho");
            vm.assertLt(challenges.rho[i], 2 ** 128, "128 bits");
        }
        for (uint256 i = rho.length; i < challenges.rho.length; ++i) {
            vm.assertEq(challenges.rho[i], 0, "zero");
        }
        vm.assertEq(bytes32(challenges.z), _of(name, ".z"), "z");
        vm.assertEq(bytes32(challenges.gamma), _of(name, ".gamma"), "gamma");
    }

    function _of(string memory name, string memory field) private view returns (bytes32) {
        return _word(string.concat(".proofs.", name, field));
    }
}
