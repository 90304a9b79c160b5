// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254, G1Point, G2Point, Sum} from "../../src/libraries/Bn254.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {GramFixture} from "../GramFixture.sol";

contract Bn254Test is GramFixture {
    using Bn254 for Sum;

    uint256 private constant P = Bn254.BASE_ORDER;
    uint256 private constant R = Bn254.SCALAR_ORDER;
    /// @dev Enough for any call; what a precompile refuses costs all of it.
    uint256 private constant GAS = 1_000_000;

    /* CALLS THAT MAY REVERT */

    function inverse(uint256 value) external view returns (uint256) {
        return Bn254.inverse(value);
    }

    function multiple(uint256 x, uint256 y, uint256 factor) external view returns (G1Point memory) {
        Sum memory sum;
        sum.multiply(x, y, factor);
        return G1Point(sum.termX, sum.termY);
    }

    function sumOf(G1Point calldata left, G1Point calldata right) external view returns (G1Point memory) {
        Sum memory sum;
        (sum.x, sum.y) = (left.x, left.y);
        sum.add(right.x, right.y);
        return G1Point(sum.x, sum.y);
    }

    function isProductOne(bytes calldata pairs) external view returns (bool) {
        return Bn254.isProductOne(pairs);
    }

    /* THE CURVE */

    function test_When_TheGeneratorsAreAskedFor() external view {
        G1Point memory one = Bn254.generator();
        vm.assertTrue(Bn254.isOnCurve(one.x, one.y), "generator of G1");
        // The precompile refuses what is no point of G2, and a pairing with the point at infinity would be one.
        vm.assertFalse(this.isProductOne(abi.encode(one, Bn254.generatorG2())), "generator of G2");
    }

    function test_When_APointIsOnTheCurve() external view {
        G1Point memory tau = _key().tau;
        vm.assertTrue(Bn254.isOnCurve(tau.x, tau.y), "[tau]");
        vm.assertTrue(Bn254.isOnCurve(tau.x, P - tau.y), "-[tau]");
    }

    function test_When_APointIsOffTheCurve() external view {
        G1Point memory tau = _key().tau;
        vm.assertFalse(Bn254.isOnCurve(tau.x, tau.y ^ 1), "another y");
        vm.assertFalse(Bn254.isOnCurve(tau.x ^ 1, tau.y), "another x");
        vm.assertFalse(Bn254.isOnCurve(tau.y, tau.x), "exchanged");
        vm.assertFalse(Bn254.isOnCurve(0, 0), "the point at infinity");
    }

    function test_When_APointIsNegated() external view {
        G1Point memory tau = _key().tau;
        G1Point memory zero = this.sumOf(tau, G1Point(tau.x, Bn254.negate(tau.y)));
        vm.assertEq(zero.x | zero.y, 0, "point at infinity");
    }

    function testFuzz_When_AnyScalarIsInverted(uint256 value) external view {
        value %= R;
        vm.assume(value != 0);
        vm.assertEq(mulmod(value, this.inverse(value), R), 1, "product");
        vm.assertEq(this.inverse(1), 1, "one");
        vm.assertEq(this.inverse(R - 1), R - 1, "minus one");
    }

    function testFuzz_When_AnyMultiplesAreAdded(uint256 a, uint256 b) external view {
        G1Point memory tau = _key().tau;
        Sum memory sum;
        sum.addMultiple(tau.x, tau.y, a);
        sum.addMultiple(tau.x, tau.y, b);
        G1Point memory expected = this.multiple(tau.x, tau.y, addmod(a, b, R));
        vm.assertEq(sum.x, expected.x, "x");
        vm.assertEq(sum.y, expected.y, "y");
    }

    function test_When_APointIsAddedToThePointAtInfinity() external view {
        G1Point memory tau = _key().tau;
        G1Point memory sum = this.sumOf(G1Point(0, 0), tau);
        vm.assertEq(sum.x, tau.x, "x");
        vm.assertEq(sum.y, tau.y, "y");
        Sum memory twice;
        twice.add(tau.x, tau.y);
        twice.add(tau.x, tau.y);
        vm.assertEq(abi.encodePacked(twice.x, twice.y), _bytes(".tauTimesTwo"), "doubled");
    }

    /* PAIRINGS */

    function test_When_AProductOfPairingsIsOne() external view {
        vm.assertTrue(this.isProductOne(_equalPairings()), "e([tau], [1]_2) e(-[1], [tau]_2)");
        vm.assertTrue(this.isProductOne(""), "the product of no pairings");
    }

    function test_When_AProductOfPairingsIsNotOne() external view {
        G1Point memory one = Bn254.generator();
        bytes memory pairs = abi.encode(_key().tau, Bn254.generatorG2(), one, _key().tauG2);
        vm.assertFalse(this.isProductOne(pairs), "e([tau], [1]_2) e([1], [tau]_2)");
    }

    /* PRECOMPILES THAT FAIL */

    function test_RevertWhen_APrecompileRefusesItsInput() external {
        _expectFailure(6);
        this.sumOf{gas: GAS}(G1Point(1, 1), G1Point(1, 2));
        _expectFailure(7);
        this.multiple{gas: GAS}(1, 1, 5);
        _expectFailure(8);
        this.isProductOne{gas: GAS}(abi.encode(Bn254.generator(), G2Point(1, 2, 3, 4)));
        _expectFailure(8);
        this.isProductOne{gas: GAS}(abi.encodePacked(_bytes(".tauTimesTwo"), _bytes(".outsideSubgroup")));
        _expectFailure(8);
        this.isProductOne{gas: GAS}(hex"00");
    }

    function test_RevertWhen_APrecompileHasTooLittleGas() external {
        // With so little gas nothing may be left to say why.
        vm.expectRevert();
        this.inverse{gas: 2000}(3);
        vm.expectRevert();
        this.multiple{gas: 6500}(1, 2, 3);
        _expectFailure(8);
        this.isProductOne{gas: 80_000}(_equalPairings());
    }

    function test_RevertWhen_ThereIsNoPrecompile() external {
        _answerAll("");
        _failAll();
    }

    function test_RevertWhen_APrecompileAnswersWithTooManyBytes() external {
        _answerAll(new bytes(96));
        _failAll();
    }

    function _answerAll(bytes memory answer) private {
        for (uint160 number = 5; number <= 8; ++number) {
            vm.mockCall(address(number), "", answer);
        }
    }

    function _failAll() private {
        _expectFailure(5);
        this.inverse(3);
        _expectFailure(6);
        this.sumOf(G1Point(1, 2), G1Point(1, 2));
        _expectFailure(7);
        this.multiple(1, 2, 3);
        _expectFailure(8);
        this.isProductOne(_equalPairings());
    }

    function _equalPairings() private view returns (bytes memory) {
        G1Point memory one = Bn254.generator();
        one.y = Bn254.negate(one.y);
        return abi.encode(_key().tau, Bn254.generatorG2(), one, _key().tauG2);
    }

    function _expectFailure(uint256 precompile) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_PrecompileFailed.selector, precompile));
    }
}
