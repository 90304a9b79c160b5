"""The training terms of a job: hyper-parameters as a function of the round number."""

from dataclasses import dataclass

from marketplace.training.errors import TrainingError


@dataclass(frozen=True)
class RoundConfiguration:
    """The hyper-parameters of one round, as `fit` receives them.

    Attributes
    ----------
    round
        Counted from 0.
    epochs
        Passes over the trainer's data.
    batch_size
        Samples a step; the last batch of an epoch may be smaller.
    learning_rate, momentum, weight_decay
        Of stochastic gradient descent, as `torch.optim.SGD` defines them.
    seed
        Of the order of the samples; the trainer's own.
    """

    round: int
    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    seed: int


@dataclass(frozen=True)
class TrainingConfiguration:
    """The training terms of a job: hyper-parameters as a function of the round number.

    The learning rate of round r (counted from 0) is `learning_rate * learning_rate_decay ** r`; the rest is the same
    in all rounds. Construction raises `TrainingError` with every fault listed.
    """

    epochs: int = 1
    batch_size: int = 32
    learning_rate: float = 0.1
    learning_rate_decay: float = 1.0
    momentum: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        faults = training_faults(self)
        if faults:
            raise TrainingError("The training configuration is not usable: " + "; ".join(faults) + ".")

    def at_round(self, number: int, seed: int) -> RoundConfiguration:
        """Return the hyper-parameters of round `number` (from 0) for a trainer whose private seed is `seed`."""
        return RoundConfiguration(
            round=number,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate * self.learning_rate_decay**number,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            seed=seed,
        )


def training_faults(configuration: TrainingConfiguration) -> list[str]:
    """List every hyper-parameter out of its range, one sentence each."""
    # name -> (low, high, whether low itself is allowed)
    ranges: dict[str, tuple[float, float, bool]] = {
        "epochs": (1, 10_000, True),
        "batch_size": (1, 1 << 20, True),
        "learning_rate": (0, 1_000, False),
        "learning_rate_decay": (0, 1, False),
        "momentum": (0, 0.9999, True),
        "weight_decay": (0, 1, True),
    }
    faults = []
    for name, (low, high, closed) in ranges.items():
        value = getattr(configuration, name)
        whole = name in ("epochs", "batch_size")
        kinds = (int,) if whole else (int, float)
        number = isinstance(value, kinds) and not isinstance(value, bool)
        if not number or not (low <= value <= high) or (value == low and not closed):
            bracket = "from" if closed else "above"
            faults.append(
                f"{name} is {value!r}; it must be {'an integer' if whole else 'a number'} "
                f"{bracket} {low} {'to' if closed else 'and at most'} {high}"
            )
    return faults
