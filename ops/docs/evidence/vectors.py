#!/usr/bin/env python3
"""Makes vectors.json from EVIDENCE.md alone: needs Python 3 and the package `cryptography`.

    ops/docs/evidence/vectors.py > ops/docs/evidence/vectors.json
"""
import base64, copy, hashlib, json
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

sha = lambda data: hashlib.sha256(data).digest()
b64 = lambda data: base64.b64encode(data).decode()
ZERO = bytes(32)


def event_hash(event, predecessor):
    data = b"onetrip/event/1" + predecessor + event["sequence"].to_bytes(8, "big", signed=True)
    for name in ["aggregate_type", "aggregate_id", "event_type", "event_version", "payload", "metadata"]:
        text = event[name].encode()
        data += len(text).to_bytes(8, "big") + text
    return sha(data)


def leaf_data(kind, transaction_id, position, recorded_at, hashed):
    return (b"onetrip/leaf/1" + bytes([kind]) + transaction_id.to_bytes(8, "big")
            + position.to_bytes(8, "big", signed=True) + recorded_at.to_bytes(8, "big", signed=True) + hashed)


leaf_hash = lambda data: sha(b"\0" + data)
node = lambda left, right: sha(b"\1" + left + right)


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def root(leaves):
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return path(index, leaves[:k]) + [root(leaves[k:])]
    return path(index - k, leaves[k:]) + [root(leaves[:k])]


ORIGIN = "example.org/onetrip"
SEED = bytes(range(32))
SIGNER = Ed25519PrivateKey.from_private_bytes(SEED)
PUBLIC = SIGNER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
KEY_ID = sha(ORIGIN.encode() + b"\n\1" + PUBLIC)[:4]
VERIFIER = ORIGIN + "+" + KEY_ID.hex() + "+" + b64(b"\1" + PUBLIC)


def head(leaves, previous, time):
    text = "%s\n%d\n%s\nprevious %s\ntime %s\n" % (ORIGIN, len(leaves), b64(root(leaves)), b64(previous), time)
    return text + "\n\u2014 %s %s\n" % (ORIGIN, b64(KEY_ID + SIGNER.sign(text.encode())))


# The leaves that Certificate Transparency's own tests use.
CT = [bytes.fromhex(text) for text in [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]]
ct = [leaf_hash(data) for data in CT]

first = {
    "aggregate_type": "case", "aggregate_id": "01970000-0000-7000-8000-000000000001", "sequence": 1,
    "event_type": "CaseSubmitted", "event_version": "1.0",
    "payload": '{"number":"26000017","category":"street_lights","words":{"for":"case:01970000-0000-7000-8000-000000000001","sealed":"AaB/+9"}}',
    "metadata": '{"correlation_id":"00000000-0000-0000-0000-000000000001","note":"路灯"}',
}
second = dict(first, sequence=2, event_type="CaseAccepted", payload='{"legal_due": null}')
plain = dict(first, aggregate_id="stock", sequence=2, metadata="{}")
RECORDED = ["2026-11-26T14:03:05.000120Z", "2026-11-26T14:03:06.999999Z", "2026-11-26T14:03:06.999999Z"]
MICROSECONDS = [1795701785000120, 1795701786999999, 1795701786999999]
h1 = event_hash(first, ZERO)
h2 = event_hash(second, h1)
hp = event_hash(plain, ZERO)
stored = [(first, ZERO, h1, 1, 7001, 12), (second, h1, h2, 1, 7002, 11), (plain, None, hp, 0, 7002, 14)]
events, leaves = [], []
for (event, predecessor, hashed, kind, transaction_id, position), at, micros in zip(stored, RECORDED, MICROSECONDS):
    data = leaf_data(kind, transaction_id, position, micros, hashed)
    leaves.append(leaf_hash(data))
    events.append({
        "event": dict(event, transaction_id=transaction_id, position=position, recorded_at=at,
                      predecessor=None if predecessor is None else b64(predecessor),
                      hash=b64(hashed) if kind else None),
        "event_hash": b64(hashed), "recorded_at_microseconds": micros, "leaf_data": b64(data), "leaf": b64(leaves[-1])})
leaves += ct[:4]
head_1 = head(leaves[:3], ZERO, "2026-11-26T14:03:10Z")
head_2 = head(leaves, sha(head_1.encode()), "2026-11-26T14:03:20Z")


def receipt(index, signed, size):
    return {"format": "onetrip-receipt/1", "event": events[index]["event"], "leaf": events[index]["leaf"],
            "proof": signed and {"index": index, "path": [b64(p) for p in path(index, leaves[:size])], "head": signed},
            "key": VERIFIER}


good = receipt(1, head_2, 7)


def bad(why, change):
    changed = copy.deepcopy(good)
    change(changed)
    return {"why": why, "receipt": changed}


def set_in(*names_and_value):
    *names, last, value = names_and_value

    def change(receipt):
        for name in names:
            receipt = receipt[name]
        receipt[last] = value
    return change


print(json.dumps({
    "events": events,
    "tree": {"leaf_data": [data.hex() for data in CT], "leaf_hashes": [hashed.hex() for hashed in ct],
             "roots_by_size": [root(ct[:n]).hex() for n in range(0, 9)],
             "paths": [{"index": i, "size": n, "path": [p.hex() for p in path(i, ct[:n])]} for n in range(1, 9) for i in range(n)]},
    "signing": {"seed": SEED.hex(), "public_key": PUBLIC.hex(), "origin": ORIGIN, "key_id": KEY_ID.hex(), "verifier_key": VERIFIER},
    "heads": [{"leaves": [b64(leaf) for leaf in leaves[:3]], "note": head_1},
              {"leaves": [b64(leaf) for leaf in leaves], "note": head_2}],
    "receipts": {"good": [receipt(0, head_1, 3), good, receipt(2, head_1, 3), receipt(2, head_2, 7)],
                 "not_sealed": [receipt(0, None, 0)],
                 "bad": [
                     bad("payload changed", set_in("event", "payload", good["event"]["payload"] + " ")),
                     bad("sequence changed", set_in("event", "sequence", 3)),
                     bad("recorded a microsecond earlier", set_in("event", "recorded_at", "2026-11-26T14:03:06.999998Z")),
                     bad("another predecessor", set_in("event", "predecessor", b64(ZERO))),
                     bad("hash taken away", set_in("event", "hash", None)),
                     bad("another index", set_in("proof", "index", 0)),
                     bad("index beyond the tree", set_in("proof", "index", 7)),
                     bad("path cut", set_in("proof", "path", good["proof"]["path"][:-1])),
                     bad("path too long", set_in("proof", "path", good["proof"]["path"] + [b64(ZERO)])),
                     bad("another head", set_in("proof", "head", head_1)),
                     bad("time of the head changed", set_in("proof", "head", head_2.replace("14:03:20", "14:03:19"))),
                     bad("text behind the signature", set_in("proof", "head", head_2 + "\n")),
                     bad("another name in the signature line", set_in("proof", "head", head_2.replace("\u2014 example", "\u2014 sample"))),
                     bad("another key", set_in("key", VERIFIER.replace("onetrip", "onetrap"))),
                     bad("a member too many", set_in("note", "")),
                 ]},
}, indent=1, ensure_ascii=False))
