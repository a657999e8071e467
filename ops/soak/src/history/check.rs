//! Checks a history of appends and reads of lists, one list for each case, for strict serializability: there is one order
//! of the appends that every answer agrees with, and it agrees with the clock. The idea is Elle's list-append: every
//! element is appended once and known again, so a read tells the whole order before it.
//!
//! Pure. Instants are any numbers that grow with time.

use std::collections::{BTreeMap, HashMap, HashSet};

/// Version of a case before the first append: it has been filed.
pub const VERSION_BEFORE: u64 = 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The answer named the version.
    Acknowledged(u64),
    Refused,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    pub case: usize,
    pub element: u64,
    pub invoked: u64,
    /// Of an unknown one nobody knows when it ended.
    pub returned: Option<u64>,
    pub done: Done,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub case: usize,
    pub invoked: u64,
    pub returned: u64,
    pub version: u64,
    pub elements: Vec<u64>,
}

#[derive(Clone, Debug, Default)]
pub struct History {
    pub appends: Vec<Append>,
    pub reads: Vec<Read>,
    /// The list of each case when all was over.
    pub last: BTreeMap<usize, Vec<u64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Anomaly {
    /// Acknowledged and not there.
    Lost {
        case: usize,
        element: u64,
    },
    /// Refused and there all the same.
    RefusedIsThere {
        case: usize,
        element: u64,
    },
    Twice {
        case: usize,
        element: u64,
    },
    /// Nobody has appended it.
    FromNowhere {
        case: usize,
        element: u64,
    },
    /// The answer named another version than the one it has.
    WrongVersion {
        case: usize,
        element: u64,
        told: u64,
        is: u64,
    },
    /// A read is not the beginning of the final list.
    NotAPrefix {
        case: usize,
        read: Vec<u64>,
    },
    /// The version of a read does not fit its length: a gap.
    Gap {
        case: usize,
        version: u64,
        elements: usize,
    },
    /// A read that began after an append had been acknowledged, or after another read had shown it, does not show it.
    Stale {
        case: usize,
        shown: usize,
        expected: usize,
        invoked: u64,
    },
    /// A read shows what was only sent after it had ended.
    FromTheFuture {
        case: usize,
        element: u64,
    },
    /// An append stands before one that had been acknowledged before it was sent.
    OutOfOrder {
        case: usize,
        element: u64,
        before: u64,
    },
}

impl History {
    pub fn check(&self) -> Vec<Anomaly> {
        let mut anomalies = Vec::new();
        let mut appends: HashMap<usize, Vec<&Append>> = HashMap::new();
        let mut reads: HashMap<usize, Vec<&Read>> = HashMap::new();
        for append in &self.appends {
            appends.entry(append.case).or_default().push(append);
        }
        for read in &self.reads {
            reads.entry(read.case).or_default().push(read);
        }
        let mut cases: Vec<usize> = appends
            .keys()
            .chain(reads.keys())
            .chain(self.last.keys())
            .copied()
            .collect();
        cases.sort_unstable();
        cases.dedup();
        for case in cases {
            let one = One {
                case,
                appends: appends.remove(&case).unwrap_or_default(),
                reads: reads.remove(&case).unwrap_or_default(),
                last: self.last.get(&case).map(Vec::as_slice).unwrap_or_default(),
            };
            one.check(&mut anomalies);
        }
        anomalies
    }
}

/// What is known of one case.
struct One<'a> {
    case: usize,
    appends: Vec<&'a Append>,
    reads: Vec<&'a Read>,
    last: &'a [u64],
}

