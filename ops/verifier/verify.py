#!/usr/bin/env python3
"""Checks receipts of a Onetrip log, and the heads that a witness keeps, without any of Onetrip's code.

Written from ops/docs/EVIDENCE.md alone; the numbers of sections and steps below are that page's. Needs Python 3.9
or newer and nothing else: no network, no packages.
"""
import argparse
import base64
import hashlib
import json
import pathlib
import re
import sys

# --- Ed25519: verification only, RFC 8032 section 5.1 ------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
# Points are (X, Y, Z, T) with x = X/Z, y = Y/Z and x*y = T/Z.
NEUTRAL = (0, 1, 1, 0)


def point_add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * D * p[3] * q[3] % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_times(n, p):
    result = NEUTRAL
    for bit in bin(n)[2:]:
        result = point_add(result, result)
        if bit == "1":
            result = point_add(result, p)
    return result


def is_neutral(p):
    return p[0] % P == 0 and (p[1] - p[2]) % P == 0


def point_encode(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def point_decode(data):
    """The point of 32 bytes, or None where there is none or the same point is properly written otherwise."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (v * x * x - u) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def usable_point(data):
    """The point, unless its order is 8 or less: with such a key one signature fits every text."""
    point = point_decode(data)
    return None if point is None or is_neutral(point_times(8, point)) else point


BASE = point_decode(bytes.fromhex("58" + "66" * 31))


def ed25519_verify(public, signature, message):
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r = usable_point(public), usable_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    # The equation without the cofactor, [S]B = R + [k]A, compared as bytes.
    minus_key = (P - key[0], key[1], 1, P - key[3])
    return point_encode(point_add(point_times(s, BASE), point_times(k, minus_key))) == signature[:32]


# --- Refusals ----------------------------------------------------------------------------------------------------

STEPS = {
    "trusted key": "the key you gave is a verifier key",
    "receipt": "the file is a receipt of the form this script knows",
    1: "the key in the receipt is the key you trust",
    2: "the event fits its hash",
    3: "the event fits its leaf in the tree",
    4: "the receipt is sealed",
    5: "the head is signed with the key you trust",
    6: "the path leads from the leaf to the root of the signed tree",
    "heads": "the heads follow one another",
}


class Refused(Exception):
    """`step` is one of STEPS, `code` a short name that never changes, `why` words for people."""

    def __init__(self, step, code, why):
        super().__init__(why)
        self.step, self.code, self.why = step, code, why


# --- Small parts: base64, times, names ---------------------------------------------------------------------------

INTEGER_MAX = 2**53 - 1
SIZE_MAX = 2**64 - 1
# A receipt is some kilobytes; this is only against a wrong file.
RECEIPT_BYTES_MAX = 4 * 1024 * 1024
# White space of Unicode, and control characters: none of them stands in the name of a log.
NOT_IN_ORIGIN = re.compile("[\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000+]")
TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{6}))?Z")


def decode64(text, length):
    """The bytes, or None unless the text is canonical base64 of exactly `length` bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if len(data) == length and base64.b64encode(data).decode() == text else None


def microseconds(text, fraction):
    """Microseconds since 1970, or None unless the text is a time that exists, with six digits of fraction or none."""
    match = TIME.fullmatch(text)
    if not match or (match[7] is not None) != fraction:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1] or hour > 23 or minute > 59 or second > 59:
        return None
    # The years before this one have 365 days each, and one more in every leap year, the year 0 among them.
    leap_days = (year + 3) // 4 - (year + 99) // 100 + (year + 399) // 400
    days = year * 365 + leap_days + sum(lengths[: month - 1]) + day - 1 - 719528
    return (days * 86400 + hour * 3600 + minute * 60 + second) * 1_000_000 + int(match[7] or 0)


def is_origin(text):
    return text != "" and NOT_IN_ORIGIN.search(text) is None


# --- The key (section 4, last paragraph) -------------------------------------------------------------------------


def key_id(origin, public):
    return hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]


class Key:
    """A verifier key: its text, the name of its log, its identifier (4 bytes) and the public key (32 bytes)."""

    def __init__(self, text):
        # Base64 may hold a plus sign itself, so only the first two divide.
        parts = text.split("+", 2)
        if len(parts) != 3 or not is_origin(parts[0]) or any("\ud800" <= c <= "\udfff" for c in text):
            raise Refused("trusted key", "key-form", "a verifier key looks like name+1a2b3c4d+AbCd…=, and this does not")
        data = decode64(parts[2], 33)
        if data is None or data[0] != 1:
            raise Refused("trusted key", "key-form", "the part behind the second + is no Ed25519 key: was all of it copied?")
        self.text, self.origin, self.public = text, parts[0], data[1:]
        self.id = key_id(self.origin, self.public)
        if parts[1] != self.id.hex():
            raise Refused("trusted key", "key-id", "its identifier does not fit the rest: one character or more is wrong")
        if usable_point(self.public) is None:
            raise Refused("trusted key", "key-weak", "it is no public key that could be trusted: any signature would fit it")


