#!/usr/bin/env python3
"""Tests of verify.py, and the cases that the page is then tried with: tests/test_verify.py [--many N] [--cases FILE]

Everything random comes from one seed, printed when something fails; ONETRIP_SEED=… repeats it.
"""
import argparse
import contextlib
import functools
import importlib.util
import io
import json
import os
import pathlib
import random
import sys
import tempfile
import time

import forge

here = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("verify", here.parent / "verify.py")
verify = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify)
vectors_file = here.parent.parent / "docs" / "evidence" / "vectors.json"

# Many receipts here are under one head; its signature need not be computed for each.
own_ed25519 = verify.ed25519_verify
verify.ed25519_verify = functools.lru_cache(100_000)(own_ed25519)

ORIGIN = "example.org/onetrip"
cases = []


def verdict(data, key):
    try:
        verify.check_receipt(data, key)
    except verify.Refused as refused:
        return refused.step, refused.code
    return None, "proved"


def text_bytes(value):
    # Lone surrogates have no UTF-8, so they come as JSON escapes.
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


def expect(value, key, wanted, why, keep=True):
    """`wanted` is a code, or 'bad' for any refusal but the friendly one."""
    data = text_bytes(value)
    step, code = verdict(data, key)
    right = code not in ("proved", "not-sealed") if wanted == "bad" else code == wanted
    assert right, f"{why}: found {code}, wanted {wanted}: {data[:20000]!r}"
    if keep and len(data) < 150_000:
        cases.append({"text": data.decode(), "key": key.text, "step": step, "code": code, "why": why})


def vectors():
    return verify.self_test(vectors_file)


def rfc_8032():
    """The values of RFC 8032 section 7.1, and what a strict verifier refuses."""
    known = [
        ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ]
    done = 0
    for public, message, signature in known:
        public, message, signature = (bytes.fromhex(text) for text in (public, message, signature))
        assert own_ed25519(public, signature, message), "a signature of RFC 8032"
        assert not own_ed25519(public, signature, message + b"\0"), "another message"
        for bit in range(0, 512, 7):
            assert not own_ed25519(public, forge.flip(signature, bit), message), f"bit {bit} of the signature"
        for bit in range(0, 256, 7):
            assert not own_ed25519(forge.flip(public, bit), signature, message), f"bit {bit} of the key"
        done += 2 + 74 + 37
    for small in forge.SMALL_ORDER:
        # With these keys, R = [S]B fits every message that happens to give a k divisible by 8.
        for n in range(20):
            for r, s in [(forge.encode(forge.times(n, forge.BASE)), n), (small, 0)]:
                assert not own_ed25519(small, r + s.to_bytes(32, "little"), bytes([n])), f"key of small order {small.hex()}"
                done += 1
    for length in [0, 31, 33, 63, 65]:
        assert not own_ed25519(bytes.fromhex(known[0][0]), bytes(length), b""), "a length that is wrong"
        done += 1
    # Points that are not on the curve, and improperly written ones.
    for y in [2, 1 | 1 << 255, forge.P - 1 | 1 << 255, *range(forge.P, 2**255), *(y | 1 << 255 for y in range(forge.P, 2**255))]:
        assert verify.point_decode(y.to_bytes(32, "little")) is None, f"y = {y} is no point"
        done += 1
    return done


def keys():
    signer = forge.Signer(ORIGIN, bytes(range(32)))
    good = signer.verifier_key
    assert verify.Key(good).public == signer.public
    bad = [good[:-1], good + "=", good.upper(), good.replace("+", " "), good.replace("963c53a2", "963C53A2"), good.replace("963c53a2", "963c53a3"),
           good.replace("example", "exbmple"), "+" + good, good.replace(ORIGIN, ""), good.replace(ORIGIN, "a b"), good.replace("AQ", "Ag"),
           "", "++", good.replace("+963c53a2", ""), good + "\n", good.replace(ORIGIN, "a\ud800")]
    bad += [forge.verifier_key(ORIGIN, small) for small in forge.SMALL_ORDER]
    bad += [forge.verifier_key(ORIGIN, signer.public, key_id=bytes(4)), forge.verifier_key(ORIGIN, (2).to_bytes(32, "little"))]
    good_receipt = forge.Log(random.Random(0), 1, signer).receipt(0, 1)
    for text in bad:
        try:
            verify.Key(text)
        except verify.Refused as refused:
            # The page takes white space out of what was typed, so that these become good.
            if "\n" not in text and "\ud800" not in text and " " not in text:
                cases.append({"text": json.dumps(good_receipt), "key": text, "step": "key", "code": refused.code, "why": f"key {text!r}"})
            continue
        raise AssertionError(f"key {text!r} was taken")
    return len(bad) + 1


