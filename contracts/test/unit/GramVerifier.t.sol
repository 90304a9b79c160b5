// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254, G1Point} from "../../src/libraries/Bn254.sol";
import {Step} from "../../src/interfaces/IRoundVerifier.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {VerificationKey} from "../../src/libraries/VerificationKeys.sol";
import {GramVerifier} from "../../src/verifiers/GramVerifier.sol";
import {GramFixture} from "../GramFixture.sol";

contract GramVerifierTest is GramFixture {
    uint256 private constant P = Bn254.BASE_ORDER;
    uint256 private constant R = Bn254.SCALAR_ORDER;

    GramVerifier private verifier;
    Proven private three;

    function setUp() public override {
        super.setUp();
        verifier = new GramVerifier(_key());
        three = _proven("three");
    }

    /* DEPLOYMENT */

    function test_When_ItIsDeployed() external view {
        vm.assertEq(verifier.srs(), _word(".srs"), "identity");
    }

    function test_RevertWhen_TheKeyIsUnsound() external {
        VerificationKey memory key = _key();
        key.tauSquaredG2 = key.tauG2;
        vm.expectRevert(
            abi.encodeWithSelector(Errors.GramVerifier_InconsistentKey.selector, bytes32("[tau^2]_2"))
        );
        new GramVerifier(key);
    }

    function test_When_TheSetUpIsForDevelopmentOnALocalChain() external {
        VerificationKey memory key = abi.decode(_bytes(".developmentKey"), (VerificationKey));
        uint256[3] memory ids = [uint256(1337), 31_337, 131_277_322_940_537];
        for (uint256 i = 0; i < ids.length; ++i) {
            vm.chainId(ids[i]);
            vm.assertEq(new GramVerifier(key).srs(), _word(".developmentSrs"), "identity");
        }
    }

    function test_RevertWhen_TheSetUpIsForDevelopmentOnAnotherChain() external {
        VerificationKey memory key = abi.decode(_bytes(".developmentKey"), (VerificationKey));
        uint256[4] memory ids = [uint256(1), 10, 31_336, 31_338];
        for (uint256 i = 0; i < ids.length; ++i) {
            vm.chainId(ids[i]);
            // Any other set-up may be used there.
            new GramVerifier(_key());
        }
        for (uint256 i = 0; i < ids.length; ++i) {
            vm.chainId(ids[i]);
            vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_DevelopmentSetup.selector, ids[i]));
            new GramVerifier(key);
        }
    }

    /* PROOFS */

    function test_When_AProofIsHonest() external view {
        string[4] memory names = ["one", "three", "zero", "extremes"];
        for (uint256 i = 0; i < names.length; ++i) {
            vm.assertTrue(_verify(_proven(names[i])), names[i]);
        }
    }

    function test_RevertWhen_AnInputIsMalformed() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_LengthOfProof.selector, 351, 352));
        verifier.verify(three.context, three.commitments, three.gram, _resized(three.proof, 351));
        bytes memory commitments = _with(_with(three.commitments, 128, 0), 160, 0);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.GramVerifier_PointAtInfinity.selector, bytes32("commitment"), 3)
        );
        verifier.verify(three.context, commitments, three.gram, three.proof);
    }

    function test_RevertWhen_TheContextIsAnother() external {
        three.context ^= bytes32(uint256(1));
        _refuses(three);
    }

    function test_RevertWhen_AnEntryOfTheMatrixIsAnother() external {
        bytes memory gram = three.gram;
        for (uint256 i = 7; i < gram.length; i += 8) {
            three.gram = bytes.concat(gram);
            three.gram[i] ^= 0x01;
            _refuses(three);
        }
    }

    function test_RevertWhen_CommitmentsAreExchanged() external {
        (uint256 x, uint256 y) = (_wordAt(three.commitments, 0), _wordAt(three.commitments, 32));
        (uint256 otherX, uint256 otherY) = (_wordAt(three.commitments, 64), _wordAt(three.commitments, 96));
        three.commitments = _with(_with(three.commitments, 0, otherX), 32, otherY);
        three.commitments = _with(_with(three.commitments, 64, x), 96, y);
        _refuses(three);
    }

    function test_RevertWhen_ACommitmentIsAnother() external {
        bytes memory commitments = three.commitments;
        for (uint256 i = 0; i < 3; ++i) {
            // The negative of a point is a point.
            three.commitments = _with(commitments, 64 * i + 32, P - _wordAt(commitments, 64 * i + 32));
            _refuses(three);
        }
    }

    function test_RevertWhen_AScalarOfTheProofIsAnother() external {
        bytes memory proof = three.proof;
        uint256[5] memory offsets = [uint256(64), 160, 192, 224, 256];
        for (uint256 i = 0; i < offsets.length; ++i) {
            uint256 value = _wordAt(proof, offsets[i]);
            three.proof = _with(proof, offsets[i], addmod(value, 1, R));
            _refuses(three);
            three.proof = _with(proof, offsets[i], 0);
            _refuses(three);
        }
    }

    function test_RevertWhen_APointOfTheProofIsAnother() external {
        bytes memory proof = three.proof;
        uint256[3] memory offsets = [uint256(0), 96, 288];
        for (uint256 i = 0; i < offsets.length; ++i) {
            three.proof = _with(proof, offsets[i] + 32, P - _wordAt(proof, offsets[i] + 32));
            _refuses(three);
            G1Point memory one = Bn254.generator();
            three.proof = _with(_with(proof, offsets[i], one.x), offsets[i] + 32, one.y);
            _refuses(three);
        }
    }

    function test_RevertWhen_TheProofIsOfAnotherStatement() external {
        three.proof = _proven("extremes").proof;
        _refuses(three);
    }

    function test_RevertWhen_TheReferenceStringIsAnother() external {
        VerificationKey memory key = _key();
        G1Point memory point = _asPoint(_bytes(".tauTimesTwo"));
        key.beta = point;
        verifier = new GramVerifier(key);
        _refuses(three);
    }

    function test_RevertWhen_APrecompileFails() external {
        for (uint160 number = 5; number <= 8; ++number) {
            vm.mockCallRevert(address(number), "", "");
            _fails(number);
            vm.clearMockedCalls();
            vm.mockCall(address(number), "", "");
            _fails(number);
            vm.clearMockedCalls();
        }
        // An answer that is neither yes nor no is not yes.
        vm.mockCall(address(8), "", abi.encode(2));
        _refuses(three);
    }

    /* MODEL */

    function test_When_TheModelBegins() external view {
        vm.assertEq(verifier.initialModel(), new bytes(64), "commitment to zero");
    }

    function test_When_TheModelAdvances() external view {
        vm.assertTrue(_verifyStep(three, _step("initial", "first")), "first settlement");
        vm.assertTrue(_verifyStep(three, _step("first", "second")), "second settlement");
    }

    function test_RevertWhen_TheNewModelIsAnother() external {
        Step memory step = _step("initial", "first");
        step.newModelCommitment = _model("second");
        _refusesStep(step);
        step.newModelCommitment = _with(_model("first"), 32, P - _wordAt(_model("first"), 32));
        _refusesStep(step);
        step.newModelCommitment = _model("initial");
        _refusesStep(step);
        step = _step("first", "initial");
        _refusesStep(step);
    }

    function test_RevertWhen_AWeightIsAnother() external {
        for (uint256 i = 0; i < 3; ++i) {
            Step memory step = _step("initial", "first");
            step.weights[i] += 1;
            _refusesStep(step);
        }
    }

    function test_RevertWhen_AWeightIsMissing() external {
        Step memory step = _step("initial", "first");
        (uint256 first, uint256 second) = (step.weights[0], step.weights[1]);
        step.weights = new uint256[](2);
        (step.weights[0], step.weights[1]) = (first, second);
        _refusesStep(step);
    }

    function test_When_WeightsDifferByTheOrderOfTheGroup() external view {
        Step memory step = _step("initial", "first");
        step.weights[0] += R;
        vm.assertTrue(_verifyStep(three, step), "the sum is the same");
    }

    function test_When_CommitmentsFollowThoseWithAWeight() external view {
        Step memory step = _step("initial", "initial");
        step.weights = new uint256[](1);
        step.weights[0] = 1;
        step.newModelCommitment = _resized(three.commitments, 64);
        vm.assertTrue(_verifyStep(three, step), "the first alone");
    }

    function test_When_NobodyHasAWeight() external view {
        Step memory step = _step("first", "first");
        step.weights = new uint256[](3);
        vm.assertTrue(_verifyStep(three, step), "kept");
        step.weights = new uint256[](0);
        vm.assertTrue(_verifyStep(three, step), "nobody at all");
        step = _step("initial", "initial");
        step.weights = new uint256[](0);
        vm.assertTrue(_verifyStep(three, step), "still zero");
        // A point whose coordinates have no bit in common.
        G1Point memory one = Bn254.generator();
        step.modelCommitment = abi.encode(one);
        step.newModelCommitment = abi.encode(one);
        vm.assertTrue(_verifyStep(three, step), "the generator, kept");
    }

    function test_When_TheModelReturnsToZero() external view {
        Step memory step = _step("first", "initial");
        for (uint256 i = 0; i < 3; ++i) {
            step.weights[i] = R - step.weights[i];
        }
        vm.assertTrue(_verifyStep(three, step), "the point at infinity");
    }

    function test_RevertWhen_TheProofBehindTheStepIsWrong() external {
        Step memory step = _step("initial", "first");
        three.gram[7] ^= 0x01;
        _refusesStep(step);
        three.gram[7] ^= 0x01;
        three.context ^= bytes32(uint256(1));
        _refusesStep(step);
        three.proof = _resized(three.proof, 351);
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_LengthOfProof.selector, 351, 352));
        _verifyStep(three, step);
    }

    function test_RevertWhen_TheOpeningIsChangedWithTheModel() external {
        // Without pi in the last hash, pi and M' could be changed together: -pi instead of pi in equation (3) is made
        // up for by no other M', and neither is e + 1.
        Step memory step = _step("initial", "first");
        bytes memory proof = three.proof;
        three.proof = _with(proof, 320, P - _wordAt(proof, 320));
        _refusesStep(step);
        three.proof = _with(proof, 256, addmod(_wordAt(proof, 256), 1, R));
        _refusesStep(step);
    }

    function test_RevertWhen_AModelHasAnotherLength() external {
        uint256[4] memory lengths = [uint256(0), 32, 63, 65];
        for (uint256 i = 0; i < lengths.length; ++i) {
            Step memory step = _step("initial", "first");
            step.modelCommitment = new bytes(lengths[i]);
            _refusesLength(step, "model", lengths[i]);
            step = _step("initial", "first");
            step.newModelCommitment = new bytes(lengths[i]);
            _refusesLength(step, "new model", lengths[i]);
        }
    }

    function test_RevertWhen_AModelIsNoPoint() external {
        Step memory step = _step("initial", "first");
        step.modelCommitment = _with(new bytes(64), 32, 1);
        _refusesPoint(step, "model");
        step.modelCommitment = _with(new bytes(64), 0, P);
        _refusesCoordinate(step, "model");
        step = _step("initial", "first");
        step.newModelCommitment = _with(new bytes(64), 32, 1);
        _refusesPoint(step, "new model");
        step.newModelCommitment = _with(new bytes(64), 0, P);
        _refusesCoordinate(step, "new model");
    }

    function test_RevertWhen_ThereAreMoreWeightsThanCommitments() external {
        Step memory step = _step("initial", "first");
        step.weights = new uint256[](4);
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_NumberOfWeights.selector, 4, 3));
        _verifyStep(three, step);
    }

    /* HELPERS */

    function _verify(Proven memory proven) private view returns (bool) {
        return verifier.verify(proven.context, proven.commitments, proven.gram, proven.proof);
    }

    function _refuses(Proven memory proven) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_EquationFails.selector, proven.context));
        _verify(proven);
    }

    function _fails(uint256 precompile) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_PrecompileFailed.selector, precompile));
        _verify(three);
    }

    function _verifyStep(Proven memory proven, Step memory step) private view returns (bool) {
        return verifier.verifyStep(proven.context, proven.commitments, proven.gram, proven.proof, step);
    }

    function _refusesStep(Step memory step) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_EquationFails.selector, three.context));
        _verifyStep(three, step);
    }

    function _refusesLength(Step memory step, bytes32 element, uint256 length) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.GramVerifier_LengthOfModel.selector, element, length, 64)
        );
        _verifyStep(three, step);
    }

    function _refusesPoint(Step memory step, bytes32 element) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.GramVerifier_PointNotOnCurve.selector, element, 0, 0, 1)
        );
        _verifyStep(three, step);
    }

    function _refusesCoordinate(Step memory step, bytes32 element) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.GramVerifier_CoordinateOutOfRange.selector, element, 0, P, 0)
        );
        _verifyStep(three, step);
    }

    /// @dev The step between two of the models in the test vectors, made by their weights.
    function _step(string memory before, string memory next) private view returns (Step memory) {
        return Step(_weights(), _model(before), _model(next));
    }

    function _model(string memory name) private view returns (bytes memory) {
        if (keccak256(bytes(name)) == keccak256("initial")) return verifier.initialModel();
        return _bytes(string.concat(".model.", name));
    }

    function _weights() private view returns (uint256[] memory weights) {
        bytes32[] memory words = vm.parseJsonBytes32Array(vectors, ".model.weights");
        weights = new uint256[](words.length);
        for (uint256 i = 0; i < words.length; ++i) {
            weights[i] = uint256(words[i]);
        }
    }
}
