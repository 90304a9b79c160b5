// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254} from "../../src/libraries/Bn254.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {GramEncoding} from "../../src/libraries/GramEncoding.sol";
import {GramFixture} from "../GramFixture.sol";

contract GramEncodingTest is GramFixture {
    uint256 private constant P = Bn254.BASE_ORDER;
    uint256 private constant R = Bn254.SCALAR_ORDER;

    Proven private three;

    function setUp() public override {
        super.setUp();
        three = _proven("three");
    }

    /* CALLS THAT MAY REVERT */

    function check(bytes calldata commitments, bytes calldata gram, bytes calldata proof)
        external
        pure
        returns (uint256)
    {
        return GramEncoding.check(commitments, gram, proof);
    }

    function countOf(bytes calldata commitments, uint256 minimum) external pure returns (uint256) {
        return GramEncoding.countOf(commitments, minimum);
    }

    function checkCommitments(bytes calldata commitments, uint256 count) external pure {
        GramEncoding.checkCommitments(commitments, count);
    }

    /* LENGTHS */

    function test_When_EverythingIsEncodedAsSpecified() external view {
        vm.assertEq(this.check(three.commitments, three.gram, three.proof), 3, "three commitments");
        Proven memory one = _proven("one");
        vm.assertEq(this.check(one.commitments, one.gram, one.proof), 1, "one commitment");
    }

    function test_When_ThereAre255Commitments() external view {
        vm.assertEq(this.countOf(new bytes(64 * 255), 1), 255, "number");
        vm.assertEq(this.countOf(new bytes(64 * 255), 255), 255, "all asked for");
    }

    function test_RevertWhen_TheCommitmentsAreNoWholeNumberOfPoints() external {
        uint256[4] memory lengths = [uint256(1), 63, 65, 191];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory commitments = _resized(three.commitments, lengths[i]);
            vm.expectRevert(
                abi.encodeWithSelector(Errors.GramVerifier_LengthOfCommitments.selector, lengths[i], 64)
            );
            this.check(commitments, three.gram, three.proof);
        }
    }

    function test_RevertWhen_ThereAreNoCommitments() external {
        _wrongNumber(0, 1);
        this.check("", "", three.proof);
    }

    function test_RevertWhen_ThereAre256Commitments() external {
        _wrongNumber(256, 1);
        this.check(new bytes(64 * 256), "", "");
    }

    function test_RevertWhen_ThereAreFewerCommitmentsThanAskedFor() external {
        _wrongNumber(3, 4);
        this.countOf(three.commitments, 4);
    }

    function test_RevertWhen_TheMatrixHasAnotherLength() external {
        uint256[5] memory lengths = [uint256(0), 40, 47, 49, 56];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory gram = _resized(three.gram, lengths[i]);
            vm.expectRevert(
                abi.encodeWithSelector(Errors.GramVerifier_LengthOfMatrix.selector, lengths[i], 48)
            );
            this.check(three.commitments, gram, three.proof);
        }
    }

    function test_RevertWhen_TheProofHasAnotherLength() external {
        uint256[4] memory lengths = [uint256(0), 351, 353, 384];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory proof = _resized(three.proof, lengths[i]);
            vm.expectRevert(
                abi.encodeWithSelector(Errors.GramVerifier_LengthOfProof.selector, lengths[i], 352)
            );
            this.check(three.commitments, three.gram, proof);
        }
    }

    /* COMMITMENTS */

    function test_RevertWhen_ACommitmentIsThePointAtInfinity() external {
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory commitments = _with(_with(three.commitments, 64 * i, 0), 64 * i + 32, 0);
            _infinite("commitment", i + 1);
            this.check(commitments, three.gram, three.proof);
        }
    }

    function test_RevertWhen_ACoordinateOfACommitmentIsOutOfRange() external {
        for (uint256 i = 0; i < 6; ++i) {
            uint256 value = _wordAt(three.commitments, 32 * i);
            _refusesCoordinate(i, value + P);
            _refusesCoordinate(i, P);
            _refusesCoordinate(i, type(uint256).max);
        }
    }

    function test_RevertWhen_ACommitmentIsOffTheCurve() external {
        for (uint256 i = 0; i < 6; ++i) {
            bytes memory commitments =
                _with(three.commitments, 32 * i, _wordAt(three.commitments, 32 * i) ^ 1);
            (uint256 x, uint256 y) = (_wordAt(commitments, i / 2 * 64), _wordAt(commitments, i / 2 * 64 + 32));
            _offCurve("commitment", i / 2 + 1, x, y);
            this.check(commitments, three.gram, three.proof);
        }
    }

    function test_When_ACommitmentBehindThoseAskedForIsMalformed() external view {
        this.checkCommitments(_with(three.commitments, 128, P), 2);
        this.checkCommitments(_with(three.commitments, 0, P), 0);
    }

    /* PROOFS */

    function test_RevertWhen_APointOfTheProofIsThePointAtInfinity() external {
        (uint256[3] memory offsets, bytes32[3] memory names) = _points();
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory proof = _with(_with(three.proof, offsets[i], 0), offsets[i] + 32, 0);
            _infinite(names[i], 0);
            this.check(three.commitments, three.gram, proof);
        }
    }

    function test_RevertWhen_ACoordinateOfTheProofIsOutOfRange() external {
        (uint256[3] memory offsets, bytes32[3] memory names) = _points();
        for (uint256 i = 0; i < 6; ++i) {
            uint256 place = offsets[i / 2] + 32 * (i % 2);
            bytes memory proof = _with(three.proof, place, _wordAt(three.proof, place) + P);
            (uint256 x, uint256 y) = (_wordAt(proof, offsets[i / 2]), _wordAt(proof, offsets[i / 2] + 32));
            _outOfRange(names[i / 2], 0, x, y);
            this.check(three.commitments, three.gram, proof);
        }
    }

    function test_RevertWhen_APointOfTheProofIsOffTheCurve() external {
        (uint256[3] memory offsets, bytes32[3] memory names) = _points();
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory proof = _with(three.proof, offsets[i], _wordAt(three.proof, offsets[i]) ^ 1);
            (uint256 x, uint256 y) = (_wordAt(proof, offsets[i]), _wordAt(proof, offsets[i] + 32));
            _offCurve(names[i], 0, x, y);
            this.check(three.commitments, three.gram, proof);
        }
    }

    function test_RevertWhen_AScalarOfTheProofIsOutOfRange() external {
        uint256[5] memory offsets = [uint256(64), 160, 192, 224, 256];
        bytes32[5] memory names = [bytes32("mu"), "u", "v", "w", "e"];
        for (uint256 i = 0; i < 5; ++i) {
            uint256 value = _wordAt(three.proof, offsets[i]);
            uint256[3] memory values = [R, value + R, type(uint256).max];
            for (uint256 k = 0; k < 3; ++k) {
                bytes memory proof = _with(three.proof, offsets[i], values[k]);
                vm.expectRevert(
                    abi.encodeWithSelector(Errors.GramVerifier_ScalarOutOfRange.selector, names[i], values[k])
                );
                this.check(three.commitments, three.gram, proof);
            }
            // The largest scalar is well-formed.
            this.check(three.commitments, three.gram, _with(three.proof, offsets[i], R - 1));
        }
    }

    function test_RevertWhen_SeveralThingsAreWrong() external {
        bytes memory all = hex"00";
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_LengthOfCommitments.selector, 1, 64));
        this.check(all, all, all);
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_LengthOfMatrix.selector, 1, 48));
        this.check(new bytes(192), all, all);
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_LengthOfProof.selector, 1, 352));
        this.check(new bytes(192), new bytes(48), all);
        _infinite("commitment", 2);
        this.check(_with(_with(three.commitments, 64, 0), 96, 0), new bytes(48), new bytes(352));
        _infinite("C_M", 0);
        this.check(three.commitments, new bytes(48), new bytes(352));
        bytes memory proof = _with(three.proof, 64, R);
        _infinite("pi", 0);
        this.check(three.commitments, three.gram, _with(_with(proof, 288, 0), 320, 0));
        vm.expectRevert(
            abi.encodeWithSelector(Errors.GramVerifier_ScalarOutOfRange.selector, bytes32("mu"), R)
        );
        this.check(three.commitments, three.gram, _with(proof, 160, R));
    }

    /* WHAT IS EXPECTED */

    function _points() private pure returns (uint256[3] memory offsets, bytes32[3] memory names) {
        return ([uint256(0), 96, 288], [bytes32("C_M"), "C_g", "pi"]);
    }

    function _refusesCoordinate(uint256 word, uint256 value) private {
        bytes memory commitments = _with(three.commitments, 32 * word, value);
        (uint256 x, uint256 y) =
            (_wordAt(commitments, word / 2 * 64), _wordAt(commitments, word / 2 * 64 + 32));
        _outOfRange("commitment", word / 2 + 1, x, y);
        this.check(commitments, three.gram, three.proof);
    }

    function _wrongNumber(uint256 number, uint256 minimum) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.GramVerifier_NumberOfCommitments.selector, number, minimum, 255)
        );
    }

    function _infinite(bytes32 element, uint256 number) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_PointAtInfinity.selector, element, number));
    }

    function _outOfRange(bytes32 element, uint256 number, uint256 x, uint256 y) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.GramVerifier_CoordinateOutOfRange.selector, element, number, x, y)
        );
    }

    function _offCurve(bytes32 element, uint256 number, uint256 x, uint256 y) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.GramVerifier_PointNotOnCurve.selector, element, number, x, y)
        );
    }
}