def times():
    """Our own calendar against Python's, over all its days."""
    import datetime
    done = 0
    for day in range(1, datetime.date.max.toordinal() + 1, 211):
        at = datetime.date.fromordinal(day)
        days = day - datetime.date(1970, 1, 1).toordinal()
        assert verify.microseconds(f"{at.isoformat()}T00:00:01Z", False) == (days * 86400 + 1) * 1_000_000, at
        done += 1
    for text in ["0000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"]:
        assert verify.microseconds(text, False) is not None
    for text in ["1900-02-29T00:00:00Z", "2026-1-01T00:00:00Z", "2026-01-01T00:00:00.0Z", "2026-01-01T00:00:00,000000Z"]:
        assert verify.microseconds(text, False) is None and verify.microseconds(text, True) is None
    for clock in ["24:00:00", "00:60:00", "00:00:60"]:
        assert verify.microseconds(f"2026-01-01T{clock}Z", False) is None and verify.microseconds(f"2026-01-01T{clock}.000000Z", True) is None
    return done + 9


SIZES = [*range(1, 34), 63, 64, 65, 100, 127, 128, 129, 255, 256, 257, 1000]


def the_log():
    signer = forge.Signer(ORIGIN, bytes(range(32)))
    return forge.Log(rng, max(SIZES), signer), forge.Log(rng, 3, forge.Signer(ORIGIN, b"another secret of thirty-two byt"))


