// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Errors} from "../../src/libraries/Errors.sol";
import {GramChecks} from "../../src/libraries/GramChecks.sol";
import {Base} from "../Base.sol";

contract GramChecksTest is Base {
    uint256 private constant MAXIMUM = 2 ** 62;

    function check(bytes calldata gram, uint256 rows, uint256 maximum) external pure {
        GramChecks.check(gram, rows, maximum);
    }

    function entry(bytes calldata gram, uint256 position) external pure returns (int256) {
        return GramChecks.entry(gram, position);
    }

    function test_RevertWhen_TheMatrixIsTooShort() external {
        _wrongLength(3, 47, 48);
    }

    function test_RevertWhen_TheMatrixIsTooLong() external {
        _wrongLength(3, 49, 48);
    }

    function test_When_ThereAreNoRows() external view {
        this.check("", 0, MAXIMUM);
    }

    function test_RevertWhen_ANormIsNegative() external {
        bytes memory gram = _pack([int64(1), 0, 0, 1, 0, -1]);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NormOutOfRange.selector, 2, -1, MAXIMUM));
        this.check(gram, 3, MAXIMUM);
    }

    function test_RevertWhen_ANormIsAboveTheMaximum() external {
        bytes memory gram = _pack([int64(1), 0, 0, 11, 0, 10]);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_NormOutOfRange.selector, 1, 11, 10));
        this.check(gram, 3, 10);
    }

    function test_RevertWhen_AProductIsAboveTheNorms() external {
        bytes memory gram = _pack([int64(4), 2, 0, 9, 0, 1]);
        this.check(gram, 3, MAXIMUM);
        gram = _pack([int64(4), 6, -2, 9, -3, 1]);
        this.check(gram, 3, MAXIMUM);
        gram = _pack([int64(4), 6, 0, 9, 4, 1]);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_InnerProductOutOfRange.selector, 1, 2, 4));
        this.check(gram, 3, MAXIMUM);
    }

    function test_RevertWhen_AProductIsBelowTheNorms() external {
        bytes memory gram = _pack([int64(4), -7, 0, 9, 0, 1]);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_InnerProductOutOfRange.selector, 0, 1, -7));
        this.check(gram, 3, MAXIMUM);
    }

    function test_RevertWhen_AZeroRowHasAProduct() external {
        bytes memory gram = _pack([int64(0), 0, 1, 9, 0, 1]);
        vm.expectRevert(abi.encodeWithSelector(Errors.Market_InnerProductOutOfRange.selector, 0, 2, 1));
        this.check(gram, 3, MAXIMUM);
    }

    function test_RevertWhen_AProductIsTheLowestOfItsType() external {
        bytes memory gram = _pack([int64(2 ** 62), type(int64).min, 0, 2 ** 62, 0, 1]);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Market_InnerProductOutOfRange.selector, 0, 1, type(int64).min)
        );
        this.check(gram, 3, MAXIMUM);
    }

    function test_When_EntriesAreTheLargestPossible() external view {
        this.check(_pack([int64(2 ** 62), -(2 ** 62), 2 ** 62, 2 ** 62, -(2 ** 62), 2 ** 62]), 3, MAXIMUM);
        int64 top = type(int64).max;
        this.check(_pack([top, top, top, top, -top, top]), 3, uint64(top));
    }

    function testFuzz_When_AnyMatrixIsChecked(int64[6] calldata entries) external view {
        (bool accepted,) = address(this).staticcall(abi.encodeCall(this.check, (_pack(entries), 3, MAXIMUM)));
        vm.assertTrue(accepted == _isLegal(entries), "the checks say what the definition says");
    }

    function testFuzz_When_AMatrixOfVectorsIsChecked(
        int16[4] calldata a,
        int16[4] calldata b,
        int16[4] calldata c
    ) external view {
        int64[6] memory entries = [_dot(a, a), _dot(a, b), _dot(a, c), _dot(b, b), _dot(b, c), _dot(c, c)];
        this.check(_pack(entries), 3, 4 << 30);
    }

    function testFuzz_When_OneProductOfManyRowsIsTooLarge(uint256 seed, uint8 size) external {
        uint256 rows = 2 + uint256(size) % 18;
        bytes memory gram;
        for (uint256 i = 0; i < rows; ++i) {
            for (uint256 j = i; j < rows; ++j) {
                // Norms from 4 to 6, products from -4 to 4.
                uint256 chance = uint256(keccak256(abi.encode(seed, i, j)));
                int64 entryOf = int64(i == j ? int256(4 + chance % 3) : int256(chance % 9) - 4);
                gram = bytes.concat(gram, bytes8(uint64(entryOf)));
            }
        }
        this.check(gram, rows, MAXIMUM);
        uint256 row = seed % (rows - 1);
        uint256 column = row + 1 + (seed >> 128) % (rows - 1 - row);
        int64 product = seed >> 255 == 0 ? int64(7) : int64(-7);
        gram = _put(gram, row * rows - row * (row + 1) / 2 + column, product);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Market_InnerProductOutOfRange.selector, row, column, product)
        );
        this.check(gram, rows, MAXIMUM);
    }

    function testFuzz_When_AnyEntryIsRead(int64[6] calldata entries, uint8 index) external view {
        uint256 position = index % 6;
        vm.assertEq(this.entry(_pack(entries), position), int256(entries[position]), "entry");
    }

    function _isLegal(int64[6] calldata e) private pure returns (bool) {
        int256[3] memory norms = [int256(e[0]), e[3], e[5]];
        for (uint256 i = 0; i < 3; ++i) {
            if (norms[i] < 0 || norms[i] > int256(MAXIMUM)) return false;
        }
        return int256(e[1]) * e[1] <= norms[0] * norms[1] && int256(e[2]) * e[2] <= norms[0] * norms[2]
            && int256(e[4]) * e[4] <= norms[1] * norms[2];
    }

    function _dot(int16[4] calldata a, int16[4] calldata b) private pure returns (int64 sum) {
        for (uint256 i = 0; i < 4; ++i) {
            sum += int64(a[i]) * b[i];
        }
    }

    function _pack(int64[6] memory entries) private pure returns (bytes memory gram) {
        for (uint256 i = 0; i < 6; ++i) {
            gram = bytes.concat(gram, bytes8(uint64(entries[i])));
        }
    }

    /// @dev The matrix with another entry at this position.
    function _put(bytes memory gram, uint256 position, int64 value) private pure returns (bytes memory) {
        bytes8 bits = bytes8(uint64(value));
        for (uint256 i = 0; i < 8; ++i) {
            gram[8 * position + i] = bits[i];
        }
        return gram;
    }

    function _wrongLength(uint256 rows, uint256 length, uint256 needed) private {
        bytes memory gram = new bytes(length);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.Market_WrongLength.selector, bytes32("gram"), length, needed)
        );
        this.check(gram, rows, MAXIMUM);
    }
}
