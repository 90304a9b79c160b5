// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TrainingMarket} from "../../src/TrainingMarket.sol";
import {Terms} from "../../src/Types.sol";
import {IRule} from "../../src/interfaces/IRule.sol";
import {IRoundVerifier} from "../../src/interfaces/IRoundVerifier.sol";
import {Parties} from "../Parties.sol";
import {SimulatedProver} from "../SimulatedProver.sol";
import {SettableRule} from "../mocks/SettableRule.sol";
import {PlainToken} from "../mocks/Tokens.sol";
import {Counts} from "./Counts.sol";
import {Ghost, Ghosts, Plot} from "./Ghost.sol";

/// @notice Does not take the native coin.
contract Refuser {}

/// @notice On receipt of the native coin, calls back into everything that could move money.
contract Intruder {
    TrainingMarket private immutable _market;
    uint256 public intrusions;

    constructor(TrainingMarket market) {
        _market = market;
    }

    receive() external payable {
        uint256 jobId = _market.jobCount();
        _attempt(abi.encodeCall(_market.withdraw, (jobId, address(this))));
        _attempt(abi.encodeCall(_market.burn, (jobId)));
        _attempt(abi.encodeCall(_market.abort, (jobId)));
        _attempt(abi.encodeCall(_market.complete, (jobId)));
        _attempt(abi.encodeCall(_market.ledgerOf, (jobId)));
    }

    function _attempt(bytes memory data) private {
        (bool done,) = address(_market).call(data);
        if (done) ++intrusions;
    }
}