def trees():
    """Every receipt of small trees and a choice of those in larger ones is accepted; and not sealed without a proof."""
    done = 0
    for size in SIZES:
        chosen = range(size) if size <= 33 else sorted({0, 1, size // 2, size - 2, size - 1, *rng.sample(range(size), 12)})
        for index in chosen:
            expect(log.receipt(index, size), key, "proved", f"leaf {index} of {size}", keep=size in (1, 2, 3, 7, 33, 1000))
            done += 1
    for index in range(0, 40):
        expect(log.receipt(index), key, "not-sealed", f"leaf {index}, not sealed")
        for text in forge.same_otherwise_written(log.receipt(index, 64), rng):
            expect(text, key, "proved", f"leaf {index} of 64, otherwise written")
            done += 1
    return done + 40


def spoiled():
    done = 0
    for index, size in [(0, 1), (1, 2), (2, 3), (1, 7), (6, 7), (40, 64), (998, 1000)]:
        receipt = log.receipt(index, size)
        for why, changed in forge.spoiled(receipt, log, other):
            assert json.dumps(changed) != json.dumps(receipt), f"{why} changed nothing"
            wanted = "head-form" if why.startswith("malformed head") else "path" if why.startswith("well signed") else "bad"
            expect(changed, key, wanted, f"leaf {index} of {size}, {why}", keep=size in (7, 1000))
            done += 1
        for why, text in forge.spoiled_texts(receipt):
            expect(text, key, "bad", f"leaf {index} of {size}, text with {why}", keep=size in (1, 7))
            done += 1
    for index in range(20):
        unsealed = log.receipt(index)
        for why, changed in forge.spoiled(unsealed, log, other):
            if why.startswith("forged") or why.startswith("chained anew, leaf") :
                # Whoever may write can make these fit as long as nothing is signed: section 7 says so.
                expect(changed, key, "not-sealed", why)
            else:
                expect(changed, key, "bad", f"not sealed, {why}", keep=index < 2)
            done += 1
    return done


def every_pair():
    """A proof serves no other event: every proof of a tree with every event of it."""
    done = 0
    for size in range(2, 24):
        receipts = [log.receipt(index, size) for index in range(size)]
        for one in receipts:
            for two in receipts:
                if one is not two:
                    expect(dict(one, proof=two["proof"]), key, "path", "another event's proof", keep=False)
                    expect(dict(one, proof=dict(one["proof"], index=two["proof"]["index"])), key, "path", "another index", keep=False)
                    done += 2
        for index in range(size):
            for larger in range(size + 1, size + 4):
                proof = dict(log.receipt(index, size)["proof"], head=log.head(larger))
                # The path of a smaller tree serves in a larger one nowhere.
                expect(dict(receipts[index], proof=proof), key, "path", f"path of {size} under {larger}", keep=False)
                done += 1
    return done


def by_chance(many):
    done, started = 0, time.monotonic()
    receipts = [log.receipt(index, size) for size in (1, 2, 5, 33, 257, 1000) for index in sorted({0, size // 2, size - 1})]
    while done < many:
        changed = forge.random_spoil(rng.choice(receipts), rng)
        if changed is not None and changed["proof"] is not None:
            expect(changed, key, "bad", "changed by chance", keep=done < 1500)
            done += 1
            if many > 100_000 and done % 10_000 == 0:
                left = (time.monotonic() - started) / done * (many - done)
                print(f"\r      {done} of {many}, {left:.0f} s left ", end="", file=sys.stderr, flush=True)
    return done


def heads():
    """The folder of a witness."""
    notes, previous = [], forge.ZERO
    for n, size in enumerate([3, 7, 8, 20, 33]):
        notes.append(log.signer.note(forge.head_text(ORIGIN, size, forge.root(log.leaves[:size]), previous, f"2026-11-27T00:00:{10 + n}Z")))
        previous = forge.sha(notes[-1].encode())
    made = [verify.Head(note) for note in notes]

    def found(chosen):
        try:
            return [len(stretch) for stretch in verify.check_heads([(str(head.size), head) for head in chosen])]
        except verify.Refused as refused:
            return refused.code

    def signed(size, previous=forge.ZERO, time="2026-11-27T00:00:30Z"):
        return verify.Head(log.signer.note(forge.head_text(ORIGIN, size, forge.sha(b"x"), previous, time)))

    assert found(made) == [5] and found(made[::-1]) == [5] and found(made + made) == [5]
    assert found(made[:2] + made[3:]) == [2, 2]
    assert found(made + [signed(8)]) == "heads-fork"
    assert found(made + [signed(40)]) == "heads-fork"
    assert found(made + [signed(40, bytes([1] * 32), "2026-11-27T00:00:09Z")]) == "heads-time"
    with tempfile.TemporaryDirectory() as folder:
        for head in made:
            (pathlib.Path(folder) / f"{head.size:020d}.head").write_bytes(head.note.encode())
        assert run("--key", key.text, "--heads", folder)[0] == 0
        (pathlib.Path(folder) / f"{40:020d}.head").write_bytes(signed(40).note.encode())
        code, said = run("--key", key.text, "--heads", folder)
        assert code == 1 and "heads-fork" in said, said
    return 9


def run(*arguments):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = verify.main([str(argument) for argument in arguments])
        except SystemExit as left:
            code = left.code
    return code, said.getvalue()


def command():
    """Exit codes and what is said."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        files = {"good": log.receipt(1, 7), "unsealed": log.receipt(1), "bad": dict(log.receipt(1, 7), leaf=forge.b64(forge.ZERO))}
        for name, value in files.items():
            (folder / name).write_text(json.dumps(value))
        wrapped = key.text[:30] + "\n  " + key.text[30:] + "\n"
        (folder / "key.txt").write_text(wrapped)
        for wanted, names, words in [
            (0, ["good"], ["PROVED", "leaf 2 of the 7", "2600-0000-0001", "963c53a2"]), (1, ["unsealed"], ["NOT YET"]), (1, ["bad"], ["REFUSED", "step 3 of 6", "leaf-hash"]),
            (1, ["good", "bad"], ["PROVED", "REFUSED"]), (1, ["nowhere"], ["can not be read"]),
        ]:
            for given in [key.text, folder / "key.txt"]:
                code, said = run("--key", given, *(folder / name for name in names))
                assert code == wanted and all(word in said for word in words), (names, code, said)
        assert run("--key", other.signer.verifier_key, folder / "good")[0] == 1
        assert run("--key", "nonsense", folder / "good")[0] == 1
        assert run(folder / "good")[0] == 2 and run()[0] == 2
        code, said = run("--help")
        assert code == 0 and "Exit code" in said
        assert run("--self-test")[0] == 0
        # A self-test that can not fail would be worth nothing.
        spoiled_vectors = json.loads(vectors_file.read_text("utf-8"))
        spoiled_vectors["tree"]["paths"][-1]["path"][0] = "00" * 32
        (folder / "vectors.json").write_text(json.dumps(spoiled_vectors))
        assert run("--self-test", "--vectors", folder / "vectors.json")[0] == 1
    return 17


def from_the_service():
    """What the service itself has made, with demonstration data."""
    folder = here / "service"
    code, said = run("--key", folder / "key.txt", "--heads", folder / "heads", folder / "receipt.json")
    assert code == 0 and "case number 0290-6781-4273 (CaseSubmitted)" in said and "3 heads" in said, said
    code, said = run("--key", folder / "key.txt", folder / "not-sealed.json")
    assert code == 1 and "NOT YET" in said, said
    of_service = verify.Key((folder / "key.txt").read_text().strip())
    receipt, done = json.loads((folder / "receipt.json").read_text()), 2
    expect(receipt, of_service, "proved", "the service's receipt")
    expect(json.loads((folder / "not-sealed.json").read_text()), of_service, "not-sealed", "the service's receipt, not sealed")
    for _ in range(2000):
        changed = forge.random_spoil(receipt, rng)
        if changed is not None and changed["proof"] is not None:
            expect(changed, of_service, "bad", "the service's receipt, changed by chance", keep=done < 200)
            done += 1
    return done + 2


def numbers():
    """The case's number is read from the event, and only where it stands properly."""
    event = log.receipt(0)["event"]
    for payload, event_type, wanted in [
        ('{"number": "26000017"}', "CaseSubmitted", "26000017"), ('{"fact": {"CaseSubmitted": {"number": "069584122117"}}}', "CaseSubmitted", "0695-8412-2117"),
        ('{"fact": {"CaseSubmitted": {"number": "1"}}}', "CaseAccepted", None), ('{"fact": {"A": {}}, "number": "1"}', "A", None), ('{"number": 5}', "A", None),
        ('{"number": "1", "number": "2"}', "A", None), ('{"number": ""}', "A", None), ('{"number": "1\\u202e2"}', "A", None), ("[]", "A", None), ("no JSON", "A", None),
        ('{"number": "' + "1" * 65 + '"}', "A", None), ('{"fact": {"A": "1"}}', "A", None),
    ]:
        value = dict(log.receipt(0), event=dict(event, payload=payload, event_type=event_type))
        found = verify.Receipt(json.dumps(value).encode()).number()
        assert found == wanted, f"number of {payload}: {found!r}"
        expect(value, key, "event-hash" if event["hash"] else "leaf-hash", "another payload")
        cases[-1]["number"] = wanted
    return 12


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--many", type=int, default=20_000, help="how many receipts to change by chance (default %(default)s)")
parser.add_argument("--cases", help="where to write the cases for the page")
options = parser.parse_args()
seed = int(os.environ.get("ONETRIP_SEED") or random.SystemRandom().randrange(2**32))
rng = random.Random(seed)
log, other = the_log()
key = verify.Key(log.signer.verifier_key)
failed = False
for name, test in [("the document's values", vectors), ("Ed25519", rfc_8032), ("verifier keys", keys), ("times", times), ("good receipts", trees),
                   ("spoiled receipts", spoiled), ("every proof with every event", every_pair), ("receipts changed by chance", functools.partial(by_chance, options.many)),
                   ("heads of a witness", heads), ("the command", command), ("case numbers", numbers), ("receipts of the service", from_the_service)]:
    started = time.monotonic()
    try:
        print(f"  ok  verify.py, {name}: {test()} checks ({time.monotonic() - started:.1f} s)", flush=True)
    except (AssertionError, verify.Refused) as error:
        failed = True
        print(f"FAIL  verify.py, {name}: {error} (ONETRIP_SEED={seed})", flush=True)
if options.cases:
    with open(options.cases, "w", encoding="utf-8") as file:
        for case in cases:
            file.write(json.dumps(case) + "\n")
sys.exit(1 if failed else 0)
