//! A client that tells exactly how far a request came: what is sent can be cut anywhere, and a lost answer is no error
//! but an outcome.

use std::{fmt, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const HEADERS_MAX: usize = 64;
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<String>,
}

impl Request {
    pub fn get(path: impl Into<String>) -> Request {
        Request {
            method: "GET",
            path: path.into(),
            headers: Vec::new(),
            body: None,
        }
    }

    pub fn post(path: impl Into<String>, body: &serde_json::Value) -> Request {
        Request {
            method: "POST",
            path: path.into(),
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: Some(body.to_string()),
        }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Request {
        self.headers.push((name, value.into()));
        self
    }

    /// As it goes over the line.
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nHost: soak\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        let body = self.body.as_deref().unwrap_or_default();
        if self.body.is_some() {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        text += "\r\n";
        text += body;
        text.into_bytes()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Null where the body is no JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nobody listened; nothing was sent.
    NotConnected(String),
    /// The line was cut after something had been sent.
    Cut(String),
    /// No answer in time.
    Late,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::NotConnected(why) => write!(f, "not connected: {why}"),
            Lost::Cut(why) => write!(f, "cut off: {why}"),
            Lost::Late => write!(f, "no answer in time"),
        }
    }
}

/// One connection, kept open between requests.
pub struct Client {
    pub address: SocketAddr,
    stream: Option<TcpStream>,
}

impl Client {
    pub fn new(address: SocketAddr) -> Client {
        Client {
            address,
            stream: None,
        }
    }

    pub async fn send(&mut self, request: &Request, patience: Duration) -> Result<Answer, Lost> {
        // Taken out: a request that does not end well leaves no connection behind.
        let stream = self.stream.take();
        match timeout(patience, exchange(self.address, stream, request)).await {
            Ok(Ok((stream, answer))) => {
                if answer.header("connection") != Some("close") {
                    self.stream = Some(stream);
                }
                Ok(answer)
            }
            Ok(Err(lost)) => Err(lost),
            Err(_) => Err(Lost::Late),
        }
    }
}

async fn exchange(
    address: SocketAddr,
    stream: Option<TcpStream>,
    request: &Request,
) -> Result<(TcpStream, Answer), Lost> {
    let mut stream = match stream {
        Some(stream) => stream,
        None => connect(address).await?,
    };
    let cut = |error: std::io::Error| Lost::Cut(error.to_string());
    stream.write_all(&request.bytes()).await.map_err(cut)?;
    let mut read = Vec::with_capacity(4096);
    loop {
        if let Some(answer) = parse(&read)? {
            return Ok((stream, answer));
        }
        if stream.read_buf(&mut read).await.map_err(cut)? == 0 {
            return Err(Lost::Cut("closed before the answer was whole".to_owned()));
        }
        if read.len() > ANSWER_BYTES_MAX {
            return Err(Lost::Cut("the answer has no end".to_owned()));
        }
    }
}

pub async fn connect(address: SocketAddr) -> Result<TcpStream, Lost> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| Lost::NotConnected(error.to_string()))?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// The answer, once it is whole.
pub fn parse(bytes: &[u8]) -> Result<Option<Answer>, Lost> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    let start = match head.parse(bytes) {
        Ok(httparse::Status::Complete(start)) => start,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(Lost::Cut(format!("not HTTP: {error}"))),
    };
    let read = head.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(header.value).into_owned();
        (header.name.to_ascii_lowercase(), value)
    });
    let mut answer = Answer {
        status: head.code.unwrap_or_default(),
        headers: read.collect(),
        body: Vec::new(),
    };
    let rest = &bytes[start..];
    let body = if answer.header("transfer-encoding").is_some() {
        chunks(rest)?
    } else {
        let length = answer.header("content-length").and_then(|text| text.parse().ok());
        rest.get(..length.unwrap_or(0)).map(<[u8]>::to_vec)
    };
    Ok(body.map(|body| {
        answer.body = body;
        answer
    }))
}

fn chunks(mut rest: &[u8]) -> Result<Option<Vec<u8>>, Lost> {
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete((start, size))) => {
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                let Some(after) = rest
                    .get(start..)
                    .filter(|after| after.len() >= size.saturating_add(2))
                else {
                    return Ok(None);
                };
                if size == 0 {
                    return Ok(Some(body));
                }
                body.extend(&after[..size]);
                rest = &after[size + 2..];
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Lost::Cut("not a chunk".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_only_when_it_is_whole() {
        let plain = b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\nETag: \"1\"\r\n\r\nbody";
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n";
        for (bytes, status) in [(&plain[..], 201), (&chunked[..], 200)] {
            for end in 0..bytes.len() {
                assert_eq!(parse(&bytes[..end]), Ok(None), "{end}");
            }
            let answer = parse(bytes).unwrap().unwrap();
            assert_eq!((answer.status, &answer.body[..]), (status, &b"body"[..]));
        }
        assert_eq!(parse(plain).unwrap().unwrap().header("etag"), Some("\"1\""));
        assert!(parse(b"SSH-2.0\r\n\r\n").is_err());
    }
}
