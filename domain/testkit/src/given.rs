use crate::{CADRE, URBAN, after_photo, by_staff, moments::monday_9am, rules, submission};
use chrono::{DateTime, Duration, Utc};
use onetrip_model::{
    By, Case, CaseAct, CaseCommand, CaseEvent, CaseFact, Channel, Refusal,
    case::{Filed, Rating, Submission, Verdict, decide},
    policy::Rules,
};
use std::sync::Arc;

/// A case with what has happened so far, and the clock, the actor and the rules of the next command.
#[derive(Clone, Debug)]
pub struct Given {
    pub case: Case,
    pub events: Vec<CaseEvent>,
    pub now: DateTime<Utc>,
    pub by: By,
    pub rules: Arc<Rules>,
}

/// What a command came to.
#[derive(Debug)]
pub struct Then {
    before: Given,
    outcome: Result<Vec<CaseEvent>, Refusal>,
}

/// A case to which all this was done, every part of it with success, on Monday morning.
pub fn given(acts: impl IntoIterator<Item = CaseAct>) -> Given {
    let unfiled = Given {
        case: Case::Unfiled,
        events: Vec::new(),
        now: monday_9am(),
        by: by_staff(CADRE),
        rules: rules(),
    };
    unfiled.and(acts)
}

/// A filed appeal about a street light.
pub fn filed() -> Given {
    given([CaseAct::SubmitAppeal(submission())])
}

/// Filed and accepted by the desk.
pub fn accepted(submission: Submission) -> Given {
    given([CaseAct::SubmitAppeal(submission), CaseAct::Accept])
}

/// Accepted, and assigned to the urban office and the district's contact cadre.
pub fn handled() -> Given {
    accepted(submission()).and([CaseAct::Assign {
        unit: URBAN.into(),
        contact_cadre: Some(CADRE),
    }])
}

/// Handled, with a result.
pub fn resulted() -> Given {
    handled().and([CaseAct::GiveResult {
        words: "灯泡已更换".to_owned(),
        evidence: Vec::new(),
        place_proof: after_photo(),
        promise: None,
    }])
}

/// With a result that the resident took for solved.
pub fn closed() -> Given {
    resulted().and([CaseAct::Rate(Rating {
        verdict: Verdict::Solved,
        score: 5,
        reason: None,
    })])
}

impl Given {
    /// Goes on with more that succeeds.
    pub fn and(self, acts: impl IntoIterator<Item = CaseAct>) -> Given {
        acts.into_iter().fold(self, |given, act| {
            let told = format!("{act:?}");
            let then = given.when(act);
            assert!(
                then.outcome.is_ok(),
                "given {told}, which is refused: {:?}",
                then.outcome
            );
            then.after()
        })
    }

    /// Goes on with events as they are.
    pub fn and_events(mut self, events: impl IntoIterator<Item = CaseEvent>) -> Given {
        for event in events {
            self.case = self.case.evolve(&event);
            self.events.push(event);
        }
        self
    }

    pub fn at(self, now: DateTime<Utc>) -> Given {
        Given { now, ..self }
    }

    pub fn later(self, by: Duration) -> Given {
        Given {
            now: self.now + by,
            ..self
        }
    }

    pub fn by(self, by: By) -> Given {
        Given { by, ..self }
    }

    pub fn with_rules(self, rules: Rules) -> Given {
        Given {
            rules: Arc::new(rules),
            ..self
        }
    }

    pub fn command(&self, act: CaseAct) -> CaseCommand {
        CaseCommand {
            at: self.now,
            by: self.by.clone(),
            channel: Channel::Staff,
            rules: Arc::clone(&self.rules),
            act,
        }
    }

    pub fn when(self, act: CaseAct) -> Then {
        let outcome = decide(&self.case, self.command(act));
        Then {
            before: self,
            outcome,
        }
    }

    pub fn filed(&self) -> &Filed {
        self.case.filed().expect("the case is filed")
    }

    /// The newest fact.
    pub fn newest(&self) -> &CaseFact {
        &self.events.last().expect("something has happened").fact
    }
}

impl Then {
    /// These facts and no others; the case after them.
    #[track_caller]
    pub fn then_facts(self, expected: impl IntoIterator<Item = CaseFact>) -> Given {
        let expected: Vec<CaseFact> = expected.into_iter().collect();
        let facts: Vec<CaseFact> = self.events().iter().map(|event| event.fact.clone()).collect();
        assert_eq!(facts, expected);
        self.after()
    }

    /// Facts of these names and no others; the case after them.
    #[track_caller]
    pub fn then_events<const N: usize>(self, names: [&str; N]) -> Given {
        let happened: Vec<&str> = self.events().iter().map(|event| event.fact.name()).collect();
        assert_eq!(happened, names);
        self.after()
    }

    /// The wish was already fulfilled.
    #[track_caller]
    pub fn then_nothing(self) -> Given {
        self.then_events([])
    }

    /// Refused for this reason; the case as it was.
    #[track_caller]
    pub fn then_refused(self, expected: Refusal) -> Given {
        assert_eq!(self.outcome.as_ref().map(Vec::len), Err(&expected));
        self.before
    }

    pub fn outcome(&self) -> Result<&[CaseEvent], &Refusal> {
        self.outcome.as_deref()
    }

    #[track_caller]
    fn events(&self) -> &[CaseEvent] {
        match &self.outcome {
            Ok(events) => events,
            Err(refusal) => panic!("refused: {refusal}"),
        }
    }

    /// The case after what happened, if anything did.
    pub fn after(self) -> Given {
        let events = self.outcome.unwrap_or_default();
        self.before.and_events(events)
    }
}
