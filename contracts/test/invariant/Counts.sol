// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "../Vm.sol";

/// @notice Counts what a campaign reached, and fails it for what it missed.
abstract contract Counts {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant CONSOLE = 0x000000000000000000636F6e736F6c652e6c6f67;

    mapping(bytes32 name => uint256) internal counts;

    function _count(bytes32 name) internal {
        ++counts[name];
    }

    /// @dev The market's functions; each is counted under its name, a refused call under its name in `REFUSED`.
    function _functions() internal pure returns (bytes32[19] memory) {
        return [
            bytes32("create"),
            "abort",
            "accept",
            "rotateKey",
            "missing",
            "settle",
            "join",
            "leaveJob",
            "submit",
            "submitReference",
            "flag",
            "refuteGram",
            "start",
            "closeSubmissions",
            "voidRound",
            "expire",
            "complete",
            "withdraw",
            "burn"
        ];
    }

    /// @dev Every transition of job, round and trainer.
    function _transitions() internal pure returns (bytes32[45] memory) {
        return [
            bytes32("Open to Running"),
            "Open to Aborted: owner",
            "Open to Aborted: deadline",
            "Running to Completed",
            "to Aborted: owner's request",
            "to Aborted: two failures",
            "to Aborted: too many voids",
            "to Aborted: too few active",
            "to Aborted: flagged",
            "to Aborted: refuted",
            "ended at once",
            "ended after the challenge window",
            "round settled",
            "round settled: nobody paid",
            "round void: too few submitted",
            "round void: too few accepted",
            "round void: too many faulty",
            "round void: too few kept",
            "round void: flagged",
            "round void: refuted",
            "round expired",
            "submissions closed early",
            "submissions ended by time",
            "reference excluded",
            "trainer joined: open",
            "trainer joined: running",
            "trainer left: open",
            "trainer left: before its round",
            "trainer left: after its round",
            "trainer removed: absent",
            "trainer removed: excluded",
            "trainer removed: struck out",
            "trainer struck",
            "refutation announced",
            "stake given back",
            "pay taken back",
            "lie settled",
            "refused: word of the proof",
            "refused: proof replayed",
            "refused: entry of the matrix",
            "refused: new model",
            "refused: weights",
            "refused: aggregate",
            "refused: evidence",
            "everybody got out"
        ];
    }

    /// @dev Prints the counts and fails unless everything was reached as often.
    function _requireReached(uint256 minimum) internal view {
        uint256 calls = 0;
        _print("function, accepted, refused");
        bytes32[19] memory functions = _functions();
        for (uint256 i = 0; i < functions.length; ++i) {
            (uint256 accepted, uint256 refused) = (counts[functions[i]], counts[_refused(functions[i])]);
            calls += accepted + refused;
            _print(
                string.concat(_text(functions[i]), ", ", vm.toString(accepted), ", ", vm.toString(refused))
            );
        }
        _print(string.concat("all calls, ", vm.toString(calls)));
        bytes32[45] memory transitions = _transitions();
        for (uint256 i = 0; i < transitions.length; ++i) {
            _print(string.concat(_text(transitions[i]), ", ", vm.toString(counts[transitions[i]])));
        }
        for (uint256 i = 0; i < functions.length; ++i) {
            _requireCount(functions[i], minimum);
            _requireCount(_refused(functions[i]), minimum);
        }
        for (uint256 i = 0; i < transitions.length; ++i) {
            _requireCount(transitions[i], minimum);
        }
    }

    function _requireCount(bytes32 name, uint256 minimum) private view {
        vm.assertGe(counts[name], minimum, string.concat("not reached often enough: ", _text(name)));
    }

    /// @dev The name under which a refused call is counted.
    function _refused(bytes32 name) internal pure returns (bytes32) {
        return bytes32(bytes.concat("no ", name));
    }

    function _text(bytes32 name) internal pure returns (string memory) {
        uint256 length = 0;
        while (length < 32 && name[length] != 0) ++length;
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            text[i] = name[i];
        }
        return string(text);
    }

    /// @dev Forge shows what is sent to this address.
    function _print(string memory line) internal view {
        (bool shown,) = CONSOLE.staticcall(abi.encodeWithSignature("log(string)", line));
        shown;
    }
}
