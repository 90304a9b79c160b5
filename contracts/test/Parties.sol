// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TrainingMarket} from "../src/TrainingMarket.sol";
import {Terms} from "../src/Types.sol";
import {IRoundVerifier} from "../src/interfaces/IRoundVerifier.sol";
import {IRule} from "../src/interfaces/IRule.sol";
import {Vm} from "./Vm.sol";
import {AcceptingVerifier} from "./mocks/AcceptingVerifier.sol";
import {SettableRule} from "./mocks/SettableRule.sol";
import {PlainToken} from "./mocks/Tokens.sol";

/// @notice A market, the parties of a job, and terms that they could agree on.
///
/// @dev Times come from `vm.getBlockTimestamp`: the optimizer may read `block.timestamp` once for a whole test.
abstract contract Parties {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant TRAINERS = 10;
    address internal constant BURN = 0x000000000000000000000000000000000000dEaD;
    uint256 internal constant START = 1_750_000_000;
    bytes32 internal constant KEY = keccak256("the aggregator's key");

    TrainingMarket internal market;
    SettableRule internal rule;
    PlainToken internal token;
    address internal owner;
    address internal aggregator;
    address internal referee;
    address internal stranger;
    /// @dev In ascending order of address.
    address[] internal trainers;

    function setUp() public virtual {
        vm.warp(START);
        owner = _account("owner");
        aggregator = _account("aggregator");
        referee = _account("referee");
        stranger = _account("stranger");
        for (uint256 i = 0; i < TRAINERS; ++i) {
            trainers.push(_account(string.concat("trainer ", vm.toString(i))));
        }
        trainers = _ascending(trainers);
        rule = new SettableRule();
        token = new PlainToken();
        market = _deploy(new AcceptingVerifier(), address(rule));
    }

    /* PARTS */

    function _deploy(IRoundVerifier verifier, address onlyRule) internal returns (TrainingMarket) {
        IRule[] memory rules = new IRule[](1);
        rules[0] = IRule(onlyRule);
        return _deploy(verifier, rules);
    }

    /// @dev Takes the market's code from its artifact: a test that contained it would be compiled with all of it each
    /// time, which takes minutes through the intermediate representation. Mutation testing gives other code.
    function _deploy(IRoundVerifier verifier, IRule[] memory rules)
        internal
        returns (TrainingMarket deployed)
    {
        bytes memory code = vm.envOr("MARKET_CODE", bytes(""));
        if (code.length == 0) code = vm.getCode("TrainingMarket.sol:TrainingMarket");
        code = bytes.concat(code, abi.encode(verifier, rules));
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
            if iszero(deployed) {
                returndatacopy(mload(64), 0, returndatasize())
                revert(mload(64), returndatasize())
            }
        }
    }

    function _account(string memory name) internal returns (address account) {
        account = address(uint160(uint256(keccak256(bytes(name)))));
        vm.label(account, name);
    }

    /// @dev Three rounds, two failures of five trainers at most, a referee, the native coin; amounts that don't divide.
    function _terms() internal view virtual returns (Terms memory terms) {
        terms.aggregator = aggregator;
        terms.rewardPerRound = 10_007;
        terms.rule = IRule(address(rule));
        terms.dimension = 1000;
        terms.coordinateBits = 16;
        terms.scaleExponent = 12;
        terms.tolerated = 1;
        terms.references = 1;
        terms.minTrainers = 5;
        terms.maxTrainers = 8;
        terms.submitWindow = 1000;
        terms.deliverWindow = 600;
        terms.settleWindow = 500;
        terms.challengeWindow = 400;
        terms.startDeadline = uint40(vm.getBlockTimestamp() + 1 days);
        terms.rounds = 3;
        terms.strikeToleranceBps = 1000;
        terms.strikeLimit = 2;
        terms.stake = 2003;
        terms.absencePenalty = 200;
        terms.penalty = 11_009;
        terms.bond = 22_019;
        terms.aggregatorFeePerRound = 1009;
        terms.referee = referee;
        terms.refereeFeePerRound = 503;
    }

    function _tokenTerms() internal view returns (Terms memory terms) {
        terms = _terms();
        terms.token = address(token);
    }

    function _deposit(Terms memory terms) internal pure returns (uint256) {
        return uint256(terms.rounds)
            * (uint256(terms.rewardPerRound) + terms.aggregatorFeePerRound + terms.refereeFeePerRound);
    }

    /// @dev A well-formed CID. The digest is not SHA-256, whose precompile would use up a `vm.prank`.
    function _cid(string memory content) internal pure returns (bytes memory) {
        return abi.encodePacked(hex"01551220", keccak256(bytes(content)));
    }

    function _specification() internal pure returns (bytes memory) {
        return _cid("specification");
    }

    /* HELPERS */

    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function _ascending(address[] memory accounts) internal pure returns (address[] memory) {
        for (uint256 i = 1; i < accounts.length; ++i) {
            for (uint256 j = i; j > 0 && accounts[j - 1] > accounts[j]; --j) {
                (accounts[j - 1], accounts[j]) = (accounts[j], accounts[j - 1]);
            }
        }
        return accounts;
    }

    function _without(address[] memory accounts, address account)
        internal
        pure
        returns (address[] memory rest)
    {
        rest = new address[](accounts.length - 1);
        uint256 kept = 0;
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] != account) rest[kept++] = accounts[i];
        }
    }

    function _list(address account) internal pure returns (address[] memory accounts) {
        accounts = new address[](1);
        accounts[0] = account;
    }

    /// @dev The first `count` trainers.
    function _first(uint256 count) internal view returns (address[] memory accounts) {
        accounts = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = trainers[i];
        }
    }
}
