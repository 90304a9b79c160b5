// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {JobState, Ledger, Progress, Seats, Terms, Trainer, TrainerStatus} from "./Types.sol";
import {ITrainingMarket} from "./interfaces/ITrainingMarket.sol";
import {Errors} from "./libraries/Errors.sol";

/// @title Escrow
/// @notice Storage of the jobs, deposits and withdrawals. A job's money is its own: it enters by a deposit for that job
/// and leaves by a withdrawal from that job.
abstract contract Escrow is ITrainingMarket, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev Where slashed money ends; nobody has its key.
    address internal constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    /// @dev Everything about one job. The terms never change and are kept as the code of an account, which is cheaper to
    /// read than their nine storage slots; `identity` is the part of the join digest that never changes; `matrixHash` is
    /// that of the last settled round, see `_matrixHash`.
    struct Job {
        address termsPointer;
        Progress progress;
        Seats seats;
        Ledger ledger;
        address owner;
        bytes32 identity;
        bytes32 specificationHash;
        bytes32 encryptionKey;
        bytes32 nextEncryptionKey;
        bytes32 modelHash;
        bytes32 matrixHash;
        mapping(uint256 seat => address) holders;
        mapping(address account => Trainer) trainers;
        mapping(address account => bytes32) submissions;
        mapping(address account => uint256) credits;
    }

    /* STORAGE */

    /// @inheritdoc ITrainingMarket
    uint256 public jobCount;

    mapping(uint256 jobId => Job) private _jobs;

    /// @dev The part of a job that most calls read and change, held in memory meanwhile and stored once.
    struct Live {
        Terms terms;
        Progress progress;
        Seats seats;
    }

    /* MONEY OUT */

    /// @inheritdoc ITrainingMarket
    function withdraw(uint256 jobId, address to) external nonReentrant returns (uint256 amount) {
        Job storage job = _job(jobId);
        // Check: the recipient can hold money.
        require(to != address(0) && to != address(this), Errors.Market_InvalidRecipient(to));

        // Check: there is something to withdraw.
        Trainer memory trainer;
        Live memory live = _load(job);
        (amount, trainer) = _accrued(job, live, msg.sender);
        require(amount != 0, Errors.Market_NothingToWithdraw(jobId, msg.sender));

        // Effect: nothing is left to withdraw.
        job.credits[msg.sender] = 0;
        _saveTrainer(job, msg.sender, trainer);

        // Effect: log the withdrawal.
        emit Withdrawn(jobId, msg.sender, to, amount);

        // Interaction: send the money.
        _send(live.terms.token, to, amount);
    }

    /// @inheritdoc ITrainingMarket
    function burn(uint256 jobId) external nonReentrant returns (uint256 amount) {
        Job storage job = _job(jobId);
        amount = job.ledger.burned;
        // Check: the job has ended; until then a refutation may give slashed stakes back.
        require(_ended(job.progress), Errors.Market_NotEnded(jobId, job.progress.state));
        // Check: there is something to burn.
        require(amount != 0, Errors.Market_NothingToBurn(jobId));

        // Effect: nothing is left to burn.
        job.ledger.burned = 0;
        emit Burned(jobId, amount);

        // Interaction: send it where nobody can spend it.
        _send(_readTerms(job).token, BURN_ADDRESS, amount);
    }

    /* VIEWS */

    /// @inheritdoc ITrainingMarket
    function withdrawable(uint256 jobId, address account)
        external
        view
        nonReentrantView
        returns (uint256 amount)
    {
        Job storage job = _job(jobId);
        (amount,) = _accrued(job, _load(job), account);
    }

    /// @inheritdoc ITrainingMarket
    function ledgerOf(uint256 jobId) external view nonReentrantView returns (Ledger memory) {
        Ledger memory ledger = _job(jobId).ledger;
        uint256 pointer;
        assembly ("memory-safe") {
            pointer := ledger
        }
        _returnWords(pointer, 3);
    }

    /// @inheritdoc ITrainingMarket
    function trainerOf(uint256 jobId, address account)
        external
        view
        nonReentrantView
        returns (Trainer memory)
    {
        Trainer memory trainer = _loadTrainer(_job(jobId), account);
        uint256 pointer;
        assembly ("memory-safe") {
            pointer := trainer
        }
        _returnWords(pointer, 7);
    }

    /* INTERNAL */

    /// @dev Ends the call with a struct of value types, which lies in memory as the ABI encodes it. Encoders for each of
    /// the market's structs would not fit the size limit of a contract.
    function _returnWords(uint256 pointer, uint256 words) internal pure {
        assembly ("memory-safe") {
            return(pointer, mul(words, 32))
        }
    }

    /// @dev The job with this number, which must exist.
    function _job(uint256 jobId) internal view returns (Job storage job) {
        job = _jobs[jobId];
        // Every job has terms. The number of jobs is read for the error alone.
        if (job.termsPointer == address(0)) revert Errors.Market_UnknownJob(jobId, jobCount);
    }

    /// @dev Reads what most calls need of a job.
    function _load(Job storage job) internal view returns (Live memory live) {
        live.terms = _readTerms(job);
        live.progress = job.progress;
        live.seats = job.seats;
    }

    /// @dev Keeps a new job's terms, ABI-encoded.
    function _writeTerms(Job storage job, bytes calldata encoded) internal {
        job.termsPointer = SSTORE2.write(encoded);
    }

    /// @dev Reads a job's terms.
    function _readTerms(Job storage job) internal view returns (Terms memory terms) {
        bytes memory encoded = SSTORE2.read(job.termsPointer);
        // A struct of value types lies in memory as abi.encode writes it, and what was written was checked.
        assembly ("memory-safe") {
            terms := add(encoded, 32)
        }
    }

    /// @dev Stores what a call changed.
    function _save(Job storage job, Live memory live) internal {
        job.progress = live.progress;
        job.seats = live.seats;
    }

    /// @dev Reads a trainer's record.
    function _loadTrainer(Job storage job, address account) internal view returns (Trainer memory) {
        return job.trainers[account];
    }

    /// @dev Stores a trainer's record.
    function _saveTrainer(Job storage job, address account, Trainer memory trainer) internal {
        job.trainers[account] = trainer;
    }

    /// @dev Numbers a new job.
    function _newJob() internal returns (uint256 jobId, Job storage job) {
        jobId = ++jobCount;
        job = _jobs[jobId];
    }

    /// @dev Takes a deposit from the caller. The last step of every call that makes it: the effects are done, and a
    /// deposit that is not exactly right reverts them.
    function _receive(address token, uint256 amount) internal {
        uint256 due = token == address(0) ? amount : 0;
        require(msg.value == due, Errors.Market_WrongValue(msg.value, due));
        if (token == address(0) || amount == 0) return;
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom({from: msg.sender, to: address(this), value: amount});
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        require(received == amount, Errors.Market_DepositMismatch(received, amount));
    }

    /// @dev What an account can withdraw now, and its trainer record after that withdrawal.
    function _accrued(Job storage job, Live memory live, address account)
        internal
        view
        returns (uint256 amount, Trainer memory trainer)
    {
        Progress memory progress = live.progress;
        trainer = _loadTrainer(job, account);
        amount = job.credits[account] + trainer.credit;
        trainer.credit = 0;
        if (trainer.pending != 0 && !_locked(progress, trainer.pendingRound)) {
            amount += trainer.pending;
            trainer.pending = 0;
        }
        uint256 stake = _freeStake(live, trainer);
        if (stake != 0) {
            amount += stake;
            trainer.status = TrainerStatus.Out;
        }
    }

    /// @dev The stake that a trainer's record no longer holds back.
    function _freeStake(Live memory live, Trainer memory trainer) private view returns (uint256) {
        Progress memory progress = live.progress;
        TrainerStatus status = trainer.status;
        if (status == TrainerStatus.Staked) return _ended(progress) ? live.terms.stake : 0;
        if (status != TrainerStatus.Leaving && status != TrainerStatus.Absent) return 0;
        if (_locked(progress, trainer.releaseRound)) return 0;
        return live.terms.stake - (status == TrainerStatus.Absent ? live.terms.absencePenalty : 0);
    }

    /// @dev Whether a round is still open or in its challenge window.
    function _locked(Progress memory progress, uint256 round) private view returns (bool) {
        if (_ended(progress)) return false;
        if (progress.roundOpen && round == progress.round) return true;
        return round == progress.lastSettledRound && block.timestamp <= progress.challengeEnd;
    }

    /// @dev Whether the job is in a terminal state.
    function _ended(Progress memory progress) internal pure returns (bool) {
        return progress.state == JobState.Completed || progress.state == JobState.Aborted;
    }

    /// @dev Sends money out; always the last step of a call.
    function _send(address token, address to, uint256 amount) private {
        if (token != address(0)) {
            IERC20(token).safeTransfer({to: to, value: amount});
            return;
        }
        bool sent;
        // A plain call would copy whatever the recipient returns, at our caller's cost.
        assembly ("memory-safe") {
            sent := call(gas(), to, amount, 0, 0, 0, 0)
        }
        require(sent, Errors.Market_TransferFailed(to, amount));
    }
}
