// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Bn254, Sum} from "../src/libraries/Bn254.sol";
import {GramEncoding} from "../src/libraries/GramEncoding.sol";
import {GramOpening, Opening, Values} from "../src/libraries/GramOpening.sol";
import {Challenges, GramTranscript} from "../src/libraries/GramTranscript.sol";
import {QuadraticForm} from "../src/libraries/QuadraticForm.sol";

/// @notice Makes a Gram proof that verifiers accept for any matrix, true or not, and commitments to nobody knows what:
/// with the secrets of the development set-up, which are public.
///
/// @dev Everything up to pi is drawn from a hash of the statement, and the challenges follow from it as for the verifier.
/// The equation (3) of docs/gram-proof.md says `pi = Q / Z(tau)`, and whoever knows tau can divide by `Z(tau)`.
contract SimulatedProver {
    using Bn254 for Sum;

    uint256 private constant R = Bn254.SCALAR_ORDER;
    uint256 private constant TAU = uint256(keccak256("cairn/development/tau")) % R;
    uint256 private constant BETA = uint256(keccak256("cairn/development/beta")) % R;

    bytes32 private immutable _srs;

    /// @param srs Identity of the development set-up, as the verifier gives it.
    constructor(bytes32 srs) {
        _srs = srs;
    }

    /* PROOFS */

    /// @notice A proof of 352 bytes that the verifier accepts for this statement.
    function prove(bytes32 context, bytes calldata commitments, bytes calldata gram)
        external
        view
        returns (bytes memory)
    {
        bytes32 seed = keccak256(abi.encode(context, commitments, gram));
        (uint256 mask, uint256 correlation, uint256 e) = (_draw(seed, 1), _draw(seed, 2), _draw(seed, 3));
        bytes memory draft = bytes.concat(
            abi.encodePacked(_multiple(mask), _draw(seed, 4), _multiple(correlation)),
            abi.encodePacked(_draw(seed, 5), _draw(seed, 6), _draw(seed, 7), e)
        );
        (Challenges memory challenges, Opening memory opening) = this.open(context, commitments, gram, draft);
        // What Q is, apart from the commitments.
        uint256 known = addmod(mask, mulmod(challenges.gamma, correlation, R), R);
        known = addmod(known, R - opening.constantTerm, R);
        known = addmod(known, R - mulmod(opening.slope, TAU, R), R);
        known = addmod(known, R - mulmod(e, BETA, R), R);
        return bytes.concat(draft, _quotient(commitments, challenges, known, opening.sum));
    }

    /// @notice The challenges of a proof without its last point, and the line that they ask for.
    /// @dev A call of its own because the verifier's functions read from calldata.
    function open(bytes32 context, bytes calldata commitments, bytes calldata gram, bytes calldata draft)
        external
        view
        returns (Challenges memory challenges, Opening memory opening)
    {
        uint256 count = GramEncoding.countOf(commitments, 1);
        bytes32 statement = GramTranscript.statementOf(_srs, context, commitments, gram, draft);
        challenges = GramTranscript.challengesOf(statement, count, draft);
        uint256 form = QuadraticForm.evaluate(gram, challenges.rho, count);
        uint256 c = addmod(form, GramEncoding.scalar(draft, GramEncoding.MU), R);
        Values memory values = Values({
            u: GramEncoding.scalar(draft, GramEncoding.U),
            v: GramEncoding.scalar(draft, GramEncoding.V),
            w: GramEncoding.scalar(draft, GramEncoding.W)
        });
        opening = GramOpening.openingAt(challenges.z, challenges.gamma, c, values);
    }

    /// @dev `pi = (known [1] + sum_i rho_i C_i) / Z(tau)` with `Z(tau) = tau^2 - s tau + 1`.
    function _quotient(bytes calldata commitments, Challenges memory challenges, uint256 known, uint256 s)
        private
        view
        returns (bytes memory)
    {
        uint256 vanishing = addmod(mulmod(TAU, addmod(TAU, R - s, R), R), 1, R);
        uint256 factor = Bn254.inverse(vanishing);
        Sum memory sum;
        sum.addMultiple(1, 2, mulmod(known, factor, R));
        uint256 count = commitments.length / GramEncoding.POINT_BYTES;
        for (uint256 i = 0; i < count; ++i) {
            (uint256 x, uint256 y) = GramEncoding.point(commitments, i * GramEncoding.POINT_BYTES);
            sum.addMultiple(x, y, mulmod(challenges.rho[i], factor, R));
        }
        return abi.encodePacked(sum.x, sum.y);
    }

    /* COMMITMENTS */

    /// @notice The commitment that everybody can open: a multiple of the generator, by a hash of the name.
    function commitment(bytes32 name) external view returns (bytes memory) {
        return _multiple(_draw(name, 0));
    }

    /// @notice The model commitment after the weighted updates were added; commitments beyond the weights are not added.
    function advance(bytes calldata model, bytes calldata commitments, uint256[] calldata weights)
        external
        view
        returns (bytes memory)
    {
        Sum memory sum;
        (sum.x, sum.y) = GramEncoding.point(model, 0);
        for (uint256 i = 0; i < weights.length; ++i) {
            (uint256 x, uint256 y) = GramEncoding.point(commitments, i * GramEncoding.POINT_BYTES);
            sum.addMultiple(x, y, weights[i]);
        }
        return abi.encodePacked(sum.x, sum.y);
    }

    /* PRIVATE */

    function _multiple(uint256 scalar) private view returns (bytes memory) {
        Sum memory sum;
        sum.multiply(1, 2, scalar);
        return abi.encodePacked(sum.termX, sum.termY);
    }

    function _draw(bytes32 seed, uint256 number) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, number))) % R;
    }
}