/// @notice Accounts, terms and chance.
abstract contract World is Parties, Counts {
    uint256 internal constant POOL = 24;
    uint256 internal constant ALLOWED = 16;
    /// @dev Longest sum of windows in the terms below; bounds how long anyone waits for its money.
    uint256 internal constant LONGEST_START = 5000;

    mapping(uint256 jobId => Ghost) internal ghosts;
    uint256 internal jobs;

    address[] internal owners;
    address[] internal aggregators;
    address[] internal referees;
    address[] internal strangers;
    IRule internal realRule;
    SimulatedProver internal prover;
    address internal refuser;
    Intruder internal intruder;
    bytes32[2 * ALLOWED] private _tree;
    uint256 private _chance;

    /// @dev Money that nobody deposited, by token.
    mapping(address token => uint256) internal donated;
    /// @dev Money that the jobs' ghosts have in the market, by token.
    mapping(address token => uint256) internal held;

    function setUp() public virtual override {
        vm.warp(START);
        _name(owners, "owner", 4);
        _name(aggregators, "aggregator", 3);
        _name(referees, "referee", 2);
        _name(strangers, "stranger", 3);
        _name(trainers, "trainer", POOL);
        trainers = _ascending(trainers);
        rule = new SettableRule();
        realRule = IRule(_place(vm.getCode("MultiKrumShapleyRule.sol:MultiKrumShapleyRule")));
        token = new PlainToken();
        IRule[] memory rules = new IRule[](2);
        rules[0] = IRule(address(rule));
        rules[1] = realRule;
        market = _deploy(_developmentVerifier(), rules);
        refuser = address(new Refuser());
        intruder = new Intruder(market);
        _growTree();
    }

    /// @dev The real verifier, with the set-up whose secrets are public, and who can prove anything to it.
    function _developmentVerifier() private returns (IRoundVerifier) {
        string memory vectors = vm.readFile("test/vectors/gram.json");
        bytes memory key = vm.parseJsonBytes(vectors, ".developmentKey");
        prover = new SimulatedProver(vm.parseJsonBytes32(vectors, ".developmentSrs"));
        return IRoundVerifier(_place(bytes.concat(vm.getCode("GramVerifier.sol:GramVerifier"), key)));
    }

    /// @dev Puts code on the chain that comes from an artifact, so that the tests are compiled without it.
    function _place(bytes memory code) internal returns (address created) {
        assembly ("memory-safe") {
            created := create(0, add(code, 32), mload(code))
        }
        vm.assertTrue(created != address(0), "code that does not deploy");
    }

    function _name(address[] storage list, string memory kind, uint256 count) private {
        for (uint256 i = 0; i < count; ++i) {
            list.push(_account(string.concat(kind, " ", vm.toString(i))));
        }
    }

    /* CHANCE */

    function _seed(uint256 seed) internal {
        _chance = seed;
    }

    /// @dev A number below `bound`.
    function _below(uint256 bound) internal returns (uint256) {
        _chance = uint256(keccak256(abi.encode(_chance)));
        return _chance % bound;
    }

    /// @dev True once in `times`.
    function _oneIn(uint256 times) internal returns (bool) {
        return _below(times) == 0;
    }

    function _between(uint256 low, uint256 high) internal returns (uint256) {
        return low + _below(high - low + 1);
    }

    function _pick(address[] storage list) internal returns (address) {
        return list[_below(list.length)];
    }

    function _anybody() internal returns (address) {
        uint256 kind = _below(8);
        if (kind == 0) return _pick(owners);
        if (kind == 1) return _pick(aggregators);
        if (kind == 2) return _pick(referees);
        if (kind == 3) return _pick(strangers);
        return _pick(trainers);
    }

    /// @dev A fixed trait of an account in a job, below `bound`.
    function _trait(uint256 jobId, address account, string memory name, uint256 bound)
        internal
        pure
        returns (uint256)
    {
        return uint256(keccak256(abi.encode(jobId, account, name))) % bound;
    }

    /* ALLOWLIST */

    function _growTree() private {
        for (uint256 i = 0; i < ALLOWED; ++i) {
            _tree[ALLOWED + i] = keccak256(bytes.concat(keccak256(abi.encode(trainers[i]))));
        }
        for (uint256 i = ALLOWED - 1; i > 0; --i) {
            (bytes32 a, bytes32 b) = (_tree[2 * i], _tree[2 * i + 1]);
            _tree[i] = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
        }
    }

    function _root() internal view returns (bytes32) {
        return _tree[1];
    }

    function _allowed(address account) internal view returns (bool) {
        for (uint256 i = 0; i < ALLOWED; ++i) {
            if (trainers[i] == account) return true;
        }
        return false;
    }

    /// @dev The proof for one on the list; for anybody else, the first one's.
    function _proof(address account) internal view returns (bytes32[] memory proof) {
        uint256 node = ALLOWED;
        for (uint256 i = 0; i < ALLOWED; ++i) {
            if (trainers[i] == account) node = ALLOWED + i;
        }
        proof = new bytes32[](4);
        for (uint256 i = 0; i < 4; ++i) {
            proof[i] = _tree[node ^ 1];
            node /= 2;
        }
    }

    /* TERMS */

    function _chosenTerms(Plot plot) internal returns (Terms memory terms) {
        terms.aggregator = _pick(aggregators);
        terms.rule = IRule(
            plot != Plot.VoidOften && plot != Plot.Refute && _oneIn(4) ? address(realRule) : address(rule)
        );
        terms.dimension = 1000;
        terms.coordinateBits = 16;
        terms.scaleExponent = 12;
        terms.tolerated = uint8(_below(2));
        terms.minTrainers = uint8(2 * terms.tolerated + 3 + _below(2));
        terms.maxTrainers = uint8(terms.minTrainers + _below(4));
        terms.rounds = uint16(plot == Plot.VoidOften ? 7 : _between(plot == Plot.Finish ? 1 : 3, 4));
        if (_oneIn(3)) terms.token = address(token);
        if (plot == Plot.Refute || !_oneIn(4)) {
            terms.referee = _pick(referees);
            terms.references = uint8(_between(1, 4));
            terms.refereeFeePerRound = uint96(_below(1000));
        }
        if (_oneIn(4)) terms.allowlistRoot = _root();
        _chooseAmounts(terms);
        if (plot == Plot.Refute) (terms.strikeLimit, terms.stake) = (1, terms.stake + 1);
        _chooseTimes(terms);
    }

    function _chooseAmounts(Terms memory terms) private {
        terms.rewardPerRound = uint96(_oneIn(8) ? 1 : _between(2, 1_000_000));
        terms.rewardDecay = uint8(_below(3));
        terms.aggregatorFeePerRound = uint96(_below(20_000));
        terms.penalty = uint96(_leastPenalty(terms) + _below(1000));
        terms.bond = uint96(2 * uint256(terms.penalty) + _below(terms.penalty));
        terms.stake = uint96(_oneIn(6) ? 0 : _below(100_000));
        terms.absencePenalty = uint96(_below(terms.stake / 10 + 1));
        terms.strikeLimit = uint8(_oneIn(4) ? 0 : _oneIn(3) ? 2 : 1);
        terms.strikeToleranceBps = uint16(_below(2000));
    }

    /// @dev A tenth more than the most that a round pays, rounded up.
    function _leastPenalty(Terms memory terms) internal pure returns (uint256) {
        uint256 most = Ghosts.part(terms.rewardPerRound, terms.rewardDecay, terms.rounds, 0);
        return (most * 11 + 9) / 10;
    }

    function _chooseTimes(Terms memory terms) private {
        terms.submitWindow = uint32(_between(1, 1000));
        terms.deliverWindow = uint32(_between(1, 1000));
        terms.settleWindow = uint32(_between(1, 1000));
        terms.challengeWindow = uint32(_between(1, uint256(terms.submitWindow) + terms.deliverWindow));
        terms.startDeadline = uint40(_now() + _between(1000, LONGEST_START));
    }

    /* MONEY */

    /// @dev Gives an account exactly what its next deposit takes.
    /// @return value The native coin to send.
    function _supply(address tokenAddress, address account, uint256 amount) internal returns (uint256 value) {
        if (tokenAddress == address(0)) {
            vm.deal(account, account.balance + amount);
            return amount;
        }
        token.mint(account, amount);
        vm.prank(account);
        token.approve(address(market), type(uint256).max);
    }
}
