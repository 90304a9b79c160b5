import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import MalformedPayloadError, WrongOriginError
from marketplace.payload.context import EnvelopeContext, RoundContext

CONTRACT = "0x" + "c0" * 20
TRAINER = "0x" + "ab" * 20

numbers = st.integers(0, 2**256 - 1)
addresses = st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex())
contexts = st.builds(EnvelopeContext, numbers, addresses, numbers, st.integers(0, 2**64 - 1), addresses)


def test_the_encoding_is_the_documented_one():
    context = EnvelopeContext(31337, CONTRACT, 5, 2, TRAINER)
    expected = (31337).to_bytes(32, "big") + b"\xc0" * 20 + (5).to_bytes(32, "big") + (2).to_bytes(8, "big")
    assert context.encode() == expected + b"\xab" * 20
    assert RoundContext(31337, CONTRACT, 5, 2).encode() == expected


@given(contexts)
def test_a_context_reads_back_as_it_was(context):
    assert EnvelopeContext.decode(context.encode()) == context
    assert len(context.encode()) == EnvelopeContext.SIZE


@given(contexts, contexts)
def test_different_contexts_have_different_bytes(first, second):
    assert (first == second) == (first.encode() == second.encode())


def test_the_way_an_address_is_written_makes_no_difference():
    lower = EnvelopeContext(1, CONTRACT, 1, 1, TRAINER)
    upper = EnvelopeContext(1, CONTRACT, 1, 1, "0x" + "AB" * 20)
    assert lower == upper


@pytest.mark.parametrize("field", ["chain_id", "contract", "job", "round", "trainer"])
def test_each_field_that_differs_is_named_with_both_values(field):
    values = {"chain_id": 1, "contract": CONTRACT, "job": 2, "round": 3, "trainer": TRAINER}
    other = "0x" + "11" * 20 if field in ("contract", "trainer") else 9
    found, expected = EnvelopeContext(**values | {field: other}), EnvelopeContext(**values)
    expected.require(expected, "envelope")
    with pytest.raises(WrongOriginError, match=f"The envelope says {field.replace('_', ' ')} {other} where ") as caught:
        found.require(expected, "envelope")
    assert (caught.value.found, caught.value.expected) == (getattr(found, field), getattr(expected, field))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chain_id", -1),
        ("chain_id", 2**256),
        ("job", -1),
        ("job", 2**256),
        ("round", -1),
        ("round", 2**64),
        ("contract", "0x12"),
        ("contract", ""),
        ("trainer", "cairn.eth"),
        ("trainer", None),
    ],
)
def test_values_that_do_not_fit_are_refused(field, value):
    values = {"chain_id": 1, "contract": CONTRACT, "job": 2, "round": 3, "trainer": TRAINER}
    with pytest.raises(MalformedPayloadError, match=f"{field} is "):
        EnvelopeContext(**values | {field: value})
