"""Counts what the runs sent and what came back: `count.py [--total MINIMUM] FILE...` of schemathesis' ndjson reports.

Fails on a failed check, which a run that was cut short does not tell by itself. With `--total` also unless at least
MINIMUM requests were sent and none was answered with a 5xx.
"""

import json
import sys
from collections import Counter


def recorders(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            try:
                finished = json.loads(line).get("ScenarioFinished")
            except json.JSONDecodeError:
                # The last line of a run that was cut short.
                continue
            if finished and finished.get("recorder"):
                yield finished["recorder"]


arguments = sys.argv[1:]
minimum = None
if arguments[0] == "--total":
    minimum = int(arguments[1])
    arguments = arguments[2:]

# Status of every answer; None where there was none.
statuses = Counter()
failed_checks = Counter()
for path in arguments:
    for recorder in recorders(path):
        for interaction in recorder.get("interactions", {}).values():
            statuses[(interaction.get("response") or {}).get("status_code")] += 1
        for checks in recorder.get("checks", {}).values():
            failed_checks.update(
                f"{recorder.get('label')}: {check['name']}" for check in checks if check["status"] == "failure"
            )

requests = sum(statuses.values())
broken = sum(count for status, count in statuses.items() if status is None or status >= 500)
if minimum is None:
    for check, count in failed_checks.items():
        print(f"   failed {count} times: {check}")
    shown = " ".join(f"{status}:{count}" for status, count in sorted(statuses.items(), key=str))
    print(f"   {requests} requests: {shown}")
    sys.exit(1 if failed_checks else 0)
print(f"fuzz: {requests} requests, {broken} answered with 5xx or not at all")
sys.exit(0 if requests >= minimum and broken == 0 else 1)
