//! What people do with the cases of a simulated year: when they do it is drawn, and mostly they are late.

use crate::{Failure, rng::Rng};
use chrono::{DateTime, TimeDelta, Utc};
use onetrip_casework::Casework;
use onetrip_event_log::{LogError, Outcome, Why};
use onetrip_model::{
    By, CaseAct, CaseCommand, CaseId, Channel, StaffId,
    calendar::city_date,
    case::{FollowUp, FollowUpKind, LawPause, Promise, ReviewDecision, Submission, Verdict},
};
use onetrip_testkit::{CADRE, COMMUNITY, URBAN, after_photo, ask, rating, submission_of};
use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};
use uuid::Uuid;

/// Divisions of every tier, so that there are three, two, one and no tiers above a case.
const DIVISIONS: [&str; 6] = [COMMUNITY, COMMUNITY, COMMUNITY, "440304008", "440304", "4403"];
const CATEGORIES: [&str; 6] = [
    "street_lights",
    "noise",
    "permits",
    "danger",
    "utilities",
    "wages",
];
/// A wish that comes out of turn is tried again so often, a day later each time.
const TRIES_MAX: u32 = 40;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    Submit,
    Accept,
    Assign,
    Contact,
    Ask,
    Answer,
    BeginLawPause,
    EndLawPause,
    Extend,
    GiveResult,
    KeepPromise,
    Rate,
    OwnRating,
    AskReview,
    Decide,
    Withdraw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    at: DateTime<Utc>,
    case: u32,
    wish: Wish,
    tries: u32,
}

/// Everybody's wishes, in the order of their time.
pub struct People {
    turns: BinaryHeap<Reverse<Turn>>,
    rng: Rng,
}

/// What became of the wishes of one step.
#[derive(Debug, Default)]
pub struct Done {
    pub commands: u64,
    pub refused: u64,
    pub submitted: u64,
}

impl People {
    /// Cases filed over `lasts` from `start` on.
    pub fn new(rng: Rng, cases: u32, start: DateTime<Utc>, lasts: TimeDelta) -> People {
        let mut people = People {
            turns: BinaryHeap::new(),
            rng,
        };
        for case in 1..=cases {
            let after = people.seconds(0, lasts.num_seconds());
            people.wish(start + after, case, Wish::Submit);
        }
        people
    }

    fn seconds(&mut self, from: i64, to: i64) -> TimeDelta {
        let range = usize::try_from(to - from).unwrap_or_default();
        TimeDelta::seconds(from + i64::try_from(self.rng.below(range)).unwrap_or_default())
    }

    fn wish(&mut self, at: DateTime<Utc>, case: u32, wish: Wish) {
        self.turns.push(Reverse(Turn {
            at,
            case,
            wish,
            tries: 0,
        }));
    }

    fn later(&mut self, turn: Turn, wish: Wish, from: i64, to: i64) {
        let at = turn.at + self.seconds(from, to);
        self.wish(at, turn.case, wish);
    }

    /// Does what is wished for until `now`, each at its own instant.
    pub async fn act_until(&mut self, now: DateTime<Utc>, pages: &Casework) -> Result<Done, Failure> {
        let mut done = Done::default();
        while let Some(Reverse(turn)) = self.turns.peek().copied().filter(|Reverse(turn)| turn.at <= now) {
            self.turns.pop();
            let act = self.act(turn);
            let happened = send(pages, turn, act).await?;
            done.commands += 1;
            done.refused += u64::from(!happened);
            done.submitted += u64::from(happened && turn.wish == Wish::Submit);
            if happened {
                self.go_on(turn);
            } else if turn.wish == Wish::GiveResult && turn.tries < TRIES_MAX {
                self.turns.push(Reverse(Turn {
                    at: turn.at + TimeDelta::seconds(DAY),
                    tries: turn.tries + 1,
                    ..turn
                }));
            } else if matches!(turn.wish, Wish::Ask | Wish::BeginLawPause | Wish::Extend) {
                self.later(turn, Wish::GiveResult, HOUR, 20 * DAY);
            }
        }
        Ok(done)
    }

