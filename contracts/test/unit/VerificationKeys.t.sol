// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254, G1Point, G2Point} from "../../src/libraries/Bn254.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {VerificationKey, VerificationKeys} from "../../src/libraries/VerificationKeys.sol";
import {GramFixture} from "../GramFixture.sol";

contract VerificationKeysTest is GramFixture {
    uint256 private constant P = Bn254.BASE_ORDER;
    /// @dev Enough for a check; what a precompile refuses costs all of it.
    uint256 private constant GAS = 1_000_000;

    VerificationKey private key;

    function setUp() public override {
        super.setUp();
        key = _key();
    }

    function check(VerificationKey calldata candidate) external view {
        VerificationKeys.check(candidate);
    }

    function test_When_TheKeyIsSound() external view {
        this.check(key);
    }

    /* POINTS OF G1 */

    function test_RevertWhen_APointOfG1IsThePointAtInfinity() external {
        key.tau = G1Point(0, 0);
        _refuses(abi.encodeWithSelector(Errors.GramVerifier_PointAtInfinity.selector, bytes32("[tau]"), 0));
        key = _key();
        key.beta = G1Point(0, 0);
        _refuses(abi.encodeWithSelector(Errors.GramVerifier_PointAtInfinity.selector, bytes32("[beta]"), 0));
    }

    function test_RevertWhen_ACoordinateOfG1IsOutOfRange() external {
        key.tau.x += P;
        _refusesPoint(Errors.GramVerifier_CoordinateOutOfRange.selector, "[tau]", key.tau);
        key = _key();
        key.beta.y += P;
        _refusesPoint(Errors.GramVerifier_CoordinateOutOfRange.selector, "[beta]", key.beta);
    }

    function test_RevertWhen_APointOfG1IsOffTheCurve() external {
        key.tau.y ^= 1;
        _refusesPoint(Errors.GramVerifier_PointNotOnCurve.selector, "[tau]", key.tau);
        key = _key();
        key.beta.x ^= 1;
        _refusesPoint(Errors.GramVerifier_PointNotOnCurve.selector, "[beta]", key.beta);
    }

    /* SECRETS THAT ARE NONE */

    function test_RevertWhen_TauIsOne() external {
        key.tau = Bn254.generator();
        key.tauG2 = Bn254.generatorG2();
        key.tauSquaredG2 = Bn254.generatorG2();
        _weak("[tau]", "[1]");
    }

    function test_RevertWhen_TauIsMinusOne() external {
        key.tau = _negated(Bn254.generator());
        key.tauSquaredG2 = Bn254.generatorG2();
        _weak("[tau]", "[1]");
    }

    function test_RevertWhen_BetaIsOne() external {
        key.beta = Bn254.generator();
        _weak("[beta]", "[1]");
    }

    function test_RevertWhen_BetaIsMinusOne() external {
        key.beta = _negated(Bn254.generator());
        _weak("[beta]", "[1]");
    }

    function test_RevertWhen_BetaIsTau() external {
        key.beta = key.tau;
        _weak("[beta]", "[tau]");
    }

    function test_RevertWhen_BetaIsMinusTau() external {
        key.beta = _negated(key.tau);
        _weak("[beta]", "[tau]");
    }

    /* POINTS OF G2 */

    function test_RevertWhen_APointOfG2IsThePointAtInfinity() external {
        key.tauG2 = G2Point(0, 0, 0, 0);
        _refuses(abi.encodeWithSelector(Errors.GramVerifier_PointAtInfinity.selector, bytes32("[tau]_2"), 0));
        key = _key();
        key.tauSquaredG2 = G2Point(0, 0, 0, 0);
        _refuses(
            abi.encodeWithSelector(Errors.GramVerifier_PointAtInfinity.selector, bytes32("[tau^2]_2"), 0)
        );
    }

    function test_RevertWhen_TauInG2IsTheGenerator() external {
        key.tauG2 = Bn254.generatorG2();
        _inconsistent("[tau]_2");
    }

    function test_RevertWhen_TauInG2IsAnother() external {
        key.tauG2 = key.tauSquaredG2;
        _inconsistent("[tau]_2");
    }

    function test_RevertWhen_TheSquareOfTauIsAnother() external {
        key.tauSquaredG2 = key.tauG2;
        _inconsistent("[tau^2]_2");
        key.tauSquaredG2 = Bn254.generatorG2();
        _inconsistent("[tau^2]_2");
    }

    function test_RevertWhen_APointOfG2IsOffTheCurve() external {
        key.tauG2.xReal ^= 1;
        _unanswered();
        key = _key();
        key.tauSquaredG2.yImaginary ^= 1;
        _unanswered();
        // A point is the point at infinity only if all its coordinates are zero.
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory words = _with(new bytes(128), 32 * i, 1);
            key = _key();
            key.tauG2 = abi.decode(words, (G2Point));
            _unanswered();
        }
    }

    function test_RevertWhen_ACoordinateOfG2IsOutOfRange() external {
        key.tauG2.xImaginary += P;
        _unanswered();
        key = _key();
        key.tauSquaredG2.yReal += P;
        _unanswered();
    }

    function test_RevertWhen_APointOfG2IsOutsideTheSubgroup() external {
        key.tauG2 = abi.decode(_bytes(".outsideSubgroup"), (G2Point));
        _unanswered();
        key = _key();
        key.tauSquaredG2 = abi.decode(_bytes(".outsideSubgroup"), (G2Point));
        _unanswered();
    }

    /* WHAT IS EXPECTED */

    function _negated(G1Point memory point) private pure returns (G1Point memory) {
        return G1Point(point.x, P - point.y);
    }

    function _refusesPoint(bytes4 selector, bytes32 element, G1Point memory point) private {
        _refuses(abi.encodeWithSelector(selector, element, 0, point.x, point.y));
    }

    function _weak(bytes32 element, bytes32 other) private {
        _refuses(abi.encodeWithSelector(Errors.GramVerifier_WeakKey.selector, element, other));
    }

    function _inconsistent(bytes32 element) private {
        _refuses(abi.encodeWithSelector(Errors.GramVerifier_InconsistentKey.selector, element));
    }

    function _unanswered() private {
        _refuses(abi.encodeWithSelector(Errors.GramVerifier_PrecompileFailed.selector, 8));
    }

    function _refuses(bytes memory reason) private {
        vm.expectRevert(reason);
        this.check{gas: GAS}(key);
    }
}
