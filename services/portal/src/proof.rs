//! The proof of a deadline in words that can be followed day by day, for pages and for `onetrip deadline prove`.

use chrono::{DateTime, Utc};
use onetrip_i18n::{Arg, Locale, date_long, date_time, t, t_args};
use onetrip_model::{
    calendar::city_date,
    clocks::{ClockKind, Counting, PauseShare, Proof, Roll, Stretch, Term},
};

/// What a clock is for: `First contact`.
pub fn clock_name(locale: Locale, kind: ClockKind) -> String {
    t(locale, &format!("clock-{}", dashed(kind.as_str())))
}

/// The proof as sentences, in the order in which one would count: rule, start, days, pauses, last day, sum, versions.
pub fn sentences(locale: Locale, proof: &Proof) -> Vec<String> {
    let say = Say { locale };
    let mut told = vec![say.rule(proof)];
    if proof.extended > 0 {
        told.push(say.with("proof-extended", &[("count", proof.extended.into())]));
    }
    if !matches!(proof.term, Term::Date(_) | Term::Source) {
        told.push(say.start(proof));
    }
    let mut counted = 0;
    for stretch in &proof.days {
        if stretch.is_counted() {
            counted += stretch.days();
        }
        told.push(say.stretch(stretch, counted));
    }
    told.extend(
        proof
            .pauses
            .iter()
            .filter_map(|pause| say.pause(proof.term, pause)),
    );
    if !proof.days.is_empty() {
        let sum = [
            ("counted", proof.counted.into()),
            ("skipped", proof.skipped().into()),
        ];
        told.push(say.with("proof-sum", &sum));
    }
    told.extend(proof.roll.as_ref().map(|roll| say.roll(roll)));
    told.push(say.due(proof));
    told.extend(
        proof
            .provisional_from
            .map(|year| say.with("proof-provisional", &[("year", year.to_string().into())])),
    );
    let versions = [
        ("policy", proof.policy_version.as_str().into()),
        ("calendar", proof.calendar_version.as_str().into()),
    ];
    told.push(say.with("proof-versions", &versions));
    told
}

struct Say {
    locale: Locale,
}

