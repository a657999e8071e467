//! What the service must be held to: every command written down before it is sent and again when its outcome is known,
//! in a file that outlives this process. Afterwards the file, and nothing else, says what has to be in the log.
//!
//! A line is `<word>\t<id>\t...`: `send` (key, SHA-256 of the body, what), `done` (number, version), `refused` (status,
//! type), `unknown` (why).

use crate::Failure;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// How a command ended, as its sender saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done { number: String, version: u64 },
    Refused { status: u16, kind: String },
    Unknown { why: String },
}

/// What a command is, for the count, and what it leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    File,
    Accept,
    FollowUp,
    Supplement,
    /// Sent in part only: it can't have any effect.
    Torn,
}

impl What {
    const ALL: [What; 5] = [
        What::File,
        What::Accept,
        What::FollowUp,
        What::Supplement,
        What::Torn,
    ];

    pub fn name(self) -> &'static str {
        match self {
            What::File => "file",
            What::Accept => "accept",
            What::FollowUp => "follow_up",
            What::Supplement => "supplement",
            What::Torn => "torn",
        }
    }

    /// The event it leaves behind.
    pub fn event(self) -> &'static str {
        match self {
            What::File => "CaseSubmitted",
            What::Accept => "CaseAccepted",
            What::FollowUp => "FollowUpRecorded",
            What::Supplement => "SupplementAdded",
            What::Torn => "nothing",
        }
    }
}

impl FromStr for What {
    type Err = Failure;

    fn from_str(name: &str) -> Result<What, Failure> {
        let found = What::ALL.into_iter().find(|what| what.name() == name);
        found.ok_or_else(|| format!("the journal names an unknown command: {name}").into())
    }
}

/// The file. Lines are handed to the system whole and at once, so that they survive this process.
pub struct Journal {
    pub path: PathBuf,
    file: Mutex<File>,
    next: AtomicU64,
}

impl Journal {
    pub fn create(path: PathBuf) -> Result<Journal, Failure> {
        let file = File::create(&path)?;
        Ok(Journal {
            path,
            file: Mutex::new(file),
            next: AtomicU64::new(0),
        })
    }

    /// A number for a new command.
    pub fn id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn write(&self, line: &str) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // Without its journal the run means nothing.
        file.write_all(line.as_bytes()).expect("writing the journal");
    }

    /// Before each send of the command, the retries too.
    pub fn send(&self, id: u64, key: &str, body: &str, what: What) {
        let digest = Sha256::digest(body.as_bytes());
        let mut hash = String::with_capacity(64);
        for byte in digest {
            let _ = write!(hash, "{byte:02x}");
        }
        self.write(&format!("send\t{id}\t{key}\t{hash}\t{}\n", what.name()));
    }

    pub fn outcome(&self, id: u64, outcome: &Outcome) {
        let line = match outcome {
            Outcome::Done { number, version } => format!("done\t{id}\t{number}\t{version}\n"),
            Outcome::Refused { status, kind } => format!("refused\t{id}\t{status}\t{kind}\n"),
            Outcome::Unknown { why } => {
                let why = why.replace(['\t', '\n'], " ");
                format!("unknown\t{id}\t{why}\n")
            }
        };
        self.write(&line);
    }
}

/// A command as the journal tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub id: u64,
    pub key: String,
    pub hash: String,
    pub what: What,
    pub sends: u32,
    /// The newest outcome that is one, or unknown.
    pub outcome: Option<Outcome>,
    /// It was unknown at least once.
    pub was_unknown: bool,
}

/// Reads a journal; what contradicts itself is a fault already.
pub fn read(path: &Path, faults: &mut Vec<String>) -> Result<BTreeMap<u64, Command>, Failure> {
    parse(&std::fs::read_to_string(path)?, faults)
}

fn parse(text: &str, faults: &mut Vec<String>) -> Result<BTreeMap<u64, Command>, Failure> {
    let mut commands: BTreeMap<u64, Command> = BTreeMap::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let broken = || format!("the journal has a broken line: {line}");
        let [word, id, rest @ ..] = &parts[..] else {
            return Err(broken().into());
        };
        let id: u64 = id.parse().map_err(|_| broken())?;
        if let ("send", [key, hash, what]) = (*word, rest) {
            let command = commands.entry(id).or_insert_with(|| Command {
                id,
                key: (*key).to_owned(),
                hash: (*hash).to_owned(),
                what: what.parse().unwrap_or(What::Torn),
                sends: 0,
                outcome: None,
                was_unknown: false,
            });
            command.sends += 1;
            continue;
        }
        let command = commands.get_mut(&id).ok_or_else(broken)?;
        let new = match (*word, rest) {
            ("done", [number, version]) => Outcome::Done {
                number: (*number).to_owned(),
                version: version.parse().map_err(|_| broken())?,
            },
            ("refused", [status, kind]) => Outcome::Refused {
                status: status.parse().map_err(|_| broken())?,
                kind: (*kind).to_owned(),
            },
            ("unknown", [why]) => {
                command.was_unknown = true;
                Outcome::Unknown {
                    why: (*why).to_owned(),
                }
            }
            _ => return Err(broken().into()),
        };
        match (&command.outcome, &new) {
            (None | Some(Outcome::Unknown { .. }), _) => command.outcome = Some(new),
            // A later send whose answer was lost takes nothing back.
            (Some(_), Outcome::Unknown { .. }) => {}
            (Some(before), now) if before == now => {}
            (Some(before), now) => faults.push(format!(
                "command {id} ({}) was answered {before:?} and then {now:?}",
                command.key
            )),
        }
    }
    Ok(commands)
}

/// A request key in the database, and where its answer points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub key: String,
    pub number: String,
    pub version: u64,
    /// The event it points at is there.
    pub has_event: bool,
}

