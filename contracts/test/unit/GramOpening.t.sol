// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254} from "../../src/libraries/Bn254.sol";
import {Errors} from "../../src/libraries/Errors.sol";
import {GramOpening, Opening, Values} from "../../src/libraries/GramOpening.sol";
import {GramFixture} from "../GramFixture.sol";

contract GramOpeningTest is GramFixture {
    uint256 private constant R = Bn254.SCALAR_ORDER;

    function openingAt(uint256 z, uint256 gamma, uint256 c, Values memory values)
        external
        view
        returns (Opening memory)
    {
        return GramOpening.openingAt(z, gamma, c, values);
    }

    function test_RevertWhen_ZIsZero() external {
        _refuses(0);
    }

    function test_RevertWhen_ZIsOne() external {
        _refuses(1);
    }

    function test_RevertWhen_ZIsMinusOne() external {
        _refuses(R - 1);
    }

    function test_When_ZIsNextToAForbiddenValue() external view {
        _meetsClaims(2, 5, 7, Values(11, 13, 17));
        _meetsClaims(R - 2, 5, 7, Values(11, 13, 17));
        _meetsClaims(2, 0, 0, Values(0, 0, 0));
        _meetsClaims(2, R - 1, R - 1, Values(R - 1, R - 1, R - 1));
    }

    function testFuzz_When_AnyValuesAreOpened(uint256 z, uint256 gamma, uint256 c, Values memory values)
        external
        view
    {
        z = 2 + z % (R - 3);
        _meetsClaims(z, gamma % R, c % R, Values(values.u % R, values.v % R, values.w % R));
    }

    function test_When_TheValuesAreThoseOfPolynomials() external view {
        // A = 3 + 5 X, so c = <A, A> = 34 and g = 15.
        uint256 z = 1_000_003;
        uint256 inverse = Bn254.inverse(z);
        Values memory values = Values(addmod(3, mulmod(5, z, R), R), addmod(3, mulmod(5, inverse, R), R), 15);
        Opening memory opening = this.openingAt(z, 7, 34, values);
        // P = A + 7 g is itself a line.
        vm.assertEq(opening.constantTerm, 3 + 7 * 15, "constant term");
        vm.assertEq(opening.slope, 5, "slope");
        vm.assertEq(opening.sum, addmod(z, inverse, R), "z + 1/z");
    }

    function _refuses(uint256 z) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.GramVerifier_DegenerateChallenge.selector, z));
        this.openingAt(z, 1, 1, Values(1, 1, 1));
    }

    function _meetsClaims(uint256 z, uint256 gamma, uint256 c, Values memory values) private view {
        Opening memory opening = this.openingAt(z, gamma, c, values);
        uint256 inverse = Bn254.inverse(z);
        vm.assertEq(opening.sum, addmod(z, inverse, R), "z + 1/z");
        uint256 reflected = mulmod(values.u, values.v, R);
        reflected = addmod(reflected, R - c, R);
        reflected = mulmod(z, addmod(reflected, R - mulmod(z, values.w, R), R), R);
        vm.assertEq(_at(opening, z), addmod(values.u, mulmod(gamma, values.w, R), R), "at z");
        vm.assertEq(_at(opening, inverse), addmod(values.v, mulmod(gamma, reflected, R), R), "at 1/z");
        vm.assertLt(opening.constantTerm, R, "constant term below r");
        vm.assertLt(opening.slope, R, "slope below r");
    }

    function _at(Opening memory opening, uint256 x) private pure returns (uint256) {
        return addmod(opening.constantTerm, mulmod(opening.slope, x, R), R);
    }
}
