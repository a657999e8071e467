#!/usr/bin/env python3
"""Computes from ops/data/boston311-2015.csv.gz the figures that `onetrip report` and the board show after its import.

Shares no code and no method with the service: times by the standard library's zoneinfo, the survival estimate in
50-digit decimals, everything counted straight from the file. Prints JSON; times are in whole seconds.

Needs Python 3.9 or later and the time zone database of the system (Debian: the package tzdata).

usage: check_boston.py FILE.csv.gz
"""

import csv
import datetime
import decimal
import gzip
import json
import re
import sys
import zoneinfo

PERCENTS = (50, 75, 90, 95)
# The last instant the file tells of: until then open cases were watched.
AS_OF = "2016-01-12T22:22:40"
SUGGESTIONS = {"Participatory Budgeting Idea Collection"}

try:
    BOSTON = zoneinfo.ZoneInfo("America/New_York")
except zoneinfo.ZoneInfoNotFoundError:
    sys.exit("check_boston.py: the time zone database is missing: install it (Debian: apt-get install tzdata)")


def seconds(text):
    """Seconds since 1970 of a local time; of one that comes twice, the earlier (fold 0). None where empty."""
    if not text:
        return None
    local = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=BOSTON)
    return int(local.timestamp())


def code(value):
    return "boston311-" + "-".join(re.findall("[0-9a-z]+", value.lower()))


class Group:
    def __init__(self):
        self.finished = []  # time to close of closed cases
        self.watched = []  # time until AS_OF of open ones
        self.on_time = self.overdue = self.no_target = self.open_overdue = 0
        # Targets that are known to have been met or missed, and those met.
        self.result_due = self.result_met = 0

    def add(self, opened, target, closed, as_of):
        if target is not None and (closed is not None or target <= as_of):
            self.result_due += 1
            self.result_met += closed is not None and closed <= target
        if closed is None:
            self.watched.append(as_of - opened)
            self.open_overdue += target is not None and target < as_of
            return
        self.finished.append(closed - opened)
        if target is None:
            self.no_target += 1
        elif closed <= target:
            self.on_time += 1
        else:
            self.overdue += 1

    def figures(self):
        figures = {
            "cases": len(self.finished) + len(self.watched),
            "closed": len(self.finished),
            "open": len(self.watched),
            "on_time": self.on_time,
            "overdue": self.overdue,
            "no_target": self.no_target,
            "open_overdue": self.open_overdue,
            "result_due": self.result_due,
            "result_met": self.result_met,
        }
        for percent in PERCENTS:
            figures[f"p{percent}"] = self.survival(percent)
            figures[f"closed_p{percent}"] = self.nearest_rank(percent)
        return figures

    def nearest_rank(self, percent):
        """Of the closed cases alone: the smallest time that at least `percent` percent of them did not exceed."""
        if not self.finished:
            return None
        rank = -(-percent * len(self.finished) // 100)
        return sorted(self.finished)[rank - 1]

    def survival(self, percent):
        """Kaplan-Meier: the first time by which at least `percent` percent are expected to be closed."""
        ends, cuts = {}, {}
        for time in self.finished:
            ends[time] = ends.get(time, 0) + 1
        for time in self.watched:
            cuts[time] = cuts.get(time, 0) + 1
        mark = decimal.Decimal(100 - percent) / 100
        at_risk = len(self.finished) + len(self.watched)
        unfinished = decimal.Decimal(1)
        for time in sorted(set(ends) | set(cuts)):
            ended = ends.get(time, 0)
            unfinished *= decimal.Decimal(at_risk - ended) / at_risk
            # Rounding in the fiftieth digit must not hide that the mark is met exactly.
            if ended and unfinished <= mark + decimal.Decimal("1e-40"):
                return time
            at_risk -= ended + cuts.get(time, 0)
        return None


def main(path):
    decimal.getcontext().prec = 50
    as_of = seconds(AS_OF)
    total, units, kinds, districts = Group(), {}, {}, {}
    read = rejected = 0
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            read += 1
            opened, target, closed = (seconds(row[name]) for name in ("opened_at", "target_at", "closed_at"))
            if closed is not None and closed < opened:
                rejected += 1
                continue
            place = row["neighborhood"]
            # The full stop keeps a neighbourhood's code from being the beginning of another's.
            district = code(place) + "." if place else "boston311"
            kind = "suggestion" if row["reason"] in SUGGESTIONS else "appeal"
            for groups, key in ((units, code(row["department"])), (kinds, kind), (districts, district)):
                groups.setdefault(key, Group()).add(opened, target, closed, as_of)
            total.add(opened, target, closed, as_of)
    named = lambda groups: {key: groups[key].figures() for key in sorted(groups)}
    figures = {"rows_read": read, "rejected": {"closed before opened": rejected}, **total.figures()}
    figures.update(units=named(units), kinds=named(kinds), districts=named(districts))
    json.dump(figures, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
