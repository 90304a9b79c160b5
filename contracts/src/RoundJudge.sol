// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IRoundVerifier, Step} from "./interfaces/IRoundVerifier.sol";
import {IRule} from "./interfaces/IRule.sol";
import {Errors} from "./libraries/Errors.sol";
import {GramChecks} from "./libraries/GramChecks.sol";

/// @notice What a round's decisions follow from.
/// @param rule The job's rule.
/// @param trainers Number of accepted updates.
/// @param references Number of the referee's vectors in the matrix.
/// @param tolerated Faulty trainers that the job tolerates.
/// @param maximumNorm Largest squared norm that an update in range can have.
/// @param reward What the trainers share, in the token's smallest unit.
/// @param strikeToleranceBps See `Terms`.
/// @param context What the proof is bound to, see `IRoundVerifier.verify`.
/// @param commitments See `Settlement`.
/// @param gram See `Settlement`.
/// @param modelCommitment See `Settlement`.
/// @param newModelCommitment See `Settlement`.
/// @param proof See `Settlement`.
struct Case {
    IRule rule;
    uint256 trainers;
    uint256 references;
    uint256 tolerated;
    uint256 maximumNorm;
    uint256 reward;
    uint256 strikeToleranceBps;
    bytes32 context;
    bytes commitments;
    bytes gram;
    bytes modelCommitment;
    bytes newModelCommitment;
    bytes proof;
}

/// @notice A round's decisions; the arrays are parallel to the accepted trainers.
/// @param settled Whether three or more were kept; else the round is void, with neither pay nor strikes.
/// @param weights Weights in the aggregate.
/// @param contributions Contributions in the rule's scale.
/// @param payouts Pay in the token's smallest unit.
/// @param paid Sum of the payouts.
/// @param harmful Bit i tells that trainer i's contribution was harmful beyond the tolerance.
struct Verdict {
    bool settled;
    uint256[] weights;
    int256[] contributions;
    uint256[] payouts;
    uint256 paid;
    uint256 harmful;
}

/// @title RoundJudge
/// @notice Everything that a round decides, as a function of its proven Gram matrix. A contract of its own, without
/// state, so that anyone can put the same question to it.
contract RoundJudge {
    /// @dev Sum that the weights of a round don't exceed.
    uint256 private constant MAX_WEIGHT = 2 ** 16;
    /// @dev Size that a contribution doesn't reach, so that the sums and products below can't overflow.
    int256 private constant CONTRIBUTION_LIMIT = 2 ** 200;
    /// @dev Fewer kept updates than this would show each trainer the others' update.
    uint256 private constant MIN_KEPT = 3;

    /// @notice The verifier that is asked about every matrix.
    IRoundVerifier public immutable verifier;

    constructor(IRoundVerifier roundVerifier) {
        verifier = roundVerifier;
    }

    /// @notice Checks the matrix, asks the rule, checks its answer, has the proof verified, with the new model commitment
    /// unless the round is void, and derives payouts and strikes.
    /// @dev Reverts if no updates in range have this matrix, if the rule returns what it must not, or if the proof or the
    /// new model commitment is refused. The rule comes before the proof because its weights are part of what is verified.
    function judge(Case calldata round) external view returns (Verdict memory verdict) {
        GramChecks.check(round.gram, round.trainers + round.references, round.maximumNorm);
        bool referenceUsed;
        (verdict.weights, verdict.contributions, referenceUsed) =
            round.rule.evaluate(round.gram, round.trainers, round.references, round.tolerated);
        (uint256 kept, uint256 positive) = _checkAnswer(round, verdict);
        verdict.settled = kept >= MIN_KEPT;
        require(_isProven(round, verdict), Errors.Market_ProofRejected(round.context));
        if (verdict.settled) _derive(round, verdict, positive, referenceUsed);
    }

    /// @dev Asks the verifier about the matrix, and about the new model commitment if there is one.
    function _isProven(Case calldata round, Verdict memory verdict) private view returns (bool) {
        if (!verdict.settled) {
            return verifier.verify(round.context, round.commitments, round.gram, round.proof);
        }
        return verifier.verifyStep(
            round.context,
            round.commitments,
            round.gram,
            round.proof,
            Step(verdict.weights, round.modelCommitment, round.newModelCommitment)
        );
    }

    /// @dev Checks what the rule returned and counts those it kept.
    /// @return kept Number of trainers with a weight.
    /// @return positive Sum of the positive contributions.
    function _checkAnswer(Case calldata round, Verdict memory verdict)
        private
        pure
        returns (uint256 kept, uint256 positive)
    {
        uint256[] memory weights = verdict.weights;
        int256[] memory contributions = verdict.contributions;
        uint256 count = round.trainers;
        bool sound = weights.length == count && contributions.length == count;
        uint256 total = 0;
        // No overflow that counts: the loop ends with the first answer out of bounds, and memory holds far fewer than 2^50
        // words.
        unchecked {
            for (uint256 i = 0; sound && i < count; ++i) {
                uint256 weight = weights[i];
                int256 contribution = contributions[i];
                if (weight == 0) {
                    sound = contribution == 0;
                    continue;
                }
                sound = weight <= MAX_WEIGHT && contribution < CONTRIBUTION_LIMIT
                    && contribution > -CONTRIBUTION_LIMIT;
                total += weight;
                ++kept;
                if (contribution > 0) positive += uint256(contribution);
            }
        }
        require(sound && total <= MAX_WEIGHT, Errors.Market_RuleMisbehaved(address(round.rule)));
    }

    /// @dev Fills in payouts and strikes.
    function _derive(Case calldata round, Verdict memory verdict, uint256 positive, bool referenceUsed)
        private
        pure
    {
        int256[] memory contributions = verdict.contributions;
        uint256[] memory payouts = new uint256[](contributions.length);
        verdict.payouts = payouts;
        if (positive == 0) return;
        uint256 reward = round.reward;
        uint256 tolerance = positive * round.strikeToleranceBps;
        (uint256 paid, uint256 harmful) = (0, 0);
        // No overflow: the payouts sum to the reward at most, and a contribution is below 2^200 in size.
        unchecked {
            for (uint256 i = 0; i < contributions.length; ++i) {
                int256 contribution = contributions[i];
                if (contribution > 0) {
                    // Rounded down; what is left over stays in the escrow.
                    uint256 payDown = Math.mulDiv(reward, uint256(contribution), positive);
                    payouts[i] = payDown;
                    paid += payDown;
                } else if (referenceUsed && uint256(-contribution) * 10_000 > tolerance) {
                    harmful |= 1 << i;
                }
            }
        }
        (verdict.paid, verdict.harmful) = (paid, harmful);
    }
}
