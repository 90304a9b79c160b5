// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice A contract account that takes the native coin.
contract Wallet {
    receive() external payable virtual {}
}

/// @notice Calls a target back, with each of its prepared calls, whenever it is paid in the coin or told of a token.
contract Reentrant is Wallet {
    address private _target;
    bytes[] private _calls;
    uint256 public tries;
    uint256 public successes;
    bytes[] public answers;

    function arm(address target, bytes[] calldata calls) external {
        _target = target;
        delete _calls;
        for (uint256 i = 0; i < calls.length; ++i) {
            _calls.push(calls[i]);
        }
    }

    receive() external payable override {
        _strike();
    }

    function tokensMoved() external {
        _strike();
    }

    function _strike() private {
        for (uint256 i = 0; i < _calls.length; ++i) {
            (bool done, bytes memory answer) = _target.call(_calls[i]);
            ++tries;
            if (done) ++successes;
            answers.push(answer);
        }
    }
}

/// @notice Refuses the coin.
contract Refusing is Wallet {
    error NotWanted();

    receive() external payable override {
        revert NotWanted();
    }
}

/// @notice Burns all gas when it is paid.
contract Burning is Wallet {
    receive() external payable override {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @notice Returns a megabyte when it is paid.
contract Bombing is Wallet {
    receive() external payable override {
        assembly {
            return(0, 1000000)
        }
    }
}

/// @notice Reverts with a megabyte when it is paid.
contract RevertBombing is Wallet {
    receive() external payable override {
        assembly {
            revert(0, 1000000)
        }
    }
}
