//! A connection and its calls.

use super::hpack::{decode, encode};
use super::secure::{Wire, secure};
use crate::sys::{Error, Result, Sys, host_of, reason};
use crate::value::Secret;
use std::io::{self, Read, Write};
use std::time::Duration;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The largest frame that either side may send unless told otherwise.
const MAX_FRAME: usize = 16_384;
/// The largest window.
const MAX_WINDOW: u32 = 0x7fff_ffff;
/// Answers end here, in bytes.
const MAX_ANSWER: usize = 256 << 20;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// A server to call.
#[derive(Clone, Debug, Default)]
pub struct GrpcServer {
    /// `https://host:port`, or `http://host:port` for a connection that nothing protects.
    pub url: String,
    /// The authorities that its certificate may come from, in PEM; needed with https.
    pub ca_pem: Option<Vec<u8>>,
    /// A certificate to show and its key, in PEM.
    pub client_pem: Option<Secret<(Vec<u8>, Vec<u8>)>>,
    /// How long to wait for a connection, and for each answer.
    pub timeout: Duration,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// The server said no.
    #[error("{message}")]
    Refused {
        /// gRPC's code: 5 not found, 7 not allowed, 9 a precondition, 14 not available, 16 who are you, …
        code: u32,
        /// The server's words.
        message: String,
    },
    /// There was no answer.
    #[error("{0}")]
    Broken(String),
}

/// A connection.
pub struct Grpc {
    wire: Box<dyn Wire>,
    authority: String,
    scheme: &'static str,
    next: u32,
    /// What may still be sent on the connection.
    window: i64,
    /// What may be sent on a new stream.
    stream_window: i64,
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

/// One call as far as it has come.
#[derive(Default)]
struct Call {
    id: u32,
    window: i64,
    status: Option<u32>,
    message: String,
    http: String,
    data: Vec<u8>,
    ended: bool,
}

impl Sys {
    /// Connects. That a call changes something elsewhere is the caller's affair.
    ///
    /// # Errors
    /// When the server cannot be reached, or a certificate or key cannot be used.
    pub fn grpc(&self, server: &GrpcServer) -> Result<Grpc> {
        let other = |what: String| Error::Other(what);
        let (scheme, rest) = match server.url.split_once("://") {
            Some(("https", rest)) => ("https", rest),
            Some(("http", rest)) => ("http", rest),
            _ => return Err(other(format!("`{}` is neither http nor https", server.url))),
        };
        let authority = rest.split('/').next().unwrap_or_default().to_owned();
        let host =
            host_of(&server.url).ok_or_else(|| other(format!("`{}` has no host", server.url)))?;
        let port = authority
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok())
            .unwrap_or(2379);
        let stream = self.connect(&host, port, server.timeout)?;
        let limit = Some(server.timeout).filter(|limit| !limit.is_zero());
        for set in [
            stream.set_read_timeout(limit),
            stream.set_write_timeout(limit),
            stream.set_nodelay(true),
        ] {
            set.map_err(|e| other(format!("cannot set up the connection: {}", reason(&e))))?;
        }
        let wire = if scheme == "https" {
            secure(stream, server, &host)?
        } else {
            Box::new(stream)
        };
        let mut grpc = Grpc {
            wire,
            authority,
            scheme,
            next: 1,
            window: 65_535,
            stream_window: 65_535,
        };
        grpc.greet().map_err(|e| other(broken(&e)))?;
        Ok(grpc)
    }
}

fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "timed out".to_owned(),
        io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        _ => match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            Some(error) => format!("the secure connection failed: {error}"),
            None => reason(error),
        },
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

