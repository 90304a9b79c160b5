"""The fields of the form that describes a job: each is an entry of the job's file, by its path there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contribution.rules import RULES
from marketplace.training.data import NORMALISATIONS
from marketplace.training.zoo import MODEL_NAMES


class Kind(StrEnum):
    """How what is typed becomes a value of TOML."""

    TEXT = "text"
    LONG = "long"
    INTEGER = "integer"
    DECIMAL = "decimal"
    SWITCH = "switch"
    CHOICE = "choice"
    INTEGERS = "integers"
    ACCOUNTS = "accounts"


@dataclass(frozen=True)
class Entry:
    """A field.

    Attributes
    ----------
    path
        Section and entry, such as "money.stake"; a parameter of the model has three parts.
    label, hint
        What it is, and what is to be known before it is filled in.
    kind
        How it is typed.
    given
        What stands in it at first; empty for what may be left out.
    choices
        Of a choice, with its words.
    """

    path: str
    label: str
    hint: str = ""
    kind: Kind = Kind.TEXT
    given: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        """What the field is called in the page."""
        return self.path.replace(".", "-")


@dataclass(frozen=True)
class Group:
    """Fields that belong together; those in `more` are folded away, because most jobs do without them."""

    title: str
    words: str
    entries: tuple[Entry, ...]
    more: tuple[Entry, ...] = ()

    @property
    def all(self) -> tuple[Entry, ...]:
        """Every field."""
        return (*self.entries, *self.more)


_MODELS: Final = {
    "logistic-regression": "logistic regression",
    "mlp": "multilayer perceptron (mlp)",
    "cnn": "convolutional network (cnn)",
}

GROUPS: Final = (
    Group(
        "The job in words",
        "Public for ever, and what trainers decide by.",
        (
            Entry("job.title", "Title"),
            Entry("job.description", "Description", "What is to be learned, and what for.", Kind.LONG),
            Entry("job.licence", "Licence of the trained model", "Such as CC-BY-4.0."),
            Entry(
                "job.datasheet",
                "Data that are wanted",
                "Features in their order, classes, how they must have been collected.",
                Kind.LONG,
            ),
        ),
    ),
    Group(
        "Model and data",
        "What every trainer's samples look like, and the model that all train.",
        (
            Entry("data.inputs", "Features of a sample", "", Kind.INTEGER),
            Entry("data.classes", "Classes", "", Kind.INTEGER),
            Entry("model.name", "Model", "", Kind.CHOICE, "mlp", tuple((each, _MODELS[each]) for each in MODEL_NAMES)),
            Entry(
                "model.parameters.hidden", "Widths of the hidden layers", "For an mlp, such as 64, 32.", Kind.INTEGERS
            ),
            Entry("model.parameters.height", "Height of an image", "For a cnn.", Kind.INTEGER),
            Entry("model.parameters.width", "Width of an image", "For a cnn.", Kind.INTEGER),
            Entry("model.parameters.channels", "Channels of the layers", "For a cnn, such as 8, 16.", Kind.INTEGERS),
        ),
        (
            Entry(
                "data.normalisation",
                "Normalisation of raw values",
                "",
                Kind.CHOICE,
                "none",
                tuple((each, each) for each in NORMALISATIONS),
            ),
            Entry("model.seed", "Seed of the first weights", "Without it 0.", Kind.INTEGER),
        ),
    ),
    Group(
        "Training",
        "What a trainer does in a round, unless it brings its own training.",
        (
            Entry("training.epochs", "Epochs a round", "Without it 1.", Kind.INTEGER),
            Entry("training.batch_size", "Samples in a batch", "Without it 32.", Kind.INTEGER),
            Entry("training.learning_rate", "Learning rate", "Without it 0.1.", Kind.DECIMAL),
        ),
        (
            Entry(
                "training.learning_rate_decay",
                "Learning rate of each round, of the last",
                "Without it 1.",
                Kind.DECIMAL,
            ),
            Entry("training.momentum", "Momentum", "Without it 0.", Kind.DECIMAL),
            Entry("training.weight_decay", "Weight decay", "Without it 0.", Kind.DECIMAL),
            Entry("training.server_momentum", "Server momentum", "From 0 to 0.99; without it 0.", Kind.DECIMAL),
        ),
    ),
    Group(
        "Rounds",
        "How many, and how long everybody has. Lengths of time have a unit: 90 s, 10 min, 2 h, 3 d.",
        (
            Entry("round.rounds", "Rounds", "", Kind.INTEGER),
            Entry("round.tolerated", "Faulty trainers that a round tolerates", "", Kind.INTEGER, "1"),
            Entry("round.submit", "Time to train and commit", "", given="2 h"),
            Entry("round.deliver", "Time to hand over", "Without it half of the time to train."),
            Entry("round.settle", "Time to settle", "Without it the time to train."),
            Entry("round.challenge", "Time to object", "Without it the time to hand over."),
            Entry("start.deadline", "Start within", "Or by a moment such as 2030-03-01T12:00:00Z.", given="3 d"),
        ),
        (
            Entry(
                "round.scale_exponent",
                "Coordinates are in units of 2 to the minus",
                "With 12, and 16 bits, changes of up to 8 fit.",
                Kind.INTEGER,
                "12",
            ),
            Entry("round.bits", "Bits of a coordinate", "Without it 16.", Kind.INTEGER),
            Entry(
                "round.rule",
                "Rule that selects and pays",
                "",
                Kind.CHOICE,
                "",
                (("", "the default one"), *((each, each) for each in RULES)),
            ),
            Entry(
                "round.accept_small_model",
                "The data are no secret: accept a model so small that its updates tell much of them",
                "",
                Kind.SWITCH,
            ),
        ),
    ),
    Group(
        "Money",
        "Amounts of the chain's coin have a unit: 0.5 ether, 2 gwei, 1500 wei. Those of a token are numbers alone.",
        (
            Entry("money.reward_per_round", "Reward a round, on average", "What trainers share.", given="0.1 ether"),
            Entry("money.aggregator_fee_per_round", "Fee of the aggregator a round", "", given="0.01 ether"),
            Entry("money.referee_fee_per_round", "Fee of the referee a round", "Without it nothing."),
            Entry("money.stake", "Stake of each trainer", "Without it the reward of a round."),
        ),
        (
            Entry(
                "money.reward_decay",
                "How rewards fall with the rounds",
                "",
                Kind.CHOICE,
                "",
                (
                    ("", "with the square of the rounds left"),
                    ("1", "with the rounds left"),
                    ("0", "not at all"),
                ),
            ),
            Entry("money.absence_penalty", "Burned for missing two rounds running", "Without it a tenth of the stake."),
            Entry("money.penalty", "Penalty of the aggregator", "Without it the least that the market takes."),
            Entry("money.bond", "Bond of the aggregator", "Without it twice the penalty."),
            Entry("money.token", "Token that everything is paid in", "Its address; without it the chain's coin."),
            Entry("money.decimals", "Decimals of the token", "As its contract says.", Kind.INTEGER),
        ),
    ),
    Group(
        "Who takes part",
        "The aggregator reads every update in clear: name somebody whom trainers trust that far.",
        (
            Entry("parties.aggregator", "Aggregator", "Its address."),
            Entry("parties.referee", "Referee", "owner, an address, or none.", given="owner"),
            Entry("trainers.minimum", "Trainers at least", "Without it two for each faulty one, and 3.", Kind.INTEGER),
            Entry("trainers.maximum", "Trainers at most", "", Kind.INTEGER, "10"),
        ),
        (
            Entry("parties.reference_vectors", "Vectors that the referee posts", "Without it 9.", Kind.INTEGER),
            Entry(
                "trainers.allowlist",
                "Who may join",
                "An address a line; without any, everybody.",
                Kind.ACCOUNTS,
            ),
            Entry("trainers.strike_tolerance", "Harm that is a strike, per cent", "Without it 50.", Kind.DECIMAL),
            Entry("trainers.strike_limit", "Strikes that cost the stake", "0 for never; without it 3.", Kind.INTEGER),
        ),
    ),
)
ENTRIES: Final = {entry.path: entry for group in GROUPS for entry in group.all}
