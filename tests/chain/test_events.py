"""Logs decode to what web3 makes of them."""

from __future__ import annotations

import pytest
from eth_abi.exceptions import DecodingError
from hexbytes import HexBytes
from web3 import Web3
from web3._utils.events import get_event_data

from marketplace.chain.artifacts import load_artifact
from marketplace.chain.deployment import MARKET
from marketplace.chain.events import EventDecoder, decoder_of
from tests.chain.encoding import encode_event, sample_arguments

EVENTS = [entry for entry in load_artifact(MARKET).abi if entry["type"] == "event"]


def plain(value):
    if hasattr(value, "items"):
        return {name: plain(part) for name, part in value.items()}
    return tuple(map(plain, value)) if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("abi", EVENTS, ids=lambda abi: abi["name"])
def test_every_event_decodes_as_web3_decodes_it(abi) -> None:
    topics, data = encode_event(abi["name"], sample_arguments(abi))
    log = {
        "topics": [HexBytes(topic) for topic in topics],
        "data": HexBytes(data),
        "address": "0x" + "00" * 20,
        "blockNumber": 1,
        "blockHash": HexBytes(bytes(32)),
        "logIndex": 0,
        "transactionHash": HexBytes(bytes(32)),
        "transactionIndex": 0,
    }
    expected = get_event_data(Web3().codec, abi, log)
    name, arguments = decoder_of(MARKET).decode(topics, data)
    assert (name, plain(arguments)) == (expected["event"], plain(dict(expected["args"])))


def test_data_that_is_not_in_the_canonical_form_means_what_it_means_to_the_library() -> None:
    (abi,) = [entry for entry in EVENTS if entry["name"] == "Submitted"]
    arguments = sample_arguments(abi)
    topics, data = encode_event("Submitted", arguments)
    # The bytes lie a word further on than they need to.
    moved = data[:32] + (96).to_bytes(32, "big") + bytes(32) + data[64:]
    assert decoder_of(MARKET).decode(topics, moved)[1]["cid"] == arguments["cid"]
    with pytest.raises(DecodingError):
        decoder_of(MARKET).decode(topics, data[:-1] + b"\1")
    with pytest.raises(ValueError, match="no data has"):
        decoder_of(MARKET).decode(topics, data[:64] + b"\xff" * 32 + data[96:])


def test_what_is_no_event_of_the_market_is_refused() -> None:
    (abi,) = [entry for entry in EVENTS if entry["name"] == "Submitted"]
    topics, data = encode_event("Submitted", sample_arguments(abi))
    decoder = decoder_of(MARKET)
    for fault, odd_topics, odd_data in (
        (KeyError, [b"\1" * 32, *topics[1:]], data),
        (ValueError, topics[:-1], data),
        (ValueError, [*topics, topics[-1]], data),
        (DecodingError, topics, data[:40]),
        (DecodingError, [*topics[:3], b"\xff" * 32], data),
    ):
        with pytest.raises(fault):
            decoder.decode(odd_topics, odd_data)


def test_an_event_of_which_a_topic_holds_only_a_hash_is_refused() -> None:
    entry = {"type": "event", "name": "Odd", "inputs": [{"name": "text", "type": "string", "indexed": True}]}
    with pytest.raises(ValueError, match="Odd"):
        EventDecoder([entry])