    /// What is wished for next, once this has happened.
    fn go_on(&mut self, turn: Turn) {
        match turn.wish {
            Wish::Submit => {
                match self.rng.below(10) {
                    0..7 => self.later(turn, Wish::Accept, HOUR, DAY),
                    7..9 => self.later(turn, Wish::Accept, DAY, 10 * DAY),
                    _ => self.later(turn, Wish::Accept, 10 * DAY, 40 * DAY),
                }
                if self.rng.percent(75) {
                    self.later(turn, Wish::Contact, HOUR / 2, 72 * HOUR);
                }
                if self.rng.percent(3) {
                    self.later(turn, Wish::Withdraw, HOUR, 60 * DAY);
                }
            }
            Wish::Accept => self.later(turn, Wish::Assign, HOUR / 6, 2 * DAY),
            Wish::Assign => match self.rng.below(100) {
                0..20 => self.later(turn, Wish::Ask, HOUR / 6, 3 * DAY),
                20..30 => self.later(turn, Wish::BeginLawPause, HOUR, 10 * DAY),
                30..36 => self.later(turn, Wish::Extend, HOUR, 50 * DAY),
                36..75 => self.later(turn, Wish::GiveResult, HOUR, 12 * DAY),
                75..90 => self.later(turn, Wish::GiveResult, 10 * DAY, 30 * DAY),
                _ => self.later(turn, Wish::GiveResult, 30 * DAY, 120 * DAY),
            },
            // Without an answer the result waits until the silence has been recorded.
            Wish::Ask if self.rng.percent(40) => self.later(turn, Wish::GiveResult, 9 * DAY, 30 * DAY),
            Wish::Ask => self.later(turn, Wish::Answer, HOUR, 9 * DAY),
            Wish::BeginLawPause => self.later(turn, Wish::EndLawPause, HOUR, 30 * DAY),
            Wish::Answer | Wish::EndLawPause | Wish::Extend => {
                self.later(turn, Wish::GiveResult, HOUR, 25 * DAY);
            }
            Wish::GiveResult => {
                match self.rng.below(100) {
                    0..45 => self.later(turn, Wish::Rate, HOUR, 14 * DAY),
                    45..53 => self.later(turn, Wish::AskReview, HOUR, 14 * DAY),
                    // Silence: the window ends by itself.
                    _ => {}
                }
                if self.rng.percent(80) {
                    self.later(turn, Wish::KeepPromise, 5 * DAY, 60 * DAY);
                }
            }
            // Where it was "not solved", it is assigned and done again; elsewhere these are refused.
            Wish::Rate => {
                self.later(turn, Wish::Assign, HOUR, 2 * DAY);
                if self.rng.percent(70) {
                    self.later(turn, Wish::OwnRating, HOUR, 5 * DAY);
                }
            }
            Wish::AskReview => self.later(turn, Wish::Decide, DAY, 50 * DAY),
            Wish::Decide if self.rng.percent(30) => self.later(turn, Wish::AskReview, HOUR, 25 * DAY),
            Wish::Decide => self.later(turn, Wish::GiveResult, HOUR, 25 * DAY),
            Wish::Contact | Wish::KeepPromise | Wish::OwnRating | Wish::Withdraw => {}
        }
    }

    fn act(&mut self, turn: Turn) -> CaseAct {
        let words = || "如实办理".to_owned();
        match turn.wish {
            Wish::Submit => self.submit(turn.case),
            Wish::Accept => CaseAct::Accept,
            Wish::Assign => CaseAct::Assign {
                unit: URBAN.into(),
                contact_cadre: Some(CADRE),
            },
            Wish::Contact => CaseAct::FollowUp(FollowUp {
                kind: FollowUpKind::Contact,
                reached: self.rng.percent(80),
                words: words(),
            }),
            Wish::Ask => CaseAct::RequestMaterials {
                items: vec![ask("lease")],
                held: Vec::new(),
            },
            Wish::Answer => CaseAct::AnswerRequest {
                handed_over: vec!["lease".to_owned()],
                words: words(),
                attachments: Vec::new(),
            },
            Wish::BeginLawPause => CaseAct::BeginLawPause {
                kind: LawPause::Hearing,
                notice: words(),
            },
            Wish::EndLawPause => CaseAct::EndLawPause,
            Wish::Extend => CaseAct::ExtendLegalLimit {
                days: 30,
                reason: words(),
            },
            Wish::GiveResult => CaseAct::GiveResult {
                words: words(),
                evidence: Vec::new(),
                place_proof: after_photo(),
                promise: self.rng.percent(20).then(|| Promise {
                    words: words(),
                    by: city_date(turn.at + self.seconds(0, 40 * DAY)),
                }),
            },
            Wish::KeepPromise => CaseAct::KeepPromise {
                words: words(),
                evidence: Vec::new(),
            },
            Wish::Rate => CaseAct::Rate(match self.rng.below(10) {
                0..6 => rating(Verdict::Solved, 5, None),
                6 => rating(Verdict::Partly, 2, Some("只修了一半")),
                _ => rating(Verdict::NotSolved, 1, Some("仍然不亮")),
            }),
            Wish::OwnRating => CaseAct::OwnRating,
            Wish::AskReview => CaseAct::AskReview { reason: words() },
            Wish::Decide => CaseAct::DecideReview {
                decision: ReviewDecision::ALL[self.rng.below(3)],
                words: words(),
            },
            Wish::Withdraw => CaseAct::Withdraw { reason: words() },
        }
    }

    fn submit(&mut self, case: u32) -> CaseAct {
        let mut submission = Submission {
            category: CATEGORIES[self.rng.below(CATEGORIES.len())].to_owned(),
            division: DIVISIONS[self.rng.below(DIVISIONS.len())].into(),
            ..submission_of(case)
        };
        if self.rng.percent(15) {
            submission.contact = None;
        }
        match self.rng.below(20) {
            0 => CaseAct::RequestHearing(submission),
            1..4 => CaseAct::SubmitSuggestion(submission),
            _ => CaseAct::SubmitAppeal(submission),
        }
    }
}

/// Whether it has happened; a rule may have said no.
async fn send(pages: &Casework, turn: Turn, act: CaseAct) -> Result<bool, Failure> {
    let case: CaseId = submission_of(turn.case).case;
    let command = CaseCommand {
        at: turn.at,
        // Somebody else every time: what is done again is for others.
        by: By::Staff {
            id: StaffId(Uuid::now_v7()),
            unit: Some(URBAN.into()),
        },
        channel: Channel::Staff,
        rules: Arc::clone(pages.rules()),
        act,
    };
    let why = Why::request(Uuid::now_v7());
    match pages
        .log()
        .execute(&case.to_string(), command, None, &why, None, None)
        .await
    {
        Ok(Outcome::Appended(_)) => Ok(true),
        Ok(_) | Err(LogError::Refused(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