# --- The head (section 4) ----------------------------------------------------------------------------------------


class Head:
    """A signed head as its text says; nothing is known of its signature until `check_signature`."""

    def __init__(self, note):
        def need(truth, what):
            if not truth:
                raise Refused(5, "head-form", f"the head is not of the form this script knows: {what}")

        lines = note.split("\n")
        need(len(lines) == 8 and lines[5] == "" and lines[7] == "", "it has other lines")
        self.note, self.origin = note, lines[0]
        need(is_origin(self.origin), "its first line is no name of a log")
        need(re.fullmatch("[1-9][0-9]{0,19}", lines[1]) and int(lines[1]) <= SIZE_MAX, "its second line is no size")
        self.size = int(lines[1])
        self.root = decode64(lines[2], 32)
        need(self.root is not None, "its third line is no root")
        self.previous = decode64(lines[3][9:], 32) if lines[3].startswith("previous ") else None
        need(self.previous is not None, "its fourth line does not name the head before it")
        self.time = lines[4][5:] if lines[4].startswith("time ") else ""
        self.seconds = microseconds(self.time, fraction=False)
        need(self.seconds is not None, "its fifth line is no time")
        signer = "\u2014 " + self.origin + " "
        need(lines[6].startswith(signer), "the line of the signature does not begin with the name of the log")
        signed = decode64(lines[6][len(signer) :], 68)
        need(signed is not None, "the line of the signature holds no signature")
        self.key_id, self.signature = signed[:4], signed[4:]
        self.text = note[: note.index("\n\n") + 1]

    def check_signature(self, key):
        if self.origin != key.origin:
            raise Refused(5, "head-origin", f"the head is of the log “{self.origin}”, not of “{key.origin}”")
        if self.key_id != key.id:
            raise Refused(5, "head-key", "the head was signed with another key")
        if not ed25519_verify(key.public, self.signature, self.text.encode()):
            raise Refused(5, "head-signature", "the signature does not fit: the head was changed, or somebody else signed it")


# --- The tree (section 3) ----------------------------------------------------------------------------------------


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def path_leads(index, size, leaf, path, root):
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


# --- The receipt (section 5) -------------------------------------------------------------------------------------

TEXTS = ["aggregate_type", "aggregate_id", "event_type", "event_version", "payload", "metadata"]
INTEGERS = ["sequence", "transaction_id", "position"]
EVENT = TEXTS + INTEGERS + ["recorded_at", "predecessor", "hash"]


def not_a_receipt(code, why):
    return Refused("receipt", code, why)


