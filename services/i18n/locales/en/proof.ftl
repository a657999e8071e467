# The proof of a deadline: read aloud, one sentence after the other, by people without training. $clock is the name of a
# deadline (clock-result), $days a day or "from … to …", $why one of the reasons below, $when a date with a time.
proof-rule-hours = { $clock }: { $count ->
    [one] { $count } hour
   *[other] { $count } hours
    }, day and night.
proof-rule-working-days = { $clock }: { $count ->
    [one] { $count } working day.
   *[other] { $count } working days.
}
proof-rule-days = { $clock }: { $count ->
    [one] { $count } day.
   *[other] { $count } days.
}
proof-rule-date = { $clock }: the day that was promised.
proof-rule-source = { $clock }: set by the system the case came from.
proof-extended = It was extended by { $count }, in the same unit.
proof-start-hours = The clock started on { $when }.
proof-start-days = The clock started on { $when }. That day is not counted.
proof-from-to = { $from } to { $to }
proof-days-counted = { $days }: { $why }. { $count ->
    [one] { $count } day counted
   *[other] { $count } days counted
    }, { $sum } so far.
proof-days-skipped = { $days }: { $why }. Not counted.
proof-calendar-day = Every day counts
proof-working-day = Worked
proof-make-up-workday = Worked weekend, made up for { $holiday }
proof-weekend = Weekend
proof-holiday = Public holiday, { $holiday }
proof-paused = The clock stood still
proof-pause-days = The clock stood still from { $from } to { $to }: { $reason }. { $count ->
    [one] That took { $count } day.
   *[other] That took { $count } days.
}
proof-pause-minutes = The clock stood still from { $from } to { $to }: { $reason }. { $count ->
    [one] That took { $count } minute.
   *[other] That took { $count } minutes.
}
proof-sum = { $counted ->
    [one] { $counted } day counted
   *[other] { $counted } days counted
    }, { $skipped } left out.
# $why joins several reasons with proof-and.
proof-roll = The last day would be { $from }. It can't be: { $why }. It moves to the next working day, { $to }.
proof-and = {", "}
proof-due = Due by { $when }.
proof-suspended = The clock has stood still since { $since }. It is due by { $when } at the earliest.
proof-provisional = This may still change: the holidays of { $year } have not been published.
proof-versions = Counted by policy { $policy } and calendar { $calendar }.

# Why a clock stands still.
pause-materials-requested = papers were asked of the resident
pause-statutory-hearing = a hearing that the law requires
pause-expert-time = experts were asked
pause-awaiting-verdict = the result was with the resident

# Public holidays, by the names in the calendar.
holiday-new-years-day = New Year's Day
holiday-spring-festival = Spring Festival
holiday-tomb-sweeping-day = Tomb-sweeping Day
holiday-labour-day = Labour Day
holiday-dragon-boat-festival = Dragon Boat Festival
holiday-mid-autumn-festival = Mid-autumn Festival
holiday-national-day = National Day
holiday-anti-fascist-70th-day = Victory Day (70 years)
