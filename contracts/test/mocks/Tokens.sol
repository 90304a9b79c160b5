// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice An ERC-20 as most are. The tests mint at will.
contract PlainToken {
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 amount);

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external virtual returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external virtual returns (bool) {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
        return true;
    }

    function _move(address from, address to, uint256 amount) internal virtual {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }
}

/// @notice Reports failure by returning false.
contract FalseToken is PlainToken {
    function transfer(address, uint256) external pure override returns (bool) {
        return false;
    }

    function transferFrom(address, address, uint256) external pure override returns (bool) {
        return false;
    }
}

/// @notice Transfers, and returns false all the same.
contract LyingToken is PlainToken {
    function transfer(address to, uint256 amount) external override returns (bool) {
        _move(msg.sender, to, amount);
        return false;
    }
}

/// @notice Returns nothing, as some of the oldest tokens do.
contract SilentToken {
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice Keeps one hundredth of every transfer.
contract FeeToken is PlainToken {
    function _move(address from, address to, uint256 amount) internal override {
        super._move(from, to, amount);
        balanceOf[to] -= amount / 100;
    }
}

/// @notice Credits more than was sent, as a token that pays holders during a transfer does.
contract BonusToken is PlainToken {
    function _move(address from, address to, uint256 amount) internal override {
        super._move(from, to, amount);
        balanceOf[to] += 1;
    }
}

/// @notice Its issuer changes balances at will.
contract RebasingToken is PlainToken {
    function rebase(address account, uint256 balance) external {
        balanceOf[account] = balance;
    }
}

/// @notice Its issuer refuses transfers to or from some accounts, or all.
contract ControlledToken is PlainToken {
    mapping(address account => bool) public blacklisted;
    bool public paused;

    error Blacklisted(address account);
    error Paused();

    function setBlacklisted(address account, bool value) external {
        blacklisted[account] = value;
    }

    function setPaused(bool value) external {
        paused = value;
    }

    function _move(address from, address to, uint256 amount) internal override {
        require(!paused, Paused());
        require(!blacklisted[from], Blacklisted(from));
        require(!blacklisted[to], Blacklisted(to));
        super._move(from, to, amount);
    }
}

/// @notice Calls sender and receiver during every transfer, as ERC-777 does.
contract CallbackToken is PlainToken {
    function _move(address from, address to, uint256 amount) internal override {
        _notify(from);
        super._move(from, to, amount);
        _notify(to);
    }

    function _notify(address account) private {
        if (account.code.length == 0) return;
        // A party that is not interested has no such function; its failure is its own matter.
        (bool done,) = account.call(abi.encodeWithSignature("tokensMoved()"));
        done;
    }
}