impl One<'_> {
    fn check(&self, anomalies: &mut Vec<Anomaly>) {
        let case = self.case;
        let mut places: HashMap<u64, usize> = HashMap::with_capacity(self.last.len());
        for (place, &element) in self.last.iter().enumerate() {
            if places.insert(element, place).is_some() {
                anomalies.push(Anomaly::Twice { case, element });
            }
        }
        self.check_appends(&places, anomalies);
        self.check_reads(&places, anomalies);
        self.check_clock(&places, anomalies);
    }

    fn check_appends(&self, places: &HashMap<u64, usize>, anomalies: &mut Vec<Anomaly>) {
        let case = self.case;
        let known: HashSet<u64> = self.appends.iter().map(|append| append.element).collect();
        let strangers = self.last.iter().filter(|element| !known.contains(element));
        anomalies.extend(strangers.map(|&element| Anomaly::FromNowhere { case, element }));
        for append in &self.appends {
            let element = append.element;
            match (&append.done, places.get(&element)) {
                (Done::Acknowledged(_), None) => anomalies.push(Anomaly::Lost { case, element }),
                (Done::Acknowledged(told), Some(place)) => {
                    let is = VERSION_BEFORE + 1 + *place as u64;
                    if *told != is {
                        let told = *told;
                        anomalies.push(Anomaly::WrongVersion {
                            case,
                            element,
                            told,
                            is,
                        });
                    }
                }
                (Done::Refused, Some(_)) => anomalies.push(Anomaly::RefusedIsThere { case, element }),
                (Done::Refused, None) | (Done::Unknown, _) => {}
            }
        }
    }

    fn check_reads(&self, places: &HashMap<u64, usize>, anomalies: &mut Vec<Anomaly>) {
        let case = self.case;
        // The latest instant at which any of the first elements was sent.
        let sent: HashMap<u64, u64> = self
            .appends
            .iter()
            .map(|append| (append.element, append.invoked))
            .collect();
        for read in &self.reads {
            if !self.last.starts_with(&read.elements) {
                anomalies.push(Anomaly::NotAPrefix {
                    case,
                    read: read.elements.clone(),
                });
            }
            if read.version != VERSION_BEFORE + read.elements.len() as u64 {
                anomalies.push(Anomaly::Gap {
                    case,
                    version: read.version,
                    elements: read.elements.len(),
                });
            }
            for &element in &read.elements {
                if places.contains_key(&element)
                    && sent.get(&element).is_some_and(|sent| *sent > read.returned)
                {
                    anomalies.push(Anomaly::FromTheFuture { case, element });
                }
            }
        }
    }

    /// What had ended before something began must have come before it.
    fn check_clock(&self, places: &HashMap<u64, usize>, anomalies: &mut Vec<Anomaly>) {
        let case = self.case;
        // (ended at, how long the list was then at least)
        let mut ended: Vec<(u64, usize)> = Vec::new();
        for append in &self.appends {
            if let (Done::Acknowledged(_), Some(returned), Some(place)) =
                (&append.done, append.returned, places.get(&append.element))
            {
                ended.push((returned, place + 1));
            }
        }
        ended.extend(self.reads.iter().map(|read| (read.returned, read.elements.len())));
        ended.sort_unstable();
        let mut longest = 0;
        for entry in &mut ended {
            longest = longest.max(entry.1);
            entry.1 = longest;
        }
        let at_least = |instant: u64| {
            let before = ended.partition_point(|(at, _)| *at < instant);
            before.checked_sub(1).map_or(0, |place| ended[place].1)
        };
        for read in &self.reads {
            let expected = at_least(read.invoked);
            if read.elements.len() < expected {
                anomalies.push(Anomaly::Stale {
                    case,
                    shown: read.elements.len(),
                    expected,
                    invoked: read.invoked,
                });
            }
        }
        for append in &self.appends {
            if let Some(&place) = places.get(&append.element)
                && let expected @ 1.. = at_least(append.invoked)
                && place < expected
                && let Some(&before) = self.last.get(expected - 1)
                && before != append.element
            {
                anomalies.push(Anomaly::OutOfOrder {
                    case,
                    element: append.element,
                    before,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(element: u64, invoked: u64, returned: u64, done: Done) -> Append {
        Append {
            case: 0,
            element,
            invoked,
            returned: Some(returned),
            done,
        }
    }

    fn read(invoked: u64, returned: u64, elements: &[u64]) -> Read {
        Read {
            case: 0,
            invoked,
            returned,
            version: VERSION_BEFORE + elements.len() as u64,
            elements: elements.to_vec(),
        }
    }

    /// Three appends, the last unknown but there, one refused, and reads between.
    fn right() -> History {
        History {
            appends: vec![
                append(1, 0, 10, Done::Acknowledged(2)),
                append(2, 20, 30, Done::Acknowledged(3)),
                append(9, 22, 26, Done::Refused),
                Append {
                    returned: None,
                    ..append(3, 40, 0, Done::Unknown)
                },
            ],
            reads: vec![
                read(1, 2, &[]),
                read(1, 3, &[1]),
                read(11, 12, &[1]),
                read(21, 25, &[1, 2]),
                read(31, 32, &[1, 2]),
                read(41, 42, &[1, 2, 3]),
            ],
            last: BTreeMap::from([(0, vec![1, 2, 3])]),
        }
    }

    fn found(history: &History) -> Vec<Anomaly> {
        history.check()
    }

    #[test]
    fn a_right_history_has_no_anomaly() {
        assert_eq!(found(&right()), []);
        let mut without_the_unknown = right();
        without_the_unknown.last.insert(0, vec![1, 2]);
        without_the_unknown.reads.pop();
        assert_eq!(found(&without_the_unknown), []);
    }

    #[test]
    fn a_lost_append_is_found() {
        let mut history = right();
        history.last.insert(0, vec![1]);
        history.reads.truncate(3);
        assert_eq!(found(&history), [Anomaly::Lost { case: 0, element: 2 }]);
    }

    #[test]
    fn what_is_there_twice_or_from_nowhere_or_refused_is_found() {
        let mut history = right();
        history.last.insert(0, vec![1, 2, 3, 2]);
        assert!(found(&history).contains(&Anomaly::Twice { case: 0, element: 2 }));
        history.last.insert(0, vec![1, 2, 3, 7]);
        assert_eq!(found(&history), [Anomaly::FromNowhere { case: 0, element: 7 }]);
        history.last.insert(0, vec![1, 2, 3, 9]);
        assert_eq!(found(&history), [Anomaly::RefusedIsThere { case: 0, element: 9 }]);
    }

    #[test]
    fn a_version_that_is_not_the_place_is_found() {
        let mut history = right();
        history.appends[1].done = Done::Acknowledged(4);
        let expected = Anomaly::WrongVersion {
            case: 0,
            element: 2,
            told: 4,
            is: 3,
        };
        assert_eq!(found(&history), [expected]);
        let mut history = right();
        history.reads[3].version = 4;
        let expected = Anomaly::Gap {
            case: 0,
            version: 4,
            elements: 2,
        };
        assert_eq!(found(&history), [expected]);
    }

    #[test]
    fn a_read_of_another_order_is_found() {
        let mut history = right();
        history.reads[5].elements = vec![2, 1, 3];
        let expected = Anomaly::NotAPrefix {
            case: 0,
            read: vec![2, 1, 3],
        };
        assert_eq!(found(&history), [expected]);
    }

    #[test]
    fn a_read_that_misses_what_was_acknowledged_is_stale() {
        let mut history = right();
        history.reads[4] = read(31, 32, &[1]);
        let expected = Anomaly::Stale {
            case: 0,
            shown: 1,
            expected: 2,
            invoked: 31,
        };
        assert_eq!(found(&history), [expected]);
    }

    #[test]
    fn a_read_that_falls_behind_an_earlier_read_is_stale() {
        // The append is not acknowledged to anybody yet, but somebody has seen it.
        let mut history = right();
        history.reads.push(read(26, 27, &[1]));
        let expected = Anomaly::Stale {
            case: 0,
            shown: 1,
            expected: 2,
            invoked: 26,
        };
        assert_eq!(found(&history), [expected]);
    }

    #[test]
    fn a_read_of_what_was_not_sent_yet_is_found() {
        let mut history = right();
        history.reads[4] = read(31, 32, &[1, 2, 3]);
        assert_eq!(found(&history)[0], Anomaly::FromTheFuture { case: 0, element: 3 });
    }

    #[test]
    fn appends_against_the_clock_are_found() {
        let mut history = right();
        history.appends[0].done = Done::Acknowledged(3);
        history.appends[1].done = Done::Acknowledged(2);
        history.last.insert(0, vec![2, 1, 3]);
        history.reads.clear();
        let expected = Anomaly::OutOfOrder {
            case: 0,
            element: 2,
            before: 1,
        };
        assert_eq!(found(&history), [expected]);
    }

    #[test]
    fn cases_do_not_disturb_each_other() {
        let mut history = right();
        let mut other = append(5, 0, 1, Done::Acknowledged(2));
        other.case = 1;
        history.appends.push(other);
        history.last.insert(1, vec![5]);
        assert_eq!(found(&history), []);
        history.last.insert(1, Vec::new());
        assert_eq!(found(&history), [Anomaly::Lost { case: 1, element: 5 }]);
    }
}
