//! Processor time, which tells more than elapsed time on a machine that others use too.

use crate::drive::Figures;
use std::{fs, path::Path, time::Duration};

/// The kernel's ticks in /proc, on every Linux that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// Processor time spent so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// By this process.
    pub client: Duration,
    /// By the PostgreSQL server and its backends, also those that have ended.
    pub server: Duration,
}

impl Spent {
    /// Of this process and of the server whose folder is `data`; nothing is counted that cannot be read.
    pub fn so_far(data: &Path) -> Spent {
        let client = times(Path::new("/proc/self/stat")).map_or(0, |times| times.own);
        let postmaster = fs::read_to_string(data.join("postmaster.pid"))
            .ok()
            .and_then(|file| file.lines().next()?.trim().parse::<u32>().ok());
        let server = postmaster.map_or(0, |pid| {
            let postmaster = times(Path::new(&format!("/proc/{pid}/stat"))).unwrap_or_default();
            postmaster.own + postmaster.ended_children + backends(pid)
        });
        Spent {
            client: TICK * u32::try_from(client).unwrap_or(u32::MAX),
            server: TICK * u32::try_from(server).unwrap_or(u32::MAX),
        }
    }

    pub fn since(self, before: Spent) -> Spent {
        Spent {
            client: self.client.saturating_sub(before.client),
            server: self.server.saturating_sub(before.server),
        }
    }
}

/// Processor time that a process has spent so far.
pub fn of_process(pid: u32) -> Duration {
    let ticks = times(Path::new(&format!("/proc/{pid}/stat"))).map_or(0, |times| times.own);
    TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
}

/// What `measuring` measures, with the processor time that went by meanwhile.
pub async fn counted(data: &Path, measuring: impl Future<Output = Figures>) -> Figures {
    let before = Spent::so_far(data);
    let figures = measuring.await;
    Figures {
        spent: Spent::so_far(data).since(before),
        ..figures
    }
}

#[derive(Clone, Copy, Default)]
struct Times {
    parent: u32,
    own: u64,
    ended_children: u64,
}

/// The fields after the command's name, which may hold anything but ends with the last bracket: see proc(5).
fn times(stat: &Path) -> Option<Times> {
    let text = fs::read_to_string(stat).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    Some(Times {
        parent: u32::try_from(number(1)?).ok()?,
        own: number(11)? + number(12)?,
        ended_children: number(13)? + number(14)?,
    })
}

fn backends(postmaster: u32) -> u64 {
    let Ok(processes) = fs::read_dir("/proc") else {
        return 0;
    };
    processes
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        })
        .filter_map(|entry| times(&entry.path().join("stat")))
        .filter(|times| times.parent == postmaster)
        .map(|times| times.own)
        .sum()
}
