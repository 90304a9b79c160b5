import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from marketplace.training.errors import ModelError
from marketplace.training.models import build_model, get_vector, parameter_count, parameter_shapes, set_vector
from marketplace.training.zoo import MAXIMUM_LAYERS, MODEL_NAMES, model_faults, model_shapes, vector_length

EXAMPLES = {
    "logistic-regression": {},
    "mlp": {"hidden": [16, 8]},
    "cnn": {"height": 8, "width": 8, "channels": [4, 6]},
}


def test_every_model_of_the_zoo_has_an_example() -> None:
    assert set(EXAMPLES) == set(MODEL_NAMES)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_model_maps_flat_inputs_to_logits(name: str) -> None:
    model = build_model(name, EXAMPLES[name], inputs=64, classes=10)
    assert model(torch.zeros(3, 64)).shape == (3, 10)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_vector_survives_the_way_into_a_model_and_back(name: str) -> None:
    model = build_model(name, EXAMPLES[name], 64, 10, seed=1)
    vector = np.random.default_rng(0).normal(size=parameter_count(model)).astype(np.float32)
    set_vector(model, vector)
    assert get_vector(model).dtype == np.float32
    np.testing.assert_array_equal(get_vector(model), vector)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_seed_alone_decides_the_initial_weights(name: str) -> None:
    first, again, other = (get_vector(build_model(name, EXAMPLES[name], 64, 10, seed=s)) for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_initial_weights_are_these_bits_on_every_machine() -> None:
    vector = get_vector(build_model("mlp", {"hidden": [5]}, 3, 2, seed=0))
    assert (
        hashlib.sha256(vector.astype("<f4").tobytes()).hexdigest()
        == "d5b52a85eb926817893accdc1c287a5d6869f996386f13bb95814f21b53cf633"
    )


def test_shapes_are_in_the_order_of_the_vector() -> None:
    model = build_model("mlp", {"hidden": [5]}, 3, 2)
    assert list(parameter_shapes(model).items()) == [
        ("0.weight", (5, 3)),
        ("0.bias", (5,)),
        ("2.weight", (2, 5)),
        ("2.bias", (2,)),
    ]
    set_vector(model, np.arange(5 * 3 + 5 + 2 * 5 + 2, dtype=np.float32))
    np.testing.assert_array_equal(model[0].bias.detach().numpy(), [15, 16, 17, 18, 19])


@given(st.sampled_from(MODEL_NAMES), st.data())
def test_the_shapes_that_are_told_without_a_network_are_those_of_the_network(name: str, data: st.DataObject) -> None:
    widths = st.lists(st.integers(1, 9), min_size=1, max_size=MAXIMUM_LAYERS)
    inputs, classes = data.draw(st.integers(1, 30)), data.draw(st.integers(2, 7))
    parameters = {"hidden": data.draw(widths)} if name == "mlp" else {}
    if name == "cnn":
        channels = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
        height, width = (data.draw(st.integers(1 << len(channels), 20)) for _ in range(2))
        parameters, inputs = {"height": height, "width": width, "channels": channels}, height * width
    model = build_model(name, parameters, inputs, classes)
    shapes = model_shapes(name, parameters, inputs, classes)
    assert list(shapes.items()) == list(parameter_shapes(model).items())
    assert vector_length(shapes) == parameter_count(model) == len(get_vector(model))
    assert model(torch.zeros(1, inputs)).shape == (1, classes)


def test_the_shapes_of_a_wrong_description_are_not_told() -> None:
    with pytest.raises(ModelError, match="hidden is None"):
        model_shapes("mlp", {}, 64, 10)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_sound_description_has_no_faults(name: str) -> None:
    assert model_faults(name, EXAMPLES[name], 64, 10) == []


@pytest.mark.parametrize(
    ("name", "parameters", "inputs", "classes", "fault"),
    [
        ("resnet", {}, 64, 10, "'resnet' is not known"),
        ("mlp", {}, 64, 10, "hidden is None"),
        ("mlp", {"hidden": []}, 64, 10, "hidden is []"),
        ("mlp", {"hidden": "32"}, 64, 10, "hidden is '32'"),
        ("mlp", {"hidden": [0]}, 64, 10, "hidden[0] is 0; it must be an integer from 1 to 8192"),
        ("mlp", {"hidden": [True]}, 64, 10, "hidden[0] is True"),
        ("mlp", {"hidden": [8.0]}, 64, 10, "hidden[0] is 8.0"),
        ("mlp", {"hidden": [8] * 9}, 64, 10, "1 to 8 integers"),
        ("mlp", {"hidden": [8], "dropout": 0.5}, 64, 10, "no parameter 'dropout'"),
        ("mlp", {"hidden": [8192, 8192]}, 8192, 10, "at most 67108864"),
        ("logistic-regression", {"hidden": [8]}, 64, 10, "it takes none"),
        ("logistic-regression", {}, 0, 10, "inputs is 0"),
        ("logistic-regression", {}, 64, 1, "classes is 1"),
        ("cnn", {"height": 8, "width": 7, "channels": [4]}, 64, 10, "8 x 7 = 56; it must equal the 64 inputs"),
        ("cnn", {"height": 8, "width": 8, "channels": [4] * 4}, 64, 10, "halve a 8 x 8 image to nothing"),
        ("cnn", {"height": 8, "width": 8}, 64, 10, "channels is None"),
        ("cnn", {"height": "8", "width": 8, "channels": [4]}, 64, 10, "height is '8'"),
    ],
)
def test_a_wrong_description_is_refused(name: str, parameters: dict, inputs: int, classes: int, fault: str) -> None:
    assert any(fault in found for found in model_faults(name, parameters, inputs, classes))
    with pytest.raises(ModelError):
        build_model(name, parameters, inputs, classes)


def test_all_faults_are_listed_at_once() -> None:
    with pytest.raises(ModelError) as caught:
        build_model("cnn", {"height": 0, "width": -1, "channels": [0], "colour": 1}, 0, 1)
    assert len(caught.value.faults) == 6
    assert all(fault in str(caught.value) for fault in caught.value.faults)


def test_a_vector_of_another_length_is_refused_with_both_numbers() -> None:
    model = build_model("logistic-regression", {}, 3, 2)
    with pytest.raises(ModelError, match=r"\(9,\).*8 parameters"):
        set_vector(model, np.zeros(9, dtype=np.float32))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_non_finite_vector_is_refused_and_changes_nothing(bad: float) -> None:
    model = build_model("logistic-regression", {}, 3, 2)
    before = get_vector(model)
    vector = np.zeros(8, dtype=np.float32)
    vector[3] = bad
    with pytest.raises(ModelError, match="1 of the vector's 8 values"):
        set_vector(model, vector)
    np.testing.assert_array_equal(get_vector(model), before)


def test_a_float64_vector_beyond_float32_is_refused() -> None:
    model = build_model("logistic-regression", {}, 3, 2)
    with pytest.raises(ModelError, match="beyond float32"):
        set_vector(model, np.full(8, 1e300))
