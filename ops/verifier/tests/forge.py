"""Makes logs, heads and receipts as EVIDENCE.md says, and spoils them in every way we could think of.

Shares nothing with verify.py: signing and trees are written a second time, plainly rather than quickly.
"""
import base64
import copy
import datetime
import hashlib
import json

sha = lambda data: hashlib.sha256(data).digest()
b64 = lambda data: base64.b64encode(data).decode()
un64 = base64.b64decode
ZERO = bytes(32)
INTEGER_MAX = 2**53 - 1

# --- Ed25519 in affine coordinates, signing too (RFC 8032 section 5.1) -------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202,
        46316835694926478169428394003475163141307993866256225615783033603165251855960)


def add(p, q):
    (x1, y1), (x2, y2) = p, q
    both = D * x1 * x2 * y1 * y2
    return ((x1 * y2 + x2 * y1) * pow(1 + both, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - both, -1, P) % P)


def times(n, p):
    result = (0, 1)
    while n:
        if n & 1:
            result = add(result, p)
        p, n = add(p, p), n >> 1
    return result


def encode(p):
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def little(data):
    return int.from_bytes(data, "little")


class Signer:
    """One log's name and secret key."""

    def __init__(self, origin, seed):
        digest = hashlib.sha512(seed).digest()
        self.a = little(digest[:32]) & (1 << 254) - 8 | 1 << 254
        self.prefix, self.origin = digest[32:], origin
        self.public = encode(times(self.a, BASE))
        self.key_id = sha(origin.encode() + b"\n\x01" + self.public)[:4]
        self.verifier_key = verifier_key(origin, self.public)

    def sign(self, message):
        r = little(hashlib.sha512(self.prefix + message).digest()) % ORDER
        big_r = encode(times(r, BASE))
        k = little(hashlib.sha512(big_r + self.public + message).digest())
        return big_r + ((r + k * self.a) % ORDER).to_bytes(32, "little")

    def sign_with_r(self, message, big_r):
        """A signature whose R is given as bytes and stands for the neutral point: fits the plain equation."""
        k = little(hashlib.sha512(big_r + self.public + message).digest())
        return big_r + (k * self.a % ORDER).to_bytes(32, "little")

    def note(self, text, signature=None, key_id=None, name=None):
        signed = b64((key_id or self.key_id) + (signature or self.sign(text.encode())))
        return f"{text}\n\u2014 {name or self.origin} {signed}\n"


def verifier_key(origin, public, key_id=None):
    key_id = key_id or sha(origin.encode() + b"\n\x01" + public)[:4]
    return f"{origin}+{key_id.hex()}+{b64(bytes([1]) + public)}"


# Every way of writing a point of order 8 or less, the improper ones too.
ORDER_8_Y = 2707385501144840649318225287225658788936804267575313519463743609750303021914
SMALL_ORDER = [
    (y | sign << 255).to_bytes(32, "little")
    for y in [0, 1, P - 1, P, P + 1, ORDER_8_Y, P - ORDER_8_Y]
    for sign in [0, 1]
]

# --- The log -----------------------------------------------------------------------------------------------------


def event_hash(event, predecessor):
    data = b"onetrip/event/1" + predecessor + event["sequence"].to_bytes(8, "big")
    for name in ["aggregate_type", "aggregate_id", "event_type", "event_version", "payload", "metadata"]:
        text = event[name].encode()
        data += len(text).to_bytes(8, "big") + text
    return sha(data)


def micros(text):
    at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return (at - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)


def leaf_hash(event, chained, hashed):
    return sha(b"\x00onetrip/leaf/1" + bytes([chained]) + event["transaction_id"].to_bytes(8, "big") + event["position"].to_bytes(8, "big")
               + micros(event["recorded_at"]).to_bytes(8, "big", signed=True) + hashed)


WORDS = ["", "路灯不亮", "\"quoted\" \\ / \b\f\n\r\t", "é\u0301 \u2028\u2029 \ufeff", "𠮷野家 👩‍👩‍👧", "<script>alert(1)</script>", "\u0000\u001f\u007f", "x" * 3000]


