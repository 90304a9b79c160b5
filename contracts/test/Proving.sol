// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Exclusion, Settlement, Terms} from "../src/Types.sol";
import {IRoundVerifier} from "../src/interfaces/IRoundVerifier.sol";
import {Errors} from "../src/libraries/Errors.sol";
import {Base} from "./Base.sol";
import {SimulatedProver} from "./SimulatedProver.sol";

/// @notice A market with the real verifier, and settlements with proofs that it accepts.
///
/// @dev Each account commits to the same vector in every job and round, so that nothing but what the market binds a proof
/// to tells one settlement from another.
abstract contract Proving is Base {
    SimulatedProver internal prover;
    IRoundVerifier internal verifier;
    /// @dev The model commitment of a job; empty before its first settlement.
    mapping(uint256 jobId => bytes) private _models;

    function setUp() public virtual override {
        super.setUp();
        string memory vectors = vm.readFile("test/vectors/gram.json");
        bytes memory code = vm.getCode("GramVerifier.sol:GramVerifier");
        code = bytes.concat(code, vm.parseJsonBytes(vectors, ".developmentKey"));
        address created;
        assembly ("memory-safe") {
            created := create(0, add(code, 32), mload(code))
        }
        verifier = IRoundVerifier(created);
        prover = new SimulatedProver(vm.parseJsonBytes32(vectors, ".developmentSrs"));
        market = _deploy(verifier, address(rule));
    }

    function _commitment(uint256, address account, uint256) internal view override returns (bytes memory) {
        return prover.commitment(keccak256(abi.encode(account)));
    }

    /* SETTLEMENTS */

    /// @dev A settlement as an honest aggregator hands it in.
    function _proven(uint256 jobId, Exclusion[] memory exclusions)
        internal
        returns (Settlement memory settlement)
    {
        settlement = _settlement(jobId, exclusions);
        settlement.modelCommitment = _modelOf(jobId);
        settlement.newModelCommitment = _advanced(settlement, 2 ** 16 / settlement.trainers.length);
        _prove(settlement, _contextOnChain(settlement));
    }

    /// @dev Proves what the settlement says, for an occasion.
    function _prove(Settlement memory settlement, bytes32 context) internal view {
        settlement.proof = prover.prove(context, settlement.commitments, settlement.gram);
    }

    /// @dev The new model commitment if every accepted update has one weight.
    function _advanced(Settlement memory settlement, uint256 weight) internal view returns (bytes memory) {
        uint256[] memory weights = new uint256[](settlement.trainers.length);
        for (uint256 i = 0; i < weights.length; ++i) {
            weights[i] = weight;
        }
        return prover.advance(settlement.modelCommitment, settlement.commitments, weights);
    }

    function _settleProven(Settlement memory settlement) internal {
        _settle(settlement);
        _models[settlement.jobId] = settlement.newModelCommitment;
    }

    function _modelOf(uint256 jobId) internal view returns (bytes memory model) {
        model = _models[jobId];
        if (model.length == 0) model = new bytes(64);
    }

    /* CONTEXTS */

    /// @dev What the market asks the verifier about: it names the context when it refuses a proof. Zero if it refuses none.
    function _contextOnChain(Settlement memory settlement) internal returns (bytes32 context) {
        Settlement memory wrong = _copy(settlement);
        _prove(wrong, 0);
        address settler = market.termsOf(settlement.jobId).aggregator;
        uint256 snapshot = vm.snapshotState();
        vm.prank(settler);
        (bool done, bytes memory reason) = address(market).call(abi.encodeCall(market.settle, (wrong)));
        vm.assertTrue(vm.revertToState(snapshot), "back");
        if (done) return 0;
        vm.assertEq(
            bytes32(bytes4(reason)),
            bytes32(Errors.GramVerifier_EquationFails.selector),
            "an honest settlement gets as far as the proof"
        );
        assembly ("memory-safe") {
            context := mload(add(reason, 36))
        }
    }

    /// @dev What a proof must be bound to by docs/gram-proof.md, section Context.
    function _context(Settlement memory settlement, address settler) internal view returns (bytes32) {
        bytes32 exclusions = 0;
        for (uint256 i = 0; i < settlement.exclusions.length; ++i) {
            Exclusion memory e = settlement.exclusions[i];
            exclusions = keccak256(abi.encode(exclusions, e.account, e.reason, keccak256(e.evidence)));
        }
        return keccak256(
            abi.encode(
                _identity(settlement.jobId),
                settlement.round,
                settler,
                settlement.trainers,
                exclusions,
                settlement.commitments.length / 64 - settlement.trainers.length,
                keccak256(settlement.modelCommitment),
                settlement.aggregateCid
            )
        );
    }

    function _identity(uint256 jobId) private view returns (bytes32) {
        (address jobOwner, bytes32 specification,,,) = market.identityOf(jobId);
        Terms memory terms = market.termsOf(jobId);
        return keccak256(abi.encode(block.chainid, address(market), jobId, jobOwner, terms, specification));
    }

    function _copy(Settlement memory settlement) internal pure returns (Settlement memory) {
        return abi.decode(abi.encode(settlement), (Settlement));
    }
}