def without_repeats(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise not_a_receipt("receipt-members", "a member stands in it twice")
    return dict(pairs)


def whole_number(text):
    if text.startswith("-") or len(text) > 16 or int(text) > INTEGER_MAX:
        raise not_a_receipt("receipt-number", f"the number {text[:30]} is below 0 or too large")
    return int(text)


def broken_number(text):
    raise not_a_receipt("receipt-number", f"the number {text[:30]} is not a plain whole number")


def no_json(word):
    raise not_a_receipt("receipt-json", f"it is not JSON: {word} is no value")


def members(value, names, where):
    if not isinstance(value, dict):
        raise not_a_receipt("receipt-members", f"{where} is not an object")
    for name in sorted(set(names) ^ set(value)):
        state = "is missing in" if name in names else "does not belong in"
        raise not_a_receipt("receipt-members", f"{ascii(name)[:60]} {state} {where}")


def text_of(value, where):
    if not isinstance(value, str) or any("\ud800" <= c <= "\udfff" for c in value):
        raise not_a_receipt("receipt-text", f"{where} is not a text")
    return value


def integer_of(value, where):
    if type(value) is not int:
        raise not_a_receipt("receipt-number", f"{where} is not a whole number")
    return value


def hash_of(value, where):
    data = decode64(text_of(value, where), 32)
    if data is None:
        raise not_a_receipt("receipt-base64", f"{where} is not base64 of 32 bytes")
    return data


class Receipt:
    """What the bytes of a file say; nothing is checked but the form."""

    def __init__(self, data):
        if len(data) > RECEIPT_BYTES_MAX:
            raise not_a_receipt("receipt-size", "the file is far too large to be one")
        try:
            # A byte order mark, as some editors put it in front, changes nothing that is hashed.
            value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=without_repeats, parse_int=whole_number,
                               parse_float=broken_number, parse_constant=no_json)
        except Refused:
            raise
        except UnicodeDecodeError:
            raise not_a_receipt("receipt-json", "it is not text in UTF-8") from None
        except (ValueError, RecursionError) as error:
            raise not_a_receipt("receipt-json", f"it is not JSON: {str(error)[:100]}") from None
        if not isinstance(value, dict) or value.get("format") != "onetrip-receipt/1":
            raise not_a_receipt("receipt-format", "it does not say that its format is onetrip-receipt/1")
        members(value, ["format", "event", "leaf", "proof", "key"], "the receipt")
        event = value["event"]
        members(event, EVENT, "event")
        for name in TEXTS:
            text_of(event[name], name)
        for name in INTEGERS:
            integer_of(event[name], name)
        self.event = event
        self.recorded_at = microseconds(text_of(event["recorded_at"], "recorded_at"), fraction=True)
        if self.recorded_at is None:
            raise not_a_receipt("receipt-time", "recorded_at is not a time with six digits of fraction")
        if (event["predecessor"] is None) != (event["hash"] is None):
            raise not_a_receipt("receipt-members", "one of predecessor and hash is null and the other is not")
        self.chained = event["hash"] is not None
        self.predecessor = hash_of(event["predecessor"], "predecessor") if self.chained else bytes(32)
        self.hash = hash_of(event["hash"], "hash") if self.chained else None
        self.leaf = hash_of(value["leaf"], "leaf")
        self.key = text_of(value["key"], "key")
        self.sealed = value["proof"] is not None
        if self.sealed:
            proof = value["proof"]
            members(proof, ["index", "path", "head"], "proof")
            self.index = integer_of(proof["index"], "index")
            if not isinstance(proof["path"], list):
                raise not_a_receipt("receipt-members", "path is not an array")
            self.path = [hash_of(node, "a node of path") for node in proof["path"]]
            self.head = text_of(proof["head"], "head")

    def event_hash(self):
        """Section 1."""
        data = b"onetrip/event/1" + self.predecessor + self.event["sequence"].to_bytes(8, "big", signed=True)
        for name in TEXTS:
            text = self.event[name].encode()
            data += len(text).to_bytes(8, "big") + text
        return hashlib.sha256(data).digest()

    def leaf_hash(self):
        """Section 2."""
        return hashlib.sha256(
            b"\x00onetrip/leaf/1"
            + (b"\x01" if self.chained else b"\x00")
            + self.event["transaction_id"].to_bytes(8, "big")
            + self.event["position"].to_bytes(8, "big", signed=True)
            + self.recorded_at.to_bytes(8, "big", signed=True)
            + self.event_hash()
        ).digest()

    def number(self):
        """The case's number as residents know it, where the event names it: in `fact`, in what is named after the event."""
        try:
            payload = json.loads(self.event["payload"], object_pairs_hook=without_repeats)
        except (ValueError, RecursionError, Refused):
            return None
        if isinstance(payload, dict) and isinstance(payload.get("fact"), dict):
            payload = payload["fact"].get(self.event["event_type"])
        number = payload.get("number") if isinstance(payload, dict) else None
        if not isinstance(number, str) or not 0 < len(number) <= 64 or not number.isprintable():
            return None
        return "-".join((number[:4], number[4:8], number[8:])) if re.fullmatch("[0-9]{12}", number) else number


def check_receipt(data, key):
    """The receipt and its signed head, or `Refused` with the first of the document's six steps that fails."""
    receipt = Receipt(data)
    if receipt.key != key.text:
        raise Refused(1, "key-differs", "the receipt names another key than the one you trust")
    if receipt.chained and receipt.event_hash() != receipt.hash:
        raise Refused(2, "event-hash", "the event was changed: it does not fit its hash")
    if receipt.leaf_hash() != receipt.leaf:
        raise Refused(3, "leaf-hash", "the event, its time or its place was changed: it does not fit its leaf")
    if not receipt.sealed:
        raise Refused(4, "not-sealed", "no signed head covers this event yet; fetch the receipt again in a few minutes")
    head = Head(receipt.head)
    head.check_signature(key)
    if not path_leads(receipt.index, head.size, receipt.leaf, receipt.path, head.root):
        raise Refused(6, "path", "the signed tree does not hold this leaf at this place")
    return receipt, head