def make_events(random, count):
    """Events with their leaves, in the order of the log: chained and plain, of several cases, with odd texts."""
    last, made, position, transaction = {}, [], random.randrange(1000), random.randrange(10**6)
    at = datetime.datetime(2026, 11, 26, 14, 3, 5, 120)
    for n in range(count):
        case = f"01970000-0000-7000-8000-{random.randrange(1 + count // 3):012d}"
        position, transaction = position + random.randrange(1, 4), transaction + random.randrange(3)
        at += datetime.timedelta(microseconds=random.randrange(10**8))
        sequence, predecessor = last.get(case, (0, ZERO))
        word = random.choice(WORDS)
        event_type = random.choice(["CaseSubmitted", "CaseAccepted", "ResultGiven", word[:40]])
        payload = {"number": f"2600{n:08d}", "words": word, "score": 1.5e3}
        event = {
            "aggregate_type": "case", "aggregate_id": case, "sequence": sequence + 1, "event_version": "1.0", "event_type": event_type,
            "payload": json.dumps(random.choice([payload, {"fact": {event_type: payload}}]), ensure_ascii=random.random() < 0.5),
            "metadata": random.choice(["{}", json.dumps({"note": word}, ensure_ascii=False)]),
            "transaction_id": transaction, "position": position, "recorded_at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        if n % 50 == 7:
            event.update(transaction_id=INTEGER_MAX, position=INTEGER_MAX, recorded_at=random.choice(["9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"]))
        chained = random.random() < 0.8
        hashed = event_hash(event, predecessor if chained else ZERO)
        event["predecessor"], event["hash"] = (b64(predecessor), b64(hashed)) if chained else (None, None)
        last[case] = (sequence + 1, hashed if chained else ZERO)
        made.append((event, leaf_hash(event, chained, hashed)))
    return made


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha(b"\x01" + root(leaves[:k]) + root(leaves[k:]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return path(index, leaves[:k]) + [root(leaves[k:])]
    return path(index - k, leaves[k:]) + [root(leaves[:k])]


def head_text(origin, size, top, previous=ZERO, time="2026-11-27T00:00:00Z"):
    return f"{origin}\n{size}\n{b64(top)}\nprevious {b64(previous)}\ntime {time}\n"


class Log:
    """Events under one key. Heads are made on demand, each the successor of the one made before."""

    def __init__(self, random, count, signer):
        self.random, self.signer = random, signer
        self.events = make_events(random, count)
        self.leaves = [leaf for _, leaf in self.events]
        self.heads = {}

    def head(self, size):
        if size not in self.heads:
            previous = list(self.heads.values())[-1].encode() if self.heads else None
            text = head_text(self.signer.origin, size, root(self.leaves[:size]), sha(previous) if previous else ZERO)
            self.heads[size] = self.signer.note(text)
        return self.heads[size]

    def receipt(self, index, size=None):
        """For the event at `index`, under the head of `size` events; without a size, not sealed."""
        event, leaf = self.events[index]
        proof = None
        if size:
            proof = {"index": index, "path": [b64(p) for p in path(index, self.leaves[:size])], "head": self.head(size)}
        return {"format": "onetrip-receipt/1", "event": dict(event), "leaf": b64(leaf), "proof": proof, "key": self.signer.verifier_key}


# --- Spoiling ----------------------------------------------------------------------------------------------------


def flip(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def replaced(value, names, new):
    """A copy in which the member that `names` lead to is `new`."""
    changed = copy.deepcopy(value)
    inner = changed
    for name in names[:-1]:
        inner = inner[name]
    inner[names[-1]] = new
    return changed


def base64_spoiled(text):
    """The same bytes written otherwise, and others."""
    data = un64(text)
    yield "bit", b64(flip(data, 0))
    yield "last bit", b64(flip(data, 8 * len(data) - 1))
    yield "byte fewer", b64(data[:-1])
    yield "byte more", b64(data + b"\0")
    yield "no padding", text.rstrip("=") if text.endswith("=") else text + "="
    yield "line break", text + "\n"
    yield "space in front", " " + text
    yield "space inside", text[:8] + " " + text[8:]
    if text.endswith("="):
        # The bits that no byte needs.
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        last = text.rstrip("=")
        yield "spare bits", last[:-1] + alphabet[alphabet.index(last[-1]) ^ 1] + "=" * (len(text) - len(last))
    if "+" in text or "/" in text:
        yield "alphabet of addresses", text.replace("+", "-").replace("/", "_")


def text_spoiled(text):
    yield "character more", text + " "
    yield "terminator", text + "\0"
    yield "letter in front", "a" + text
    if text:
        yield "character fewer", text[:-1]
        yield "empty", ""
        yield "character changed", chr(ord(text[0]) ^ 1) + text[1:]
        yield "doubled", text + text
    if text.swapcase() != text:
        yield "case", text.swapcase()


def number_spoiled(number):
    for other in [number + 1, max(number - 1, 0), 0, 1, INTEGER_MAX, INTEGER_MAX + 1, 2**64 + number, -number - 1, float(number), str(number), None,
                  True, [number], number + 0.5, 1e300]:
        if type(other) is not int or other != number:
            yield repr(other)[:30], other


def time_spoiled(time):
    yield "microsecond", time[:-2] + ("1" if time[-2] == "0" else "0") + "Z"
    for day in ["2026-11-25", "2026-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-11-00"]:
        yield day, day + time[10:]
    for clock in ["24:00:00", "14:60:00", "14:03:60", "14-03-05"]:
        yield clock, time[:11] + clock + time[19:]
    yield "no fraction", time[:19] + "Z"
    yield "three digits", time[:23] + "Z"
    yield "nine digits", time[:-1] + "000Z"
    yield "offset", time[:-1] + "+00:00"
    yield "no zone", time[:-1]
    yield "small z", time[:-1] + "z"
    yield "small t", time.replace("T", "t")
    yield "space", time.replace("T", " ")
    yield "other digits", time.replace("2", "\uff12", 1).replace("9", "\uff19", 1)
    yield "line break", time + "\n"


def spoiled(receipt, log, other):
    """Pairs of what was done and a receipt that nobody may accept. `other` is a log under another key of the same name."""
    event, proof = receipt["event"], receipt["proof"]

    def many(names, ways):
        value = receipt
        for name in names:
            value = value[name]
        for how, new in ways(value):
            yield f"{'.'.join(str(name) for name in names)}: {how}", replaced(receipt, names, new)

    for name in ["aggregate_type", "aggregate_id", "event_type", "event_version", "payload", "metadata"]:
        yield from many(["event", name], text_spoiled)
    payload = json.loads(event["payload"])
    yield "payload made anew", replaced(receipt, ["event", "payload"], json.dumps(payload, separators=(",", ":"), sort_keys=True) + "\n")
    yield "payload as JSON", replaced(receipt, ["event", "payload"], payload)
    yield "texts moved", replaced(replaced(receipt, ["event", "payload"], event["payload"] + event["metadata"]), ["event", "metadata"], "")
    swapped = replaced(receipt, ["event", "payload"], event["metadata"])
    if event["payload"] != event["metadata"]:
        yield "texts swapped", replaced(swapped, ["event", "metadata"], event["payload"])
    for name in ["sequence", "transaction_id", "position"]:
        yield from many(["event", name], number_spoiled)
    yield from many(["event", "recorded_at"], time_spoiled)
    if event["hash"]:
        for name in ["predecessor", "hash"]:
            yield from many(["event", name], base64_spoiled)
            yield f"{name} null", replaced(receipt, ["event", name], None)
        yield "made plain", replaced(replaced(receipt, ["event", "hash"], None), ["event", "predecessor"], None)
        if un64(event["predecessor"]) != ZERO:
            again = event_hash(event, ZERO)
            changed = replaced(replaced(receipt, ["event", "hash"], b64(again)), ["event", "predecessor"], b64(ZERO))
            yield "chained anew from nothing", changed
            yield "chained anew, leaf too", replaced(changed, ["leaf"], b64(leaf_hash(event, 1, again)))
    else:
        hashed = event_hash(event, ZERO)
        yield "made chained", replaced(replaced(receipt, ["event", "hash"], b64(hashed)), ["event", "predecessor"], b64(ZERO))
    # Changed, and everything that needs no key made to fit again.
    forged = dict(event, payload=event["payload"].replace("26", "27", 1))
    hashed = event_hash(forged, un64(event["predecessor"]) if event["hash"] else ZERO)
    forged["hash"] = event["hash"] and b64(hashed)
    changed = dict(receipt, event=forged, leaf=b64(leaf_hash(event, 1 if event["hash"] else 0, hashed)))
    yield "forged with hash and leaf", changed

    yield from many(["leaf"], base64_spoiled)
    yield from many(["key"], text_spoiled)
    yield "another log's key", replaced(receipt, ["key"], other.signer.verifier_key)
    for name in ["format", "event", "leaf", "proof", "key"]:
        yield f"without {name}", {key: value for key, value in receipt.items() if key != name}
    for name in event:
        yield f"event without {name}", dict(receipt, event={key: value for key, value in event.items() if key != name})
    for names in [[], ["event"]] + ([["proof"]] if proof else []):
        yield f"member more in {names}", replaced(receipt, names + ["note"], "")
    for value in ["onetrip-receipt/2", "onetrip-receipt/1 ", "Onetrip-receipt/1", None, 1]:
        yield f"format {value!r}", replaced(receipt, ["format"], value)
    for names in [["event"], ["leaf"], ["key"], ["event", "payload"], ["event", "recorded_at"], ["event", "hash"]]:
        for value in [[], {}, "", 0, True] + ([None] if names != ["event", "hash"] else []):
            yield f"{names} {value!r}", replaced(receipt, names, value)
    yield "lone surrogate", replaced(receipt, ["event", "metadata"], event["metadata"] + "\ud800")
    if proof:
        yield from spoiled_proofs(receipt, log, other, many)


def spoiled_proofs(receipt, log, other, many):
    proof = receipt["proof"]
    index, nodes, note = proof["index"], proof["path"], proof["head"]
    size = int(note.split("\n")[1])
    with_path = lambda changed: replaced(receipt, ["proof", "path"], changed)
    with_head = lambda changed: replaced(receipt, ["proof", "head"], changed)
    for name in proof:
        yield f"proof without {name}", dict(receipt, proof={key: value for key, value in proof.items() if key != name})
    for value in [[], "", 0, False, {}]:
        yield f"proof {value!r}", replaced(receipt, ["proof"], value)
    yield from many(["proof", "index"], number_spoiled)
    for wrong in {*range(min(size, 20)), size - 1, size, size + index, 2 * size} - {index}:
        yield f"index {wrong}", replaced(receipt, ["proof", "index"], wrong)
    for n, node in enumerate(nodes):
        for how, new in base64_spoiled(node):
            yield f"path {n}: {how}", with_path(nodes[:n] + [new] + nodes[n + 1 :])
        for bit in log.random.sample(range(256), 4):
            yield f"path {n}: bit {bit}", with_path(nodes[:n] + [b64(flip(un64(node), bit))] + nodes[n + 1 :])
        yield f"path {n} gone", with_path(nodes[:n] + nodes[n + 1 :])
        yield f"path {n} twice", with_path(nodes[: n + 1] + nodes[n:])
        if n:
            yield f"path {n} swapped", with_path(nodes[: n - 1] + [node, nodes[n - 1]] + nodes[n + 1 :])
            yield f"path cut to {n}", with_path(nodes[:n])
        yield f"path {n} null", with_path(nodes[:n] + [None] + nodes[n + 1 :])
    for extra in [b64(ZERO), receipt["leaf"], note.split("\n")[2], b64(sha(b""))]:
        yield "path longer", with_path(nodes + [extra])
        yield "path longer in front", with_path([extra] + nodes)
    yield "path very long", with_path(nodes + [b64(ZERO)] * 100)
    if nodes:
        yield "no path", with_path([])
    yield "path as object", with_path({})

    lines = note.split("\n")
    text, signed = note[: note.index("\n\n") + 1], un64(lines[6].rsplit(" ", 1)[1])
    # Every character in one tree, a choice of them in the others.
    for n in range(0, len(note), 1 if size == 7 else 11):
        character = note[n]
        yield f"head without character {n}", with_head(note[:n] + note[n + 1 :])
        yield f"head character {n} changed", with_head(note[:n] + chr(ord(character) ^ 1) + note[n + 1 :])
        yield f"head character {n} twice", with_head(note[: n + 1] + note[n:])
    for n in range(len(lines)):
        yield f"head line {n} gone", with_head("\n".join(lines[:n] + lines[n + 1 :]))
        yield f"head line {n} twice", with_head("\n".join(lines[: n + 1] + lines[n:]))
        if n:
            yield f"head lines {n} swapped", with_head("\n".join(lines[: n - 1] + [lines[n], lines[n - 1]] + lines[n + 1 :]))
    yield "head with CR LF", with_head(note.replace("\n", "\r\n"))
    yield "head empty", with_head("")
    yield "another signature line", with_head(note + lines[6] + "\n")
    for how, new in base64_spoiled(lines[6].rsplit(" ", 1)[1]):
        yield f"signature: {how}", with_head(note.replace(lines[6], f"{lines[6].rsplit(' ', 1)[0]} {new}"))
    signature = signed[4:]
    signer = log.signer
    for bit in log.random.sample(range(512), 24):
        yield f"signature bit {bit}", with_head(signer.note(text, flip(signature, bit)))
    s = little(signature[32:])
    for more in range(1, 16):
        if s + more * ORDER < 2**256:
            yield f"S plus {more} orders", with_head(signer.note(text, signature[:32] + (s + more * ORDER).to_bytes(32, "little")))
    yield "S negative", with_head(signer.note(text, signature[:32] + (ORDER - s).to_bytes(32, "little")))
    yield "signature of zeros", with_head(signer.note(text, bytes(64)))
    for small in SMALL_ORDER:
        yield "R of small order", with_head(signer.note(text, signer.sign_with_r(text.encode(), small)))
    yield "key id of zeros", with_head(signer.note(text, signature, key_id=bytes(4)))
    fake = other.signer
    yield "signed by another", with_head(fake.note(text))
    yield "signed by another, with our key id", with_head(fake.note(text, key_id=signer.key_id))
    for how, changed in [
        ("size more", head_text(signer.origin, size + 1, un64(lines[2]))), ("size 0", head_text(signer.origin, 0, un64(lines[2]))),
        ("other root", head_text(signer.origin, size, sha(b"x"))), ("other time", text.replace("T00:00:00", "T00:00:01")),
        ("size of 21 digits", head_text(signer.origin, 10**20, un64(lines[2]))),
    ]:
        yield f"head with {how}, old signature", with_head(signer.note(changed, signature))
    # The holder of the key signs what no verifier of this version takes.
    top = un64(lines[2])
    at = lambda time: head_text(signer.origin, size, top, time=time)
    for how, changed in [
        ("leading zero", text.replace(f"\n{size}\n", f"\n0{size}\n", 1)), ("plus sign", text.replace(f"\n{size}\n", f"\n+{size}\n", 1)),
        ("other digits", text.replace(f"\n{size}\n", "\n\u0661\n", 1)), ("size 0", head_text(signer.origin, 0, top)), ("size -1", head_text(signer.origin, -1, top)),
        ("too large a size", head_text(signer.origin, 2**64, top)), ("size of 21 digits", head_text(signer.origin, 10**20, top)),
        ("a line more", text + "more\n"), ("a line fewer", text[: text.index("time ")]), ("no previous", text.replace("previous ", "")),
        ("two spaces", text.replace("previous ", "previous  ")), ("previous of 31 bytes", head_text(signer.origin, size, top, bytes(31))),
        ("root of 33 bytes", head_text(signer.origin, size, top + b"\0")), ("no time", text.replace("time ", "")), ("a tab", text.replace("time ", "time\t")),
        ("an improper root", text.replace(lines[2], lines[2].replace("=", "") + "\u003d ", 1)), ("a space in its name", text.replace(signer.origin, "a b", 1)),
        ("no name", text.replace(signer.origin, "", 1)), ("a plus sign in its name", text.replace(signer.origin, "a+b", 1)),
        *((time, at(time)) for time in [
            "2026-02-30T00:00:00Z", "2026-11-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
            "2026-11-27T24:00:00Z", "2026-11-27T23:60:00Z", "2026-11-27T23:59:60Z", "2026-11-27T00:00:00.000000Z", "2026-11-27T00:00:00+00:00",
            "2026-11-27t00:00:00z", "2026-11-27 00:00:00Z", "26-11-27T00:00:00Z", "12026-11-27T00:00:00Z", "2026-11-27T00:00Z", "2100-02-29T00:00:00Z", ""]),
    ]:
        name = changed.split("\n")[0]
        yield f"malformed head with {how}", with_head(signer.note(changed, name=name))
    for how, changed in [
        ("words in the empty line", note.replace("\n\n", "\nx\n")), ("a space in the empty line", note.replace("\n\n", "\n \n")), ("text behind", note + "x"),
        ("a space behind", note + " "), ("a line break behind", note + "\n"), ("no line break", note[:-1]), ("a dash", note.replace("\u2014", "-")),
        ("no dash", note.replace("\u2014 ", "")), ("two spaces", note.replace("\u2014 ", "\u2014  ")), ("a word behind the signature", note[:-1] + " x\n"),
        ("another name in the signature", signer.note(text, name="example.org/other")), ("a signature of 63 bytes", signer.note(text, signature[:63])),
        ("a signature of 65 bytes", signer.note(text, signature + b"\0")), ("a line break in front", "\n" + note), ("a byte order mark", "\ufeff" + note),
    ]:
        yield f"malformed head with {how}", with_head(changed)
    # Well signed heads that do not fit this receipt, made so that as much as possible fits.
    longer = lambda extra: with_path(nodes + [b64(extra)])
    for extra in [ZERO, sha(b"x")]:
        for grown in [sha(b"\x01" + extra + top), sha(b"\x01" + top + extra)]:
            yield "well signed root over a path too long", replaced(longer(extra), ["proof", "head"], signer.note(head_text(signer.origin, size, grown)))
    for how, changed in [
        ("another root", head_text(signer.origin, size, sha(b"x"))), ("size doubled", head_text(signer.origin, 2 * size + 1, top)),
        ("largest size", head_text(signer.origin, 2**64 - 1, top)), *([("size up to the index", head_text(signer.origin, index, top))] if index else []),
    ]:
        yield f"well signed head with {how}", with_head(signer.note(changed))
    yield "name with a space", with_head(signer.note(text.replace(signer.origin, "a b", 1)))
    yield "another name in the text", with_head(signer.note(text.replace(signer.origin, "example.org/other", 1)))
    yield "another name throughout", with_head(signer.note(text.replace(signer.origin, "example.org/other", 1), name="example.org/other"))
    # A node inside the tree given out as a leaf.
    if size > 2 and nodes:
        inner = sha(b"\x01" + (un64(nodes[0]) + un64(receipt["leaf"]) if index % 2 else un64(receipt["leaf"]) + un64(nodes[0])))
        yield "inner node as leaf", replaced(with_path(nodes[1:]), ["leaf"], b64(inner))
    for wrong in log.random.sample(range(len(log.leaves)), min(4, len(log.leaves))):
        if log.leaves[wrong] != un64(receipt["leaf"]):
            yield "another event's leaf", replaced(receipt, ["leaf"], b64(log.leaves[wrong]))
            yield "another event", dict(receipt, event=dict(log.events[wrong][0]))


def spoiled_texts(receipt):
    """The same on the level of the text: what a careless reader of JSON lets pass."""
    good = json.dumps(receipt, ensure_ascii=False)
    event = receipt["event"]
    yield "repeated member, last one good", '{"leaf": "", ' + good[1:]
    yield "repeated member, same value", good[:-1] + f', "key": {json.dumps(receipt["key"])}}}'
    yield "repeated member in event", good.replace('"event": {', '"event": {"payload": "{}", ', 1)
    yield "repeated member under an escape", good.replace('"event": {', '"event": {"p\\u0061yload": "{}", ', 1)
    for name in ["sequence", "position"]:
        plain = f'"{name}": {event[name]}'
        for how in [".0", "e0", "E+0", ".000", "n", "."]:
            yield f"{name}{how}", good.replace(plain, plain + how, 1)
        for front in ["0", "+", "-", "00", "0x"]:
            yield f"{name} with {front}", good.replace(plain, f'"{name}": {front}{event[name]}', 1)
        for word in ["NaN", "Infinity", "-0", "-1", "9007199254740993", "1" * 5000, "\uff11", "undefined", "01"]:
            yield f"{name} {word[:20]}", good.replace(plain, f'"{name}": {word}', 1)
    yield "text behind", good + "x"
    yield "second receipt behind", good + good
    yield "comment", good[:-1] + "/**/}"
    yield "comma", good[:-1] + ",}"
    yield "cut", good[:-1]
    yield "cut to half", good[: len(good) // 2]
    yield "empty", ""
    yield "array", f"[{good}]"
    yield "string", json.dumps(good)
    yield "deep", "[" * 100_000
    yield "deep inside", good.replace('"proof": ', '"proof": ' + "[" * 100_000, 1)
    yield "null", "null"
    yield "single quotes", good.replace('"leaf"', "'leaf'")
    yield "raw line break in a text", good.replace('"event_version": "1', '"event_version": "\n1', 1)
    yield "bad escape", good.replace('"event_version": "1', '"event_version": "\\x31', 1)
    yield "no-break space between", good.replace(": ", ":\u00a0", 1)
    yield "byte order mark inside", good.replace(": ", ":\ufeff", 1)


def same_otherwise_written(receipt, random):
    """Texts of the same receipt, all to be accepted."""
    yield json.dumps(receipt, ensure_ascii=False)
    yield json.dumps(receipt, ensure_ascii=True, indent=3)
    yield json.dumps(receipt, ensure_ascii=False, separators=(",", ":"))
    yield "\ufeff" + json.dumps(receipt, ensure_ascii=False) + " \r\n\t"
    shuffled = dict(random.sample(list(receipt.items()), len(receipt)))
    shuffled["event"] = dict(random.sample(list(receipt["event"].items()), len(receipt["event"])))
    yield json.dumps(shuffled)
    everything_escaped = json.dumps(receipt).replace('"leaf"', '"\\u006c\\u0065af"').replace("/", "\\/")
    yield everything_escaped


def random_spoil(receipt, random):
    """One place of the decoded receipt changed at random; None when that changed nothing."""
    changed = copy.deepcopy(receipt)
    places = []

    def walk(inner):
        for name in inner if isinstance(inner, dict) else range(len(inner)):
            places.append((inner, name))
            if isinstance(inner[name], (dict, list)):
                walk(inner[name])

    walk(changed)
    inner, name = random.choice(places)
    value = inner[name]
    if isinstance(value, str) and value:
        try:
            data = un64(value, validate=True) if len(value) >= 44 else b""
        except ValueError:
            data = b""
        if data and random.random() < 0.5:
            inner[name] = b64(flip(data, random.randrange(8 * len(data))))
        else:
            n = random.randrange(len(value))
            inner[name] = value[:n] + random.choice(["", chr(random.randrange(32, 127)), random.choice(value), "\n"]) + value[n + random.randrange(2) :]
    elif type(value) is int:
        inner[name] = value ^ 1 << random.randrange(53)
    elif isinstance(value, list) and value:
        random.shuffle(value) if random.random() < 0.5 else value.pop(random.randrange(len(value)))
    else:
        inner[name] = random.choice([None, "", 0, [], {}])
    return None if json.dumps(changed) == json.dumps(receipt) else changed
