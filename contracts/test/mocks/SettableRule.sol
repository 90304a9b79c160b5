// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice A rule whose answer the test sets; until then it keeps everyone, all alike. It does not inherit `IRule`, whose
/// functions are pure; the market can't tell.
contract SettableRule {
    uint256[] private _weights;
    int256[] private _contributions;
    bool private _isSet;
    bool private _ignoresReference;

    /// @notice Sets what the rule answers from now on.
    function set(uint256[] memory weights, int256[] memory contributions) external {
        _weights = weights;
        _contributions = contributions;
        _isSet = true;
    }

    /// @notice Sets whether the rule ignores the reference from now on.
    function setIgnoresReference(bool ignores) external {
        _ignoresReference = ignores;
    }

    /// @notice Goes back to keeping everyone.
    function reset() external {
        _isSet = false;
    }

    function name() external pure returns (string memory) {
        return "settable";
    }

    function evaluate(bytes calldata, uint256 trainers, uint256 references, uint256)
        external
        view
        returns (uint256[] memory weights, int256[] memory contributions, bool referenceUsed)
    {
        referenceUsed = references != 0 && !_ignoresReference;
        if (_isSet) return (_weights, _contributions, referenceUsed);
        weights = new uint256[](trainers);
        contributions = new int256[](trainers);
        for (uint256 i = 0; i < trainers; ++i) {
            weights[i] = 2 ** 16 / trainers;
            contributions[i] = 1;
        }
    }
}