impl Grpc {
    fn greet(&mut self) -> io::Result<()> {
        let mut settings = Vec::new();
        // no dynamic table, no pushing, windows as large as they get
        for (name, value) in [(1_u16, 0_u32), (2, 0), (4, MAX_WINDOW)] {
            settings.extend(name.to_be_bytes());
            settings.extend(value.to_be_bytes());
        }
        self.wire.write_all(PREFACE)?;
        self.send(SETTINGS, 0, 0, &settings)?;
        self.send(WINDOW, 0, 0, &(MAX_WINDOW - 65_535).to_be_bytes())?;
        self.wire.flush()
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len())
            .map_err(|_| wrong("a frame is too large"))?
            .to_be_bytes();
        let mut head = Vec::with_capacity(9 + payload.len());
        head.extend(length.iter().skip(1));
        head.extend([kind, flags]);
        head.extend(stream.to_be_bytes());
        head.extend(payload);
        self.wire.write_all(&head)
    }

    fn receive(&mut self) -> io::Result<Frame> {
        let mut head = [0; 9];
        self.wire.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let length = number(&[a, b, c]) as usize;
        if length > MAX_FRAME {
            return Err(wrong("the server sent a frame that is too large"));
        }
        let mut payload = vec![0; length];
        self.wire.read_exact(&mut payload)?;
        Ok(Frame {
            kind,
            flags,
            stream: number(&stream) & MAX_WINDOW,
            payload,
        })
    }

    /// Calls a method (`/etcdserverpb.KV/Range`) with a message, and gives the answer's message. `metadata` goes along.
    ///
    /// # Errors
    /// What the server refuses, and why there is no answer.
    pub fn call(
        &mut self,
        method: &str,
        message: &[u8],
        metadata: &[(&str, &str)],
    ) -> std::result::Result<Vec<u8>, GrpcError> {
        let mut call = Call {
            id: self.next,
            window: self.stream_window,
            ..Call::default()
        };
        self.next += 2;
        self.exchange(&mut call, method, message, metadata)
            .map_err(|error| GrpcError::Broken(broken(&error)))?;
        match call.status {
            Some(0) => {}
            Some(code) => {
                return Err(GrpcError::Refused {
                    code,
                    message: unescaped(&call.message),
                });
            }
            None if call.http == "200" => {
                return Err(GrpcError::Broken("the answer has no end".to_owned()));
            }
            None => {
                return Err(GrpcError::Broken(format!(
                    "it is no gRPC server: HTTP status {}",
                    call.http
                )));
            }
        }
        let broken = || GrpcError::Broken("the answer is not readable".to_owned());
        let (head, body) = call.data.split_at_checked(5).ok_or_else(broken)?;
        let (compressed, length) = head.split_first().ok_or_else(broken)?;
        if *compressed != 0 {
            return Err(GrpcError::Broken(
                "the answer is compressed, which was not asked for".to_owned(),
            ));
        }
        body.get(..number(length) as usize)
            .map(<[u8]>::to_vec)
            .ok_or_else(broken)
    }

    fn exchange(
        &mut self,
        call: &mut Call,
        method: &str,
        message: &[u8],
        metadata: &[(&str, &str)],
    ) -> io::Result<()> {
        let authority = self.authority.clone();
        let mut headers = vec![
            (":method", "POST"),
            (":scheme", self.scheme),
            (":path", method),
            (":authority", authority.as_str()),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("user-agent", concat!("runbook/", env!("CARGO_PKG_VERSION"))),
        ];
        headers.extend(metadata);
        self.send(HEADERS, END_HEADERS, call.id, &encode(&headers))?;
        let length = u32::try_from(message.len()).map_err(|_| wrong("the message is too large"))?;
        let mut body = vec![0];
        body.extend(length.to_be_bytes());
        body.extend(message);
        let mut rest = body.as_slice();
        while !rest.is_empty() && !call.ended {
            let room = usize::try_from(self.window.min(call.window))
                .unwrap_or(0)
                .min(MAX_FRAME);
            if room == 0 {
                self.wire.flush()?;
                let frame = self.receive()?;
                self.take(frame, call)?;
                continue;
            }
            let (piece, more) = rest.split_at(room.min(rest.len()));
            let flags = if more.is_empty() { END_STREAM } else { 0 };
            self.send(DATA, flags, call.id, piece)?;
            let sent = i64::try_from(piece.len()).unwrap_or_default();
            self.window -= sent;
            call.window -= sent;
            rest = more;
        }
        self.wire.flush()?;
        while !call.ended {
            let frame = self.receive()?;
            self.take(frame, call)?;
        }
        Ok(())
    }

    fn take(&mut self, frame: Frame, call: &mut Call) -> io::Result<()> {
        let ours = frame.stream == call.id;
        match frame.kind {
            SETTINGS if frame.flags & ACK == 0 => {
                for setting in frame.payload.chunks_exact(6) {
                    let (name, value) = setting.split_at(2);
                    if number(name) == 4 {
                        let new = i64::from(number(value));
                        call.window += new - self.stream_window;
                        self.stream_window = new;
                    }
                }
                self.send(SETTINGS, ACK, 0, &[])?;
                self.wire.flush()
            }
            PING if frame.flags & ACK == 0 => {
                self.send(PING, ACK, 0, &frame.payload)?;
                self.wire.flush()
            }
            WINDOW => {
                let more = i64::from(number(&frame.payload) & MAX_WINDOW);
                if frame.stream == 0 {
                    self.window += more;
                } else if ours {
                    call.window += more;
                }
                Ok(())
            }
            GO_AWAY => {
                let why = frame.payload.get(8..).unwrap_or_default();
                let why = String::from_utf8_lossy(why).into_owned();
                Err(wrong(&format!("the server ends the connection ({why})")))
            }
            RESET if ours => {
                let code = number(&frame.payload);
                if call.status.is_none() {
                    return Err(wrong(&format!(
                        "the server broke the call off (code {code})"
                    )));
                }
                call.ended = true;
                Ok(())
            }
            HEADERS if ours => {
                let mut block = unpadded(&frame)?;
                if frame.flags & PRIORITY != 0 {
                    block = block.get(5..).unwrap_or_default().to_vec();
                }
                let mut flags = frame.flags;
                while flags & END_HEADERS == 0 {
                    let next = self.receive()?;
                    if next.kind != CONTINUATION || next.stream != call.id || block.len() > 1 << 20
                    {
                        return Err(wrong("the server's headers are not readable"));
                    }
                    block.extend(&next.payload);
                    flags |= next.flags & END_HEADERS;
                }
                for (name, value) in
                    decode(&block).ok_or_else(|| wrong("the server's headers are not readable"))?
                {
                    match name.as_str() {
                        ":status" => call.http = value,
                        "grpc-status" => call.status = value.parse().ok(),
                        "grpc-message" => call.message = value,
                        _ => {}
                    }
                }
                call.ended |= frame.flags & END_STREAM != 0;
                Ok(())
            }
            DATA if ours => {
                call.data.extend(unpadded(&frame)?);
                if call.data.len() > MAX_ANSWER {
                    return Err(wrong("the answer is too large"));
                }
                call.ended |= frame.flags & END_STREAM != 0;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn unpadded(frame: &Frame) -> io::Result<Vec<u8>> {
    if frame.flags & PADDED == 0 {
        return Ok(frame.payload.clone());
    }
    let short = || wrong("a frame of the server is too short");
    let (padding, rest) = frame.payload.split_first().ok_or_else(short)?;
    let length = rest
        .len()
        .checked_sub(usize::from(*padding))
        .ok_or_else(short)?;
    Ok(rest.get(..length).unwrap_or_default().to_vec())
}

/// A message in which `%` and two digits stand for a byte.
fn unescaped(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server as bytes: what it says, whatever it hears.
    struct Script(io::Cursor<Vec<u8>>);
    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl Write for Script {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            Ok(buffer.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("small").to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    fn answer(frames: &[Vec<u8>], message: &[u8]) -> std::result::Result<Vec<u8>, GrpcError> {
        let wire = Box::new(Script(io::Cursor::new(frames.concat())));
        let mut grpc = Grpc {
            wire,
            authority: "x".into(),
            scheme: "https",
            next: 1,
            window: 65_535,
            stream_window: 65_535,
        };
        grpc.call("/a/b", message, &[])
    }

    #[test]
    fn an_answer_in_pieces() {
        let frames = [
            frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]),
            frame(PING, 0, 0, &[0; 8]),
            frame(HEADERS, END_HEADERS, 1, &[0x88]),
            frame(DATA, 0, 1, &[0, 0, 0, 0, 3, b'a']),
            frame(DATA, PADDED, 1, &[2, b'b', b'c', 0, 0]),
            frame(HEADERS, 0, 1, &encode(&[("grpc-status", "0")])[..4]),
            frame(
                CONTINUATION,
                END_HEADERS,
                1,
                &encode(&[("grpc-status", "0")])[4..],
            ),
        ];
        // the last headers end the stream
        let mut frames = frames.to_vec();
        frames[5][4] |= END_STREAM;
        assert_eq!(answer(&frames, b"question").expect("an answer"), b"abc");
    }

    #[test]
    fn a_question_larger_than_the_window_waits() {
        let end = encode(&[("grpc-status", "0")]);
        let frames = [
            frame(WINDOW, 0, 0, &1_000_000_u32.to_be_bytes()),
            frame(WINDOW, 0, 1, &1_000_000_u32.to_be_bytes()),
            frame(DATA, 0, 1, &[0; 5]),
            frame(HEADERS, END_HEADERS | END_STREAM, 1, &end),
        ];
        assert_eq!(answer(&frames, &vec![7; 200_000]).expect("an answer"), b"");
    }

    #[test]
    fn refusals_and_broken_connections() {
        let no = encode(&[
            ("grpc-status", "9"),
            ("grpc-message", "etcdserver: 100%25 no"),
        ]);
        match answer(&[frame(HEADERS, END_HEADERS | END_STREAM, 1, &no)], b"") {
            Err(GrpcError::Refused { code: 9, message }) => {
                assert_eq!(message, "etcdserver: 100% no");
            }
            other => panic!("{other:?}"),
        }
        for (frames, part) in [
            (vec![], "closed the connection"),
            (vec![frame(GO_AWAY, 0, 0, b"12345678too many")], "too many"),
            (vec![frame(RESET, 0, 1, &[0, 0, 0, 8])], "code 8"),
            (
                vec![frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x8d])],
                "HTTP status 404",
            ),
            (vec![frame(DATA, PADDED, 1, &[9, 1])], "too short"),
        ] {
            let error = answer(&frames, b"").expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
