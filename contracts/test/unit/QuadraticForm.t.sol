// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254} from "../../src/libraries/Bn254.sol";
import {QuadraticForm} from "../../src/libraries/QuadraticForm.sol";
import {GramFixture} from "../GramFixture.sol";

contract QuadraticFormTest is GramFixture {
    uint256 private constant R = Bn254.SCALAR_ORDER;
    uint256 private constant MOST = 255;

    function evaluate(bytes calldata gram, uint256[] memory rho, uint256 count)
        public
        pure
        returns (uint256)
    {
        return QuadraticForm.evaluate(gram, rho, count);
    }

    function evaluateStart(bytes calldata gram, uint256 length, uint256[] memory rho, uint256 count)
        external
        pure
        returns (uint256)
    {
        return QuadraticForm.evaluate(gram[:length], rho, count);
    }

    function test_When_AProvenMatrixIsEvaluated() external view {
        string[4] memory names = ["one", "three", "zero", "extremes"];
        for (uint256 i = 0; i < names.length; ++i) {
            uint256[] memory rho = _challenges(names[i]);
            uint256 value = this.evaluate(_proven(names[i]).gram, _padded(rho), rho.length);
            vm.assertEq(bytes32(value), _word(string.concat(".proofs.", names[i], ".form")), names[i]);
        }
    }

    function testFuzz_When_AnyMatrixIsEvaluated(uint256 seed, uint256 count) external view {
        count = 1 + count % 17;
        uint256[] memory rho = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            rho[i] = uint128(uint256(keccak256(abi.encode(seed, "rho", i))));
        }
        bytes memory gram = new bytes(0);
        uint256 expected = 0;
        for (uint256 i = 0; i < count; ++i) {
            for (uint256 j = i; j < count; ++j) {
                int64 entry = int64(uint64(uint256(keccak256(abi.encode(seed, i, j)))));
                gram = abi.encodePacked(gram, entry);
                uint256 term = _product(rho[i], rho[j], entry);
                expected = addmod(expected, i == j ? term : addmod(term, term, R), R);
            }
        }
        vm.assertEq(this.evaluate(gram, _padded(rho), count), expected, "sum over all pairs");
    }

    function test_When_EntriesAndChallengesAreTheLargest() external view {
        _evaluatesConstant(type(int64).max);
    }

    function test_When_EntriesAreTheLowest() external view {
        _evaluatesConstant(type(int64).min);
    }

    function test_When_BytesFollowTheMatrix() external view {
        uint256[] memory rho = _challenges("extremes");
        bytes memory gram = _proven("extremes").gram;
        bytes memory longer = bytes.concat(gram, abi.encode(type(uint256).max, type(uint256).max));
        uint256 value = this.evaluateStart(longer, gram.length, _padded(rho), rho.length);
        vm.assertEq(value, this.evaluate(gram, _padded(rho), rho.length), "value");
    }

    function _evaluatesConstant(int64 entry) private view {
        uint256[] memory rho = new uint256[](MOST);
        uint256 total = 0;
        for (uint256 i = 0; i < MOST; ++i) {
            rho[i] = type(uint128).max;
            total += rho[i];
        }
        bytes memory gram = new bytes(4 * MOST * (MOST + 1));
        for (uint256 i = 0; i < gram.length; ++i) {
            gram[i] = bytes8(uint64(entry))[i % 8];
        }
        // (sum_i rho_i)^2 times the entry.
        vm.assertEq(this.evaluate(gram, _padded(rho), MOST), _product(total, total, entry), "value");
    }

    function _product(uint256 left, uint256 right, int64 entry) private pure returns (uint256) {
        uint256 size = entry < 0 ? uint256(-int256(entry)) : uint256(int256(entry));
        uint256 product = mulmod(mulmod(left, right, R), size, R);
        return entry < 0 ? addmod(0, R - product, R) : product;
    }

    function _padded(uint256[] memory rho) private pure returns (uint256[] memory padded) {
        padded = new uint256[](rho.length + 3);
        for (uint256 i = 0; i < rho.length; ++i) {
            padded[i] = rho[i];
        }
    }
}
