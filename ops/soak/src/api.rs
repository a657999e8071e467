//! Commands of the API: how they are sent, journalled, and what their answers mean.

use crate::{
    http::{Answer, Client, Lost, Request},
    oracle::{Journal, Outcome, What},
    site::STREET,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Longer than the service may take for anything.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// A signed-in member of staff.
#[derive(Clone, Debug)]
pub struct Staff {
    pub token: String,
}

/// A case as its writer knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub number: String,
    pub secret: String,
    pub version: u64,
    pub accepted: bool,
}

/// A command with everything a retry needs.
#[derive(Clone, Debug)]
pub struct Order {
    pub id: u64,
    pub key: String,
    pub what: What,
    pub request: Request,
}

impl Order {
    /// A new case of a resident of its own; `mark` stands in its words.
    pub fn file(journal: &Journal, tag: &str) -> Order {
        let id = journal.id();
        let key = key(tag, id);
        Order::file_body(id, key.clone(), &filing(&key, id))
    }

    /// A filing of exactly this body.
    pub fn file_body(id: u64, key: String, body: &Value) -> Order {
        Order {
            id,
            request: Request::post("/api/v1/appeals", body).header("Idempotency-Key", &*key),
            key,
            what: What::File,
        }
    }

    /// An act of the clerk on this version of the case.
    pub fn act(journal: &Journal, tag: &str, staff: &Staff, case: &Case, what: What, version: u64) -> Order {
        let id = journal.id();
        let key = key(tag, id);
        let body = match what {
            What::Accept => json!({"act": "accept"}),
            What::FollowUp => {
                json!({"act": "follow_up", "kind": "contact", "reached": true, "words": mark(&key)})
            }
            _ => json!({"act": "add_supplement", "words": mark(&key)}),
        };
        let path = format!("/api/v1/cases/{}/acts", case.number);
        let mut request = Request::post(path, &body)
            .header("Idempotency-Key", &*key)
            .header("If-Match", format!("\"{version}\""));
        // Supplements come from the resident, everything else from the clerk.
        request = match what {
            What::Supplement => request.header("X-Onetrip-Secret", &*case.secret),
            _ => request.header("Authorization", format!("Bearer {}", staff.token)),
        };
        Order {
            id,
            key,
            what,
            request,
        }
    }

    pub fn journal_send(&self, journal: &Journal) {
        let body = self.request.body.as_deref().unwrap_or_default();
        journal.send(self.id, &self.key, body, self.what);
    }

    /// Writes down, sends, writes down what came of it.
    pub async fn send(&self, client: &mut Client, journal: &Journal) -> Sent {
        self.journal_send(journal);
        let start = Instant::now();
        let result = client.send(&self.request, PATIENCE).await;
        let sent = Sent {
            outcome: outcome(&result),
            start,
            took: start.elapsed(),
            result,
        };
        journal.outcome(self.id, &sent.outcome);
        sent
    }
}

/// What came of one send.
#[derive(Debug)]
pub struct Sent {
    pub outcome: Outcome,
    pub start: Instant,
    pub took: Duration,
    pub result: Result<Answer, Lost>,
}

impl Sent {
    pub fn status(&self) -> Option<u16> {
        self.result.as_ref().ok().map(|answer| answer.status)
    }

    /// A 5xx that is none of those promised: 503 with Retry-After.
    pub fn broken_promise(&self) -> Option<String> {
        let answer = self.result.as_ref().ok()?;
        broken_promise(answer)
    }

    pub fn secret(&self) -> Option<String> {
        let answer = self.result.as_ref().ok()?;
        Some(answer.json()["secret"].as_str()?.to_owned())
    }
}

pub fn broken_promise(answer: &Answer) -> Option<String> {
    match answer.status {
        503 if answer.header("retry-after").is_none() => Some("a 503 without Retry-After".to_owned()),
        503 => None,
        status if status >= 500 => Some(format!("a {status}: {}", String::from_utf8_lossy(&answer.body))),
        _ => None,
    }
}

/// Also the words that are looked for afterwards: no other command has them.
pub fn mark(key: &str) -> String {
    format!("记号 {key}")
}

fn key(tag: &str, id: u64) -> String {
    format!("soak-{tag}-{id:012}-abcdefgh")
}

/// A filing nobody else makes.
pub fn filing(key: &str, id: u64) -> Value {
    json!({
        "category": "street_lights",
        "words": mark(key),
        "division": STREET,
        "place_words": format!("灯杆 {key}"),
        "phone": format!("1{:010}", id % 10_000_000_000),
    })
}

fn outcome(result: &Result<Answer, Lost>) -> Outcome {
    let answer = match result {
        Ok(answer) => answer,
        Err(lost) => {
            return Outcome::Unknown {
                why: lost.to_string(),
            };
        }
    };
    let body = answer.json();
    match (answer.status, body["number"].as_str(), body["version"].as_u64()) {
        (200 | 201, Some(number), Some(version)) => Outcome::Done {
            number: number.to_owned(),
            version,
        },
        (400..=499, ..) if answer.status != 429 => Outcome::Refused {
            status: answer.status,
            kind: body["type"].as_str().unwrap_or("?").to_owned(),
        },
        (status, ..) => Outcome::Unknown {
            why: format!("status {status}"),
        },
    }
}

/// A case as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub version: u64,
    /// Sequence, event and the texts of each entry, oldest first.
    pub entries: Vec<(u64, String, Vec<String>)>,
}

/// Reads a case as the clerk sees it: None where it is not shown yet.
pub async fn read(
    client: &mut Client,
    staff: &Staff,
    number: &str,
) -> Result<Result<Option<Shown>, Answer>, Lost> {
    let request = Request::get(format!("/api/v1/cases/{number}"))
        .header("Authorization", format!("Bearer {}", staff.token));
    let answer = client.send(&request, PATIENCE).await?;
    if answer.status == 404 {
        return Ok(Ok(None));
    }
    Ok(match shown(&answer) {
        Some(shown) if answer.status == 200 => Ok(Some(shown)),
        _ => Err(answer),
    })
}

fn shown(answer: &Answer) -> Option<Shown> {
    let body = answer.json();
    let entries = body["timeline"].as_array()?.iter().map(|entry| {
        let texts = entry["texts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let texts = texts.iter().map(|text| text.to_string()).collect();
        Some((
            entry["sequence"].as_u64()?,
            entry["event"].as_str()?.to_owned(),
            texts,
        ))
    });
    Some(Shown {
        version: body["version"].as_u64()?,
        entries: entries.collect::<Option<_>>()?,
    })
}