impl Say {
    fn with(&self, key: &str, args: &[(&'static str, Arg)]) -> String {
        t_args(self.locale, key, args)
    }

    fn day(&self, at: DateTime<Utc>) -> Arg {
        date_long(self.locale, city_date(at)).into()
    }

    fn rule(&self, proof: &Proof) -> String {
        let clock = ("clock", clock_name(self.locale, proof.kind).into());
        match proof.term {
            Term::Hours(count) => self.with("proof-rule-hours", &[clock, ("count", count.into())]),
            Term::WorkingDays(count) => {
                self.with("proof-rule-working-days", &[clock, ("count", count.into())])
            }
            Term::Days(count) => self.with("proof-rule-days", &[clock, ("count", count.into())]),
            Term::Date(_) => self.with("proof-rule-date", &[clock]),
            Term::Source => self.with("proof-rule-source", &[clock]),
        }
    }

    fn start(&self, proof: &Proof) -> String {
        let when = ("when", date_time(self.locale, proof.started_at).into());
        match proof.term {
            Term::Hours(_) => self.with("proof-start-hours", &[when]),
            _ => self.with("proof-start-days", &[when]),
        }
    }

    /// A stretch of days, and how many have counted so far.
    fn stretch(&self, stretch: &Stretch, counted: u32) -> String {
        let days = self.days(stretch);
        let why = self.why(&stretch.counting);
        if stretch.is_counted() {
            let args = [
                ("days", days),
                ("why", why.into()),
                ("count", stretch.days().into()),
                ("sum", counted.into()),
            ];
            self.with("proof-days-counted", &args)
        } else {
            self.with("proof-days-skipped", &[("days", days), ("why", why.into())])
        }
    }

    fn days(&self, stretch: &Stretch) -> Arg {
        let day = |day| date_long(self.locale, day);
        if stretch.from == stretch.to {
            return day(stretch.from).into();
        }
        self.with(
            "proof-from-to",
            &[("from", day(stretch.from).into()), ("to", day(stretch.to).into())],
        )
        .into()
    }

    fn why(&self, counting: &Counting) -> String {
        match counting {
            Counting::CalendarDay => t(self.locale, "proof-calendar-day"),
            Counting::WorkingDay => t(self.locale, "proof-working-day"),
            Counting::MakeUpWorkday(name) => {
                self.with("proof-make-up-workday", &[("holiday", self.holiday(name))])
            }
            Counting::Weekend => t(self.locale, "proof-weekend"),
            Counting::Holiday(name) => self.with("proof-holiday", &[("holiday", self.holiday(name))]),
            Counting::Paused(_) => t(self.locale, "proof-paused"),
        }
    }

    /// The name of a holiday in the reader's language; one that the catalogues don't know goes by the name in its notice.
    fn holiday(&self, name: &str) -> Arg {
        let key: String = name
            .to_lowercase()
            .chars()
            .filter(|character| *character != '\'')
            .map(|character| if character == ' ' { '-' } else { character })
            .collect();
        let key = format!("holiday-{key}");
        if onetrip_i18n::has(self.locale, &key) {
            t(self.locale, &key).into()
        } else {
            name.into()
        }
    }

    /// A pause that has ended, and what it took in the unit of the term. One that lasts is told at the end.
    fn pause(&self, term: Term, share: &PauseShare) -> Option<String> {
        let reason = dashed(share.pause.reason.as_str());
        let args = vec![
            ("reason", t(self.locale, &format!("pause-{reason}")).into()),
            ("from", date_time(self.locale, share.pause.from).into()),
            ("to", date_time(self.locale, share.pause.to?).into()),
        ];
        let (key, took) = match term {
            Term::Hours(_) | Term::Source => ("proof-pause-minutes", (share.seconds / 60).into()),
            Term::WorkingDays(_) | Term::Days(_) => ("proof-pause-days", share.days.into()),
            Term::Date(_) => return None,
        };
        let args: Vec<_> = args.into_iter().chain([("count", took)]).collect();
        Some(self.with(key, &args))
    }

    fn roll(&self, roll: &Roll) -> String {
        let why: Vec<String> = roll
            .over
            .iter()
            .map(|stretch| self.why(&stretch.counting))
            .collect();
        let args = [
            ("from", date_long(self.locale, roll.from).into()),
            ("why", why.join(&t(self.locale, "proof-and")).into()),
            ("to", date_long(self.locale, roll.to).into()),
        ];
        self.with("proof-roll", &args)
    }

    fn due(&self, proof: &Proof) -> String {
        let when = ("when", date_time(self.locale, proof.due_at).into());
        match proof.suspended_since {
            Some(since) => self.with("proof-suspended", &[("since", self.day(since)), when]),
            None => self.with("proof-due", &[when]),
        }
    }
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use onetrip_i18n::MISSING_MARK;
    use onetrip_model::clocks::{Clock, Pause, PauseReason};
    use onetrip_testkit::{at, rules};

    fn told(locale: Locale, clock: &Clock) -> Vec<String> {
        sentences(locale, &clock.prove(&rules()))
    }

    fn ten() -> Clock {
        Clock::new(ClockKind::Result, Term::WorkingDays(10), at("2026-03-02 09:00"))
    }

    #[test]
    fn a_proof_is_counted_aloud() {
        let asked = PauseReason::MaterialsRequested;
        let paused = ten().paused(Pause::closed(
            asked,
            at("2026-03-06 17:00"),
            at("2026-03-10 09:00"),
        ));
        let told = told(Locale::En, &paused).join("\n");
        for part in [
            "10 working days",
            "Weekend",
            "2 days",
            "10 days counted, 6 left out",
            "18 Mar, 23:59",
            "2026-1",
        ] {
            assert!(told.contains(part), "{part} is not in\n{told}");
        }
    }

    #[test]
    fn every_clock_pause_holiday_and_kind_of_term_has_words_in_both_languages() {
        let start = at("2026-02-10 09:00");
        let terms = [
            Term::Hours(24),
            Term::Days(60),
            Term::WorkingDays(200),
            Term::Date(city_date(start)),
            Term::Source,
        ];
        for locale in Locale::ALL {
            for kind in ClockKind::ALL {
                for term in terms {
                    let clock = PauseReason::ALL
                        .into_iter()
                        .fold(Clock::new(kind, term, start).extended_by(5), |clock, reason| {
                            clock.paused(Pause::closed(
                                reason,
                                at("2026-02-10 10:00"),
                                at("2026-02-12 10:00"),
                            ))
                        })
                        .paused(Pause::open(PauseReason::ExpertTime, start));
                    let told = told(locale, &clock).join("\n");
                    assert!(!told.contains(MISSING_MARK), "{told}");
                    let named_in_english = told.contains("Festival") || told.contains("Day");
                    assert!(locale == Locale::En || !named_in_english, "{told}");
                }
            }
        }
    }
}
