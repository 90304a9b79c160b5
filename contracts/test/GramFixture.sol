// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {G1Point} from "../src/libraries/Bn254.sol";
import {VerificationKey} from "../src/libraries/VerificationKeys.sol";
import {Vm} from "./Vm.sol";

/// @notice Gram proofs made by the readable prover, from `vectors/gram.json`, which `scripts/write_gram_vectors.py` writes.
abstract contract GramFixture {
    struct Proven {
        bytes32 context;
        bytes commitments;
        bytes gram;
        bytes proof;
    }

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    string internal vectors;

    function setUp() public virtual {
        vectors = vm.readFile("test/vectors/gram.json");
    }

    function _key() internal view returns (VerificationKey memory) {
        return abi.decode(_bytes(".key"), (VerificationKey));
    }

    function _proven(string memory name) internal view returns (Proven memory) {
        string memory path = string.concat(".proofs.", name);
        return Proven({
            context: _word(string.concat(path, ".context")),
            commitments: _bytes(string.concat(path, ".commitments")),
            gram: _bytes(string.concat(path, ".gram")),
            proof: _bytes(string.concat(path, ".proof"))
        });
    }

    function _challenges(string memory name) internal view returns (uint256[] memory rho) {
        bytes32[] memory words = vm.parseJsonBytes32Array(vectors, string.concat(".proofs.", name, ".rho"));
        rho = new uint256[](words.length);
        for (uint256 i = 0; i < words.length; ++i) {
            rho[i] = uint256(words[i]);
        }
    }

    function _bytes(string memory path) internal view returns (bytes memory) {
        return vm.parseJsonBytes(vectors, path);
    }

    function _word(string memory path) internal view returns (bytes32) {
        return vm.parseJsonBytes32(vectors, path);
    }

    /// @dev A copy of `data` with the 32 bytes at `offset` replaced.
    function _with(bytes memory data, uint256 offset, uint256 value)
        internal
        pure
        returns (bytes memory copy)
    {
        copy = bytes.concat(data);
        assembly ("memory-safe") {
            mstore(add(add(copy, 32), offset), value)
        }
    }

    function _wordAt(bytes memory data, uint256 offset) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(data, 32), offset))
        }
    }

    /// @dev The first `length` bytes, or all and zeros behind them.
    function _resized(bytes memory data, uint256 length) internal pure returns (bytes memory copy) {
        copy = new bytes(length);
        for (uint256 i = 0; i < length && i < data.length; ++i) {
            copy[i] = data[i];
        }
    }

    function _asPoint(bytes memory data) internal pure returns (G1Point memory) {
        return abi.decode(data, (G1Point));
    }
}
