// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Does one of each thing that a local chain must do right, for the tests of the chain and its clients.
contract Probe {
    error Probe_Refused(address caller, uint256 given, uint256 limit, bytes32 term);

    event Noted(address indexed caller, uint256 indexed value, bytes data);

    uint256 public value;
    uint256 public immutable limit;
    mapping(uint256 => uint256) private filled;

    constructor(uint256 limit_) {
        limit = limit_;
    }

    receive() external payable {}

    function note(uint256 value_, bytes calldata data) external payable {
        require(value_ <= limit, Probe_Refused(msg.sender, value_, limit, "value"));
        value = value_;
        emit Noted(msg.sender, value_, data);
    }

    function failPlainly() external pure {
        revert("plainly refused");
    }

    function failByPanic(uint256 divisor) external pure returns (uint256) {
        return 1 / divisor;
    }

    function burnGas() external pure {
        while (true) {}
    }

    function fill(uint256 from, uint256 count) external {
        for (uint256 i = from; i < from + count; ++i) filled[i] = i + 1;
    }

    function clear(uint256 from, uint256 count) external {
        for (uint256 i = from; i < from + count; ++i) delete filled[i];
    }

    function descend(uint256 depth) external returns (uint256) {
        if (depth > 0) return this.descend(depth - 1);
        return ++filled[0];
    }

    function spend(uint256 rounds) external pure returns (bytes32 digest) {
        for (uint256 i = 0; i < rounds; ++i) digest = keccak256(abi.encode(digest, i));
    }

    function time() external view returns (uint256) {
        return block.timestamp;
    }

    function chain() external view returns (uint256) {
        return block.chainid;
    }

    function precompile(address target, bytes calldata input) external view returns (bool success, bytes memory output) {
        return target.staticcall(input);
    }

    function create(bytes memory code) external returns (address created) {
        assembly {
            created := create(0, add(code, 32), mload(code))
        }
    }
}