/// What the database holds.
#[derive(Debug, Default)]
pub struct Facts {
    pub stored: Vec<Stored>,
    /// Cases whose versions are not exactly those of their commands, each named with what is odd.
    pub odd_cases: Vec<String>,
    pub events: u64,
}

/// How the commands came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub commands: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Unknown at some time; all of them settled.
    pub unknown: u64,
    pub sends: u64,
}

/// Holds the database against the journal.
pub fn judge(commands: &BTreeMap<u64, Command>, facts: &Facts, faults: &mut Vec<String>) -> Tally {
    let mut tally = Tally::default();
    let mut by_key: HashMap<&str, &Stored> = HashMap::with_capacity(facts.stored.len());
    for stored in &facts.stored {
        if by_key.insert(&stored.key, stored).is_some() {
            faults.push(format!("key {} is stored twice", stored.key));
        }
        if !stored.has_event {
            faults.push(format!("key {} points at an event that is not there", stored.key));
        }
    }
    for command in commands.values() {
        tally.commands += 1;
        tally.sends += u64::from(command.sends);
        tally.unknown += u64::from(command.was_unknown);
        let stored = by_key.remove(command.key.as_str());
        let name = format!("command {} ({} {})", command.id, command.what.name(), command.key);
        match (&command.outcome, stored) {
            (Some(Outcome::Done { number, version }), Some(stored)) => {
                tally.acknowledged += 1;
                let digits = number.replace('-', "");
                if (digits.as_str(), *version) != (stored.number.as_str(), stored.version) {
                    faults.push(format!(
                        "{name} was acknowledged as {number} version {version}, the log has {} version {}",
                        stored.number, stored.version
                    ));
                }
            }
            (Some(Outcome::Done { number, version }), None) => {
                tally.acknowledged += 1;
                faults.push(format!(
                    "{name} was acknowledged as {number} version {version} and is LOST"
                ));
            }
            (Some(Outcome::Refused { .. }), None) => tally.refused += 1,
            (Some(Outcome::Refused { status, kind }), Some(_)) => {
                tally.refused += 1;
                faults.push(format!(
                    "{name} was refused with {status} {kind} and is in the log"
                ));
            }
            (Some(Outcome::Unknown { .. }) | None, None) if command.what == What::Torn => {}
            (Some(Outcome::Unknown { .. }) | None, Some(_)) if command.what == What::Torn => {
                faults.push(format!("{name} was sent in part only and is in the log"));
            }
            (Some(Outcome::Unknown { why }), _) => {
                faults.push(format!("{name} was never settled: {why}"));
            }
            (None, _) => faults.push(format!("{name} has no outcome")),
        }
    }
    faults.extend(
        by_key
            .keys()
            .map(|key| format!("key {key} is stored and was never sent")),
    );
    faults.extend(facts.odd_cases.iter().cloned());
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOURNAL: &str = "send\t0\tk0\th\tfile\n\
        send\t1\tk1\th\taccept\n\
        done\t0\t1111-2222-3333\t1\n\
        unknown\t1\tcut\n\
        send\t2\tk2\th\tfollow_up\n\
        refused\t2\t412\tconflict\n\
        send\t1\tk1\th\taccept\n\
        done\t1\t1111-2222-3333\t2\n\
        send\t3\tk3\th\ttorn\n";

    fn stored(key: &str, version: u64) -> Stored {
        Stored {
            key: key.to_owned(),
            number: "111122223333".to_owned(),
            version,
            has_event: true,
        }
    }

    fn faults(journal: &str, stored: Vec<Stored>) -> Vec<String> {
        let mut faults = Vec::new();
        let commands = parse(journal, &mut faults).unwrap();
        let facts = Facts {
            stored,
            ..Facts::default()
        };
        judge(&commands, &facts, &mut faults);
        faults
    }

    #[test]
    fn what_is_as_it_was_answered_has_no_fault() {
        let mut faults = Vec::new();
        let commands = parse(JOURNAL, &mut faults).unwrap();
        let facts = Facts {
            stored: vec![stored("k0", 1), stored("k1", 2)],
            ..Facts::default()
        };
        let tally = judge(&commands, &facts, &mut faults);
        assert_eq!(faults, [""; 0]);
        let expected = Tally {
            commands: 4,
            acknowledged: 2,
            refused: 1,
            unknown: 1,
            sends: 5,
        };
        assert_eq!(tally, expected);
    }

    #[test]
    fn every_kind_of_lie_is_found() {
        let all = || vec![stored("k0", 1), stored("k1", 2)];
        let found = |journal: &str, stored: Vec<Stored>, words: &str| {
            let faults = faults(journal, stored);
            assert!(
                faults.len() == 1 && faults[0].contains(words),
                "{words}: {faults:?}"
            );
        };
        found(JOURNAL, vec![stored("k0", 1)], "is LOST");
        found(
            JOURNAL,
            [all(), vec![stored("k2", 3)]].concat(),
            "was refused with",
        );
        found(JOURNAL, [all(), vec![stored("k3", 3)]].concat(), "in part only");
        found(JOURNAL, [all(), vec![stored("k9", 3)]].concat(), "never sent");
        found(JOURNAL, [all(), vec![stored("k1", 2)]].concat(), "stored twice");
        found(JOURNAL, vec![stored("k0", 1), stored("k1", 3)], "the log has");
        found(
            &format!("{JOURNAL}done\t1\t1111-2222-3333\t4\n"),
            all(),
            "and then",
        );
        found(
            &format!("{JOURNAL}send\t4\tk4\th\tfile\nunknown\t4\tcut\n"),
            all(),
            "never settled",
        );
        let mut without = all();
        without[1].has_event = false;
        found(JOURNAL, without, "an event that is not there");
    }
}
