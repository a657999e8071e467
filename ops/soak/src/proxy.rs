//! A line between service and database that can go silent: connections stay open and nothing comes through, as behind a
//! firewall that has forgotten them.

use crate::{Failure, rng::Rng};
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixStream},
    sync::watch,
    task::JoinHandle,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    Open,
    /// Nothing is forwarded, either way.
    Silent,
    /// The server has noticed and hung up; the client hears nothing, for good.
    Forgotten,
    Cut,
}

struct Lines {
    /// What a new connection is.
    new: Line,
    known: Vec<Weak<watch::Sender<Line>>>,
}

/// Listens on a TCP port and forwards to the server's Unix socket.
pub struct Proxy {
    pub address: SocketAddr,
    lines: Arc<Mutex<Lines>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub async fn start(socket: PathBuf) -> Result<Proxy, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let lines = Arc::new(Mutex::new(Lines {
            new: Line::Open,
            known: Vec::new(),
        }));
        let known = Arc::clone(&lines);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let mut lines = known.lock().unwrap_or_else(PoisonError::into_inner);
                let line = Arc::new(watch::Sender::new(lines.new));
                lines.known.retain(|line| line.strong_count() > 0);
                lines.known.push(Arc::downgrade(&line));
                let socket = socket.clone();
                tokio::spawn(async move {
                    let (mut client_read, mut client_write) = stream.into_split();
                    // What does not come through does not even knock.
                    if !open(&mut line.subscribe()).await {
                        return swallow(&mut client_read, &line).await;
                    }
                    let Ok(server) = UnixStream::connect(socket).await else {
                        return;
                    };
                    let (mut server_read, mut server_write) = server.into_split();
                    // Whichever end goes takes the other with it.
                    tokio::select! {
                        () = pump(&mut client_read, &mut server_write, line.subscribe()) => {}
                        () = pump(&mut server_read, &mut client_write, line.subscribe()) => {}
                    }
                    drop((server_read, server_write));
                    swallow(&mut client_read, &line).await;
                });
            }
        });
        Ok(Proxy {
            address,
            lines,
            accepting,
        })
    }

    /// The address of a database through this line.
    pub fn url(&self, name: &str) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{}/{name}?sslmode=disable",
            self.address.port()
        )
    }

    /// Sets all connections, and those to come.
    pub fn set_all(&self, line: Line) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).new = line;
        self.set_some(line, usize::MAX, &mut Rng::new(0));
    }

    /// Sets up to `count` connections that there are; how many there were.
    pub fn set_some(&self, line: Line, count: usize, rng: &mut Rng) -> usize {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known: Vec<_> = lines.known.iter().filter_map(Weak::upgrade).collect();
        rng.shuffle(&mut known);
        known.truncate(count);
        for known in &known {
            known.send_replace(line);
        }
        known.len()
    }

    /// New connections come through again; those that are silent stay so for good.
    pub fn forget_silent(&self) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.new = Line::Open;
        for line in lines.known.iter().filter_map(Weak::upgrade) {
            line.send_if_modified(|line| {
                let silent = *line == Line::Silent;
                if silent {
                    *line = Line::Forgotten;
                }
                silent
            });
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.set_all(Line::Cut);
    }
}

async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut line: watch::Receiver<Line>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        tokio::select! {
            read = from.read(&mut buffer) => {
                let Ok(length @ 1..) = read else {
                    // Even the end of a connection is not told through a silent line.
                    let _ = open(&mut line).await;
                    return;
                };
                if !open(&mut line).await || to.write_all(&buffer[..length]).await.is_err() {
                    return;
                }
            }
            () = ended(line.clone()) => return,
        }
    }
}

/// Waits until something comes through; false where it never will.
async fn open(line: &mut watch::Receiver<Line>) -> bool {
    match line.wait_for(|line| *line != Line::Silent).await {
        Ok(line) => *line == Line::Open,
        Err(_) => false,
    }
}

async fn ended(mut line: watch::Receiver<Line>) {
    let is_ended = |line: &Line| matches!(line, Line::Cut | Line::Forgotten);
    if line.wait_for(is_ended).await.is_err() {
        std::future::pending().await
    }
}

/// Keeps a forgotten client's connection until it goes by itself.
async fn swallow(client: &mut (impl AsyncRead + Unpin), line: &watch::Sender<Line>) {
    let mut buffer = [0; 1024];
    loop {
        let forgotten = *line.borrow() == Line::Forgotten;
        if !forgotten || !matches!(client.read(&mut buffer).await, Ok(1..)) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::{
        net::{TcpStream, UnixListener},
        time::timeout,
    };

    #[tokio::test]
    async fn a_silent_line_holds_back_and_a_cut_one_ends() {
        let socket = std::env::temp_dir().join(format!("soak-proxy-{}", std::process::id()));
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        let proxy = Proxy::start(socket.clone()).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        let mut byte = [0; 1];
        stream.write_all(b"a").await.unwrap();
        stream.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"a");

        let mut rng = Rng::new(1);
        assert_eq!(proxy.set_some(Line::Silent, 1, &mut rng), 1);
        stream.write_all(b"b").await.unwrap();
        let moment = Duration::from_millis(50);
        assert!(timeout(moment, stream.read_exact(&mut byte)).await.is_err());
        proxy.set_all(Line::Open);
        stream.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"b");

        let mut forgotten = TcpStream::connect(proxy.address).await.unwrap();
        forgotten.write_all(b"c").await.unwrap();
        forgotten.read_exact(&mut byte).await.unwrap();
        proxy.set_all(Line::Silent);
        proxy.forget_silent();
        forgotten.write_all(b"d").await.unwrap();
        assert!(timeout(moment, forgotten.read_exact(&mut byte)).await.is_err());
        drop(forgotten);
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(b"e").await.unwrap();
        stream.read_exact(&mut byte).await.unwrap();
        assert_eq!(&byte, b"e");

        proxy.set_some(Line::Cut, usize::MAX, &mut rng);
        assert_eq!(stream.read(&mut byte).await.unwrap_or(0), 0);
        std::fs::remove_file(socket).unwrap();
    }
}
