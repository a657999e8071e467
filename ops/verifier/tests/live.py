#!/usr/bin/env python3
"""A running service and verify.py: files a case at ONETRIP_BASE_URL, waits until its receipt is sealed, and checks it.

For the demonstration service only: what is filed stays.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

base = os.environ["ONETRIP_BASE_URL"].rstrip("/")
script = pathlib.Path(__file__).resolve().parent.parent / "verify.py"
SEALED_SECONDS_MAX = 120


def call(path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(base + path, data, {"Content-Type": "application/json", **named})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def verify(*arguments):
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout + done.stderr


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    (folder / "key").write_bytes(call("/evidence/key"))
    filed = json.loads(call("/api/v1/appeals", {
        "category": "street_lights", "division": "440304008", "place_words": "红荔路路口", "words": f"路灯坏了一个星期 {uuid.uuid4()}", "phone": "13800138000",
    }, Idempotency_Key=str(uuid.uuid4())))
    started = time.monotonic()
    while True:
        (folder / "receipt.json").write_bytes(call(f"/api/v1/cases/{filed['number']}/receipt", X_Onetrip_Secret=filed["secret"]))
        code, said = verify("--key", folder / "key", folder / "receipt.json")
        if "NOT YET" not in said:
            break
        if time.monotonic() - started > SEALED_SECONDS_MAX:
            sys.exit(f"FAIL  a receipt of the running service was not sealed within {SEALED_SECONDS_MAX} s")
        time.sleep(0.5)
    if code or f"case number {filed['number']} (CaseSubmitted)" not in said:
        sys.exit(f"FAIL  a receipt of the running service: {said}")
    for head in json.loads(call("/evidence/heads"))["heads"]:
        (folder / f"{head['size']:020d}.head").write_bytes(head["note"].encode())
    code, said = verify("--key", folder / "key", "--heads", folder, folder / "receipt.json")
    if code:
        sys.exit(f"FAIL  heads of the running service: {said}")
    print(f"  ok  verify.py and the running service: sealed after {time.monotonic() - started:.0f} s, receipt and heads hold")
