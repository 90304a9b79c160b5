// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRoundVerifier, Step} from "../interfaces/IRoundVerifier.sol";
import {Bn254, G1Point, G2Point, Sum} from "../libraries/Bn254.sol";
import {Errors} from "../libraries/Errors.sol";
import {GramEncoding} from "../libraries/GramEncoding.sol";
import {GramOpening, Opening, Values} from "../libraries/GramOpening.sol";
import {Challenges, GramTranscript} from "../libraries/GramTranscript.sol";
import {LocalChains} from "../libraries/LocalChains.sol";
import {ModelStep, Models} from "../libraries/ModelStep.sol";
import {QuadraticForm} from "../libraries/QuadraticForm.sol";
import {VerificationKey, VerificationKeys} from "../libraries/VerificationKeys.sol";

/// @title GramVerifier
/// @notice Verifies Gram proofs, see docs/gram-proof.md, whose names and order of checks it keeps. A commitment is a point
/// of BN254, 64 bytes, and so is the model commitment, the weighted sum of the updates' commitments.
///
/// @dev Notes:
/// - It has neither storage nor owner: the verification key is part of the code.
/// - It trusts that nobody knows the secrets of the structured reference string that `srs` identifies.
contract GramVerifier is IRoundVerifier {
    using Bn254 for Sum;

    /* CONSTANTS */

    /// @dev Identity of the development set-up, whose secrets are public.
    bytes32 private constant DEVELOPMENT_SRS =
        0x8b3f5e79fb7cc1fb3deeda3f7874097fb318c40dec9b4207a18dba1cf75a330d;

    /* IMMUTABLES */

    /// @notice Identity of the structured reference string, which every proof is bound to.
    bytes32 public immutable srs;

    uint256 private immutable _tauX;
    uint256 private immutable _tauY;
    uint256 private immutable _betaX;
    uint256 private immutable _betaY;
    uint256 private immutable _tauG2XImaginary;
    uint256 private immutable _tauG2XReal;
    uint256 private immutable _tauG2YImaginary;
    uint256 private immutable _tauG2YReal;
    uint256 private immutable _tauSquaredG2XImaginary;
    uint256 private immutable _tauSquaredG2XReal;
    uint256 private immutable _tauSquaredG2YImaginary;
    uint256 private immutable _tauSquaredG2YReal;

    /* CONSTRUCTOR */

    /// @param key The verification key; its four points one after the other, 384 bytes.
    constructor(VerificationKey memory key) {
        VerificationKeys.check(key);
        srs = GramTranscript.identity(abi.encode(key));
        require(
            srs != DEVELOPMENT_SRS || LocalChains.isLocal(block.chainid),
            Errors.GramVerifier_DevelopmentSetup(block.chainid)
        );
        _tauX = key.tau.x;
        _tauY = key.tau.y;
        _betaX = key.beta.x;
        _betaY = key.beta.y;
        _tauG2XImaginary = key.tauG2.xImaginary;
        _tauG2XReal = key.tauG2.xReal;
        _tauG2YImaginary = key.tauG2.yImaginary;
        _tauG2YReal = key.tauG2.yReal;
        _tauSquaredG2XImaginary = key.tauSquaredG2.xImaginary;
        _tauSquaredG2XReal = key.tauSquaredG2.xReal;
        _tauSquaredG2YImaginary = key.tauSquaredG2.yImaginary;
        _tauSquaredG2YReal = key.tauSquaredG2.yReal;
    }

    /* VERIFICATION */

    /// @inheritdoc IRoundVerifier
    function verify(bytes32 context, bytes calldata commitments, bytes calldata gram, bytes calldata proof)
        external
        view
        returns (bool)
    {
        (Challenges memory challenges, Opening memory opening) = _draw(context, commitments, gram, proof);
        Sum memory sum = _combine(commitments, challenges, proof);
        return _requireOpened(context, sum, opening, proof);
    }

    /// @inheritdoc IRoundVerifier
    /// @dev One equation holds both claims, see docs/gram-proof.md, section The model step.
    function verifyStep(
        bytes32 context,
        bytes calldata commitments,
        bytes calldata gram,
        bytes calldata proof,
        Step calldata step
    ) external view returns (bool) {
        Models memory models = ModelStep.read(step, commitments.length / GramEncoding.POINT_BYTES);
        (Challenges memory challenges, Opening memory opening) = _draw(context, commitments, gram, proof);
        uint256 lambda = GramTranscript.stepFactor(challenges.batch, proof, step.weights, models);
        ModelStep.addWeights(challenges.rho, lambda, step.weights);
        Sum memory sum = _combine(commitments, challenges, proof);
        ModelStep.addDifference(sum, lambda, models);
        return _requireOpened(context, sum, opening, proof);
    }

    /// @inheritdoc IRoundVerifier
    function initialModel() external pure returns (bytes memory) {
        return new bytes(GramEncoding.POINT_BYTES);
    }

    /* STEPS OF THE PROTOCOL */

    /// @dev Checks the encoding, then steps 2, 4 and 5: the challenges, and what has to be opened.
    function _draw(bytes32 context, bytes calldata commitments, bytes calldata gram, bytes calldata proof)
        private
        view
        returns (Challenges memory challenges, Opening memory opening)
    {
        uint256 count = GramEncoding.check(commitments, gram, proof);
        bytes32 statement = GramTranscript.statementOf(srs, context, commitments, gram, proof);
        challenges = GramTranscript.challengesOf(statement, count, proof);
        opening = _openingOf(challenges, QuadraticForm.evaluate(gram, challenges.rho, count), proof);
    }

    /// @dev Steps 2, 4 and 5: the line through the claimed values, with `c = form + mu`.
    function _openingOf(Challenges memory challenges, uint256 form, bytes calldata proof)
        private
        view
        returns (Opening memory)
    {
        uint256 c = addmod(form, GramEncoding.scalar(proof, GramEncoding.MU), Bn254.SCALAR_ORDER);
        Values memory values = Values({
            u: GramEncoding.scalar(proof, GramEncoding.U),
            v: GramEncoding.scalar(proof, GramEncoding.V),
            w: GramEncoding.scalar(proof, GramEncoding.W)
        });
        return GramOpening.openingAt(challenges.z, challenges.gamma, c, values);
    }

    /// @dev Step 5: `C_P = sum_i rho_i C_i + C_M + gamma C_g`.
    function _combine(bytes calldata commitments, Challenges memory challenges, bytes calldata proof)
        private
        view
        returns (Sum memory sum)
    {
        (sum.x, sum.y) = GramEncoding.point(proof, GramEncoding.MASK_COMMITMENT);
        (uint256 x, uint256 y) = GramEncoding.point(proof, GramEncoding.CORRELATION_COMMITMENT);
        sum.addMultiple(x, y, challenges.gamma);
        uint256[] memory rho = challenges.rho;
        // There are at most 255 commitments.
        unchecked {
            uint256 count = commitments.length / GramEncoding.POINT_BYTES;
            for (uint256 i = 0; i < count; ++i) {
                (x, y) = GramEncoding.point(commitments, i * GramEncoding.POINT_BYTES);
                sum.addMultiple(x, y, rho[i]);
            }
        }
    }

    /// @dev Step 6: reverts unless the sum `C_P` is opened as claimed.
    /// @return True.
    function _requireOpened(bytes32 context, Sum memory sum, Opening memory opening, bytes calldata proof)
        private
        view
        returns (bool)
    {
        _subtractClaims(sum, opening, proof);
        require(_isOpened(sum, opening.sum, proof), Errors.GramVerifier_EquationFails(context));
        return true;
    }

    /// @dev Step 6: makes `C_P` into `Q = C_P - l_0 [1] - l_1 [tau] - e [beta]`.
    function _subtractClaims(Sum memory sum, Opening memory opening, bytes calldata proof) private view {
        G1Point memory one = Bn254.generator();
        sum.addMultiple(one.x, one.y, Bn254.SCALAR_ORDER - opening.constantTerm);
        sum.addMultiple(_tauX, _tauY, Bn254.SCALAR_ORDER - opening.slope);
        sum.addMultiple(_betaX, _betaY, Bn254.SCALAR_ORDER - GramEncoding.scalar(proof, GramEncoding.E));
    }

    /// @dev Equation (3): `pairing(Q - pi, [1]_2) * pairing(s pi, [tau]_2) * pairing(-pi, [tau^2]_2) = 1`.
    function _isOpened(Sum memory q, uint256 s, bytes calldata proof) private view returns (bool) {
        (uint256 x, uint256 y) = GramEncoding.point(proof, GramEncoding.PI);
        q.add(x, Bn254.negate(y));
        q.multiply(x, y, s);
        bytes memory first = abi.encode(q.x, q.y, Bn254.generatorG2());
        bytes memory second = abi.encode(q.termX, q.termY, _tauG2());
        bytes memory third = abi.encode(x, Bn254.negate(y), _tauSquaredG2());
        return Bn254.isProductOne(bytes.concat(first, second, third));
    }

    /* VERIFICATION KEY */

    function _tauG2() private view returns (G2Point memory) {
        return G2Point(_tauG2XImaginary, _tauG2XReal, _tauG2YImaginary, _tauG2YReal);
    }

    function _tauSquaredG2() private view returns (G2Point memory) {
        return
            G2Point(_tauSquaredG2XImaginary, _tauSquaredG2XReal, _tauSquaredG2YImaginary, _tauSquaredG2YReal);
    }
}