# --- Heads of a witness (sections 4 and 6) -----------------------------------------------------------------------


def head_of_file(path, key):
    try:
        head = Head(path.read_bytes().decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused(5, "head-form", "the head is not text in UTF-8") from None
    head.check_signature(key)
    return head


def check_heads(heads):
    """`heads` are pairs of a name and a checked Head. Gives the stretches without a gap, as lists of heads."""
    heads = sorted(heads, key=lambda pair: pair[1].size)
    stretches = []
    for (name, head), before in zip(heads, [None] + heads):
        if before is None:
            stretches.append([head])
            continue
        before_name, last = before
        if last.note == head.note:
            continue
        if last.size == head.size:
            raise Refused("heads", "heads-fork", f"{before_name} and {name} are different heads of the same size {head.size}: the log was shown in two versions")
        if head.seconds < last.seconds:
            raise Refused("heads", "heads-time", f"{name} is larger than {before_name} but older")
        if head.previous == hashlib.sha256(last.note.encode()).digest():
            stretches[-1].append(head)
        elif head.previous == bytes(32):
            raise Refused("heads", "heads-fork", f"{name} says that it is the first head, but {before_name} is smaller")
        else:
            stretches.append([head])
    return stretches


# --- The document's vectors --------------------------------------------------------------------------------------


def self_test(path):
    """Runs vectors.json; returns how many values were compared. An AssertionError says which one differs."""
    vectors = json.loads(pathlib.Path(path).read_text("utf-8"))
    done = 0

    def same(found, wanted, what):
        nonlocal done
        assert found == wanted, f"{what}: found {found!r}, wanted {wanted!r}"
        done += 1

    def verdict(value, key):
        try:
            check_receipt(json.dumps(value, ensure_ascii=False).encode(), key)
        except Refused as refused:
            return refused.code
        return "proved"

    signing = vectors["signing"]
    key = Key(signing["verifier_key"])
    same((key.origin, key.id.hex(), key.public.hex()), (signing["origin"], signing["key_id"], signing["public_key"]), "key")
    leaves = [hashlib.sha256(b"\x00" + bytes.fromhex(data)).digest() for data in vectors["tree"]["leaf_data"]]
    same([leaf.hex() for leaf in leaves], vectors["tree"]["leaf_hashes"], "leaf hashes")
    roots = [bytes.fromhex(root) for root in vectors["tree"]["roots_by_size"]]
    for one in vectors["tree"]["paths"]:
        index, size, nodes = one["index"], one["size"], [bytes.fromhex(node) for node in one["path"]]
        same(path_leads(index, size, leaves[index], nodes, roots[size]), True, f"path of {index} in {size}")
    for one in vectors["events"]:
        value = {"format": "onetrip-receipt/1", "event": one["event"], "leaf": one["leaf"], "proof": None, "key": key.text}
        receipt = Receipt(json.dumps(value).encode())
        same(base64.b64encode(receipt.event_hash()).decode(), one["event_hash"], "event hash")
        same(receipt.recorded_at, one["recorded_at_microseconds"], "microseconds")
        same(base64.b64encode(receipt.leaf_hash()).decode(), one["leaf"], "leaf")
    heads = []
    for one in vectors["heads"]:
        heads.append(Head(one["note"]))
        heads[-1].check_signature(key)
        same(heads[-1].size, len(one["leaves"]), "size of a head")
    same([len(stretch) for stretch in check_heads([("a head", head) for head in heads])], [len(heads)], "chain of heads")
    for value in vectors["receipts"]["good"]:
        same(verdict(value, key), "proved", "good receipt")
    for value in vectors["receipts"]["not_sealed"]:
        same(verdict(value, key), "not-sealed", "receipt that is not sealed")
    for one in vectors["receipts"]["bad"]:
        found = verdict(one["receipt"], key)
        same(found not in ("proved", "not-sealed"), True, f"receipt with {one['why']}, found {found}")
    return done


# --- The command -------------------------------------------------------------------------------------------------


def read_key(text):
    if pathlib.Path(text).is_file():
        text = pathlib.Path(text).read_text("utf-8")
    # On paper and in messages it is broken into lines.
    return Key("".join(text.split()))


def tell_refusal(name, refused):
    if refused.step == 4:
        print(f"NOT YET  {name}: {refused.why}.")
        print("         The event fits its hash and its leaf, but nothing signed stands for it so far.")
    else:
        step = f"step {refused.step} of 6" if isinstance(refused.step, int) else str(refused.step)
        print(f"REFUSED  {name}: {refused.why}.")
        print(f"         Failed at {step}: {STEPS[refused.step]}. [{refused.code}]")


def tell_proof(name, receipt, head):
    event, number = receipt.event, receipt.number()
    about = f"case number {number}" if number else f"{ascii(event['aggregate_type'])[1:-1]} {ascii(event['aggregate_id'])[1:-1]}"
    print(f"PROVED   {name}: event {event['sequence']} of {about} ({ascii(event['event_type'])[1:-1]}), recorded at {event['recorded_at']},")
    print(f"         is leaf {receipt.index + 1} of the {head.size} in the log “{head.origin}”, whose head of {head.time}")
    print(f"         is signed with the key {head.key_id.hex()}.")


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="verify.py", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Checks receipts of a Onetrip log with none of Onetrip's code, without network.",
        epilog="The key is the whole proof's anchor: take it from somewhere that is not the receipt, such as a notice, a\n"
        "newspaper, or a witness of the log. Exit code 0: every receipt and head is proved. 1: something is not, and the\n"
        "first step that fails is named; a receipt that is not sealed yet counts as not proved. 2: called wrongly.\n\n"
        "  verify.py --key example.org/onetrip+963c53a2+AQOhB7/z… receipt.json\n"
        "  verify.py --key key.txt receipts/*.json\n"
        "  verify.py --key key.txt --heads witness/ receipt.json")
    parser.add_argument("--key", metavar="KEY", help="the verifier key of the log that you trust, or a file that holds it")
    parser.add_argument("--heads", metavar="FOLDER", help="also check all heads (*.head) that a witness keeps there, and that they and the receipts tell of one log")
    parser.add_argument("--self-test", action="store_true", help="check this script with the document's values (vectors.json) instead")
    parser.add_argument("--vectors", metavar="FILE", help="where those values are",
                        default=pathlib.Path(__file__).resolve().parent.parent / "docs" / "evidence" / "vectors.json")
    parser.add_argument("receipts", metavar="receipt.json", nargs="*", help="receipts to check; - is standard input")
    options = parser.parse_args(arguments)
    if options.self_test:
        try:
            print(f"{self_test(options.vectors)} values compared, all the same")
        except OSError as error:
            print(f"The document's values are not there ({error}); say where with --vectors FILE")
            return 1
        except (AssertionError, Refused) as error:
            print(f"DIFFERS  {error}")
            return 1
        return 0
    if not options.key or not (options.receipts or options.heads):
        parser.error("give --key KEY and at least one receipt (or --heads FOLDER); --help explains")
    try:
        key = read_key(options.key)
    except (Refused, OSError, UnicodeDecodeError) as error:
        print(f"REFUSED  the trusted key: {error}.")
        return 1
    failed, heads = False, []
    for name in options.receipts:
        try:
            data = sys.stdin.buffer.read(RECEIPT_BYTES_MAX + 1) if name == "-" else pathlib.Path(name).read_bytes()
            receipt, head = check_receipt(data, key)
            heads.append((name, head))
            tell_proof(name, receipt, head)
        except Refused as refused:
            failed = True
            tell_refusal(name, refused)
        except OSError as error:
            failed = True
            print(f"REFUSED  {name} can not be read: {error.strerror}.")
    if options.heads:
        files = sorted(pathlib.Path(options.heads).glob("*.head"))
        try:
            for path in files:
                try:
                    heads.append((path.name, head_of_file(path, key)))
                except Refused as refused:
                    raise Refused(refused.step, refused.code, f"{path.name}: {refused.why}") from None
            if not files:
                raise Refused("heads", "heads-none", "there are no files named *.head in it")
            stretches = check_heads(heads)
            print(f"PROVED   {options.heads}: {len(files)} heads, up to size {stretches[-1][-1].size} at {stretches[-1][-1].time}, none against another.")
            if len(stretches) > 1:
                print(f"         Heads are missing at {len(stretches) - 1} places, so what lies around those is not chained to one another.")
        except Refused as refused:
            failed = True
            tell_refusal(options.heads, refused)
        except OSError as error:
            failed = True
            print(f"REFUSED  {options.heads} can not be read: {error.strerror}.")
    return 1 if failed else 0


if __name__ == "__main__":
    # A terminal that lacks a character shall not end the check.
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())
