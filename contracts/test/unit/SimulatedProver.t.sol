// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Errors} from "../../src/libraries/Errors.sol";
import {GramVerifier} from "../../src/verifiers/GramVerifier.sol";
import {VerificationKey} from "../../src/libraries/VerificationKeys.sol";
import {GramFixture} from "../GramFixture.sol";
import {SimulatedProver} from "../SimulatedProver.sol";

contract SimulatedProverTest is GramFixture {
    GramVerifier private verifier;
    SimulatedProver private prover;

    function setUp() public override {
        super.setUp();
        verifier = new GramVerifier(abi.decode(_bytes(".developmentKey"), (VerificationKey)));
        prover = new SimulatedProver(verifier.srs());
    }

    function test_When_TheMatrixBelongsToNoVectors() external view {
        Proven memory lie = _lie();
        vm.assertTrue(_verify(lie), "a lie that the equations can't see");
    }

    function test_When_AWordOfTheStatementOrTheProofIsAnother() external {
        Proven memory lie = _lie();
        for (uint256 offset = 64; offset < 352; offset += 32) {
            // The scalars; a changed coordinate would be no point.
            if (offset == 96 || offset == 128 || offset >= 288) continue;
            bytes memory sound = lie.proof;
            lie.proof = _with(sound, offset, addmod(_wordAt(sound, offset), 1, 2 ** 253));
            _refuses(lie);
            lie.proof = sound;
        }
        lie.context ^= bytes32(uint256(1));
        _refuses(lie);
        lie.context ^= bytes32(uint256(1));
        lie.gram[7] ^= 0x01;
        _refuses(lie);
        lie.gram[7] ^= 0x01;
        lie.commitments = bytes.concat(prover.commitment("another"), _tail(lie.commitments));
        _refuses(lie);
    }

    function testFuzz_When_AnyStatementIsProven(bytes32 context, bytes32 entropy, uint8 rows) external view {
        Proven memory any;
        any.context = context;
        uint256 count = uint256(rows) % 12 + 1;
        for (uint256 i = 0; i < count; ++i) {
            any.commitments =
                bytes.concat(any.commitments, prover.commitment(keccak256(abi.encode(entropy, i))));
        }
        for (uint256 i = 0; i < count * (count + 1) / 2; ++i) {
            any.gram = bytes.concat(any.gram, bytes8(keccak256(abi.encode(context, entropy, i))));
        }
        any.proof = prover.prove(context, any.commitments, any.gram);
        vm.assertTrue(_verify(any), "any statement");
    }

    function test_When_TwoStatementsAreProven() external view {
        Proven memory one = _lie();
        Proven memory other = _lie();
        other.proof = prover.prove("another context", other.commitments, other.gram);
        for (uint256 offset = 0; offset < 352; offset += 32) {
            vm.assertNotEq(
                bytes32(_wordAt(one.proof, offset)), bytes32(_wordAt(other.proof, offset)), "an element"
            );
        }
    }

    function test_When_TheModelAdvances() external view {
        bytes32[] memory words = vm.parseJsonBytes32Array(vectors, ".model.weights");
        uint256[] memory weights = new uint256[](words.length);
        for (uint256 i = 0; i < words.length; ++i) {
            weights[i] = uint256(words[i]);
        }
        bytes memory commitments = _proven("three").commitments;
        bytes memory first = prover.advance(new bytes(64), commitments, weights);
        vm.assertEq(first, _bytes(".model.first"), "first settlement");
        vm.assertEq(prover.advance(first, commitments, weights), _bytes(".model.second"), "second settlement");
    }

    /* HELPERS */

    /// @dev Three vectors of length one, each of which is the opposite of both others.
    function _lie() private view returns (Proven memory lie) {
        lie.context = keccak256("occasion");
        lie.commitments =
            bytes.concat(prover.commitment("one"), prover.commitment("two"), prover.commitment("three"));
        lie.gram = abi.encodePacked(int64(1), int64(-1), int64(-1), int64(1), int64(-1), int64(1));
        lie.proof = prover.prove(lie.context, lie.commitments, lie.gram);
    }

    function _verify(Proven memory proven) private view returns (bool) {
        return verifier.verify(proven.context, proven.commitments, proven.gram, proven.proof);
    }

    function _refuses(Proven memory proven) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_EquationFails.selector, proven.context));
        _verify(proven);
    }

    function _tail(bytes memory data) private pure returns (bytes memory tail) {
        tail = new bytes(data.length - 64);
        for (uint256 i = 0; i < tail.length; ++i) {
            tail[i] = data[i + 64];
        }
    }
}
