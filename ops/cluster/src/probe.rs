//! Asks the server itself whether it is there.
//!
//! The pid file can't tell: after a crash it may name a process that has nothing to do with PostgreSQL. The socket
//! can, in one round trip, without starting a program.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// What the socket says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nobody listens.
    Down,
    /// A server is there, but is starting, recovering or shutting down.
    Busy,
    /// A server takes connections.
    Ready,
}

/// SQLSTATE `cannot_connect_now`, as the field of an error message that carries it.
const CANNOT_CONNECT_NOW: &[u8] = b"C57P03\0";

/// One attempt at a connection; it is closed again before it amounts to anything.
pub(crate) fn ask(socket: &Path) -> Answer {
    let mut stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        // A full backlog is a sign of life.
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Answer::Busy,
        Err(_) => return Answer::Down,
    };
    let patience = Some(Duration::from_secs(2));
    let _ = stream.set_read_timeout(patience);
    let _ = stream.set_write_timeout(patience);
    if stream.write_all(&startup_message()).is_err() {
        return Answer::Busy;
    }
    let mut head = [0; 512];
    match stream.read(&mut head) {
        Ok(length) if length > 0 => read_answer(&head[..length]),
        _ => Answer::Busy,
    }
}

/// Protocol 3.0, user and database `postgres`.
fn startup_message() -> Vec<u8> {
    let body = b"user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(8 + body.len()).expect("a short message");
    [&length.to_be_bytes()[..], &196_608_u32.to_be_bytes(), body].concat()
}

fn read_answer(message: &[u8]) -> Answer {
    match message.first() {
        Some(b'R') => Answer::Ready,
        Some(b'E')
            if message
                .windows(CANNOT_CONNECT_NOW.len())
                .any(|part| part == CANNOT_CONNECT_NOW) =>
        {
            Answer::Busy
        }
        // Refusals of another kind (too many connections, say) come from a server that is up.
        Some(b'E') => Answer::Ready,
        _ => Answer::Busy,
    }
}

/// Waits while the server is busy; `Busy` comes back only when `patience` is over.
pub(crate) fn settle(socket: &Path, patience: Duration) -> Answer {
    let until = Instant::now() + patience;
    loop {
        let answer = ask(socket);
        if answer != Answer::Busy || Instant::now() >= until {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(read_answer(b"R\0\0\0\x08\0\0\0\0"), Answer::Ready);
        assert_eq!(
            read_answer(b"E\0\0\0\x40SFATAL\0VFATAL\0C57P03\0Mstarting up\0\0"),
            Answer::Busy
        );
        assert_eq!(
            read_answer(b"E\0\0\0\x40SFATAL\0VFATAL\0C53300\0Mtoo many\0\0"),
            Answer::Ready
        );
        assert_eq!(ask(Path::new("/nonexistent/.s.PGSQL.5432")), Answer::Down);
    }
}
