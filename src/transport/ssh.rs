//! runbook's own SSH: connections over bastions, and channels on them.

use super::TransportError;
use super::counters::Counters;
use super::hop::{Hop, route};
use super::host_key::{Judge, Said, SessionError, explain};
use super::process::{EVENT_QUEUE, Ended, Event, Process};
use super::ssh_auth::login;
use super::target::{Options, Target};
use russh::client::{Config, Handle, Msg, connect_stream};
use russh::keys::Algorithm;
use russh::{Channel, ChannelMsg, Disconnect, Preferred};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// A session with a machine, and those with the bastions before it.
pub(crate) struct Ssh {
    place: String,
    session: Handle<Judge>,
    said: Arc<Mutex<Said>>,
    /// Kept open because the session runs through them.
    bastions: Vec<Handle<Judge>>,
    timeout: Duration,
    /// What was passed over in the configuration.
    pub(crate) warnings: Vec<String>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Ssh {
    /// Connects and logs in, hop by hop, each within its timeout.
    pub(crate) async fn connect(
        target: &Target,
        options: &Options,
    ) -> Result<Self, TransportError> {
        let (way, warnings) = route(target, options)?;
        let mut sessions: Vec<Handle<Judge>> = Vec::new();
        let mut last = None;
        for hop in &way {
            let over = sessions.last();
            let step = connect_hop(hop, over, options);
            let joined = tokio::time::timeout(hop.timeout, step).await;
            let (session, said) = joined.map_err(|_| {
                let seconds = hop.timeout.as_secs();
                TransportError::unreachable(
                    hop.place(),
                    format!("no login within {seconds} s: the machine, its sshd or the network does not answer"),
                )
            })??;
            last = Some((hop, said));
            sessions.push(session);
        }
        let (Some(session), Some((hop, said))) = (sessions.pop(), last) else {
            return Err(TransportError::settings("there is no host to connect to"));
        };
        Ok(Self {
            place: hop.place(),
            session,
            said,
            bastions: sessions,
            timeout: hop.timeout,
            warnings,
        })
    }

    /// Runs a command on a channel of its own.
    pub(crate) async fn exec(
        &self,
        command: &str,
        pty: bool,
        counters: &Arc<Counters>,
    ) -> Result<Process, TransportError> {
        let opening = tokio::time::timeout(self.timeout, self.session.channel_open_session()).await;
        let channel = match opening {
            Ok(Ok(channel)) => channel,
            Ok(Err(russh::Error::ChannelOpenFailure(reason))) => {
                return Err(TransportError::lost(format!(
                    "the server refuses another channel ({reason:?}); is MaxSessions of its sshd too low?"
                )));
            }
            Ok(Err(error)) => return Err(self.lost(&error)),
            Err(_) => {
                return Err(TransportError::lost(
                    "the server does not answer to a new channel",
                ));
            }
        };
        let asked = async {
            if pty {
                channel
                    .request_pty(false, "dumb", 80, 24, 0, 0, &[])
                    .await?;
            }
            channel.exec(true, command).await
        };
        asked.await.map_err(|error| self.lost(&error))?;
        Ok(pump(channel, Arc::clone(&self.said), counters))
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.session.is_closed() && self.bastions.iter().all(|bastion| !bastion.is_closed())
    }

    pub(crate) async fn close(&self) {
        let leaving = async {
            for session in std::iter::once(&self.session).chain(self.bastions.iter().rev()) {
                let _ = session
                    .disconnect(Disconnect::ByApplication, "", "en")
                    .await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(2), leaving).await;
    }

    fn lost(&self, error: &russh::Error) -> TransportError {
        let why = ended(&self.said).unwrap_or_else(|| explain(error));
        TransportError::lost(format!("the connection to {} is gone: {why}", self.place))
    }
}

/// Why a session ended, if it said so.
pub(crate) fn ended(said: &Mutex<Said>) -> Option<String> {
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    said.end.clone().filter(|why| !why.is_empty())
}

async fn connect_hop(
    hop: &Hop,
    over: Option<&Handle<Judge>>,
    options: &Options,
) -> Result<(Handle<Judge>, Arc<Mutex<Said>>), TransportError> {
    let stream: Box<dyn Stream> = match over {
        None => Box::new(dial(hop).await?),
        Some(bastion) => {
            let opened = bastion
                .channel_open_direct_tcpip(hop.host.as_str(), u32::from(hop.port), "127.0.0.1", 0)
                .await;
            let channel = opened.map_err(|error| {
                let why = match &error {
                    russh::Error::ChannelOpenFailure(reason) => format!(
                        "the bastion cannot reach it ({reason:?}); does its sshd allow TCP forwarding, and \
                         does it know the name?"
                    ),
                    other => explain(other),
                };
                TransportError::unreachable(hop.place(), why)
            })?;
            Box::new(channel.into_stream())
        }
    };
    let judge = Judge::new(hop);
    let said = Arc::clone(&judge.said);
    let config = Arc::new(config(hop, &judge));
    let connected = connect_stream(config, stream, judge).await;
    let mut session = connected.map_err(|error| match error {
        SessionError::Ours(error) => error,
        SessionError::Ssh(error) => {
            let why = ended(&said).unwrap_or_else(|| explain(&error));
            TransportError::unreachable(hop.place(), why)
        }
    })?;
    login(&mut session, hop, options, &said).await?;
    Ok((session, said))
}

/// Opens a TCP connection to the first address that answers.
async fn dial(hop: &Hop) -> Result<TcpStream, TransportError> {
    let fail = |why: String| TransportError::unreachable(hop.place(), why);
    let addresses: Vec<_> = tokio::net::lookup_host((hop.host.as_str(), hop.port))
        .await
        .map_err(|error| {
            fail(format!(
                "its name cannot be resolved ({}); is ansible_host right?",
                error
                    .to_string()
                    .trim_start_matches("failed to lookup address information: ")
            ))
        })?
        .collect();
    let share = hop.timeout / u32::try_from(addresses.len().max(1)).unwrap_or(1);
    let mut why = "its name has no address".to_owned();
    for address in addresses {
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                why = "connection refused: nothing listens there; is sshd running, is the port right?".to_owned();
            }
            Ok(Err(error)) => {
                why = format!("{error}: is the machine up, is ansible_host right?");
            }
            Err(_) => {
                why = format!(
                    "no answer within {} s: is the machine up, is ansible_host right?",
                    share.as_secs().max(1)
                );
            }
        }
    }
    Err(fail(why))
}

fn config(hop: &Hop, judge: &Judge) -> Config {
    let all: Vec<Algorithm> = Preferred::DEFAULT
        .key
        .iter()
        // SHA-1 signatures.
        .filter(|algorithm| !matches!(algorithm, Algorithm::Rsa { hash: None }))
        .cloned()
        .collect();
    let keys = judge.order(&all);
    let certificates = if judge.has_authorities() {
        keys.clone()
    } else {
        Vec::new()
    };
    Config {
        nodelay: true,
        keepalive_interval: Some(hop.keepalive),
        keepalive_max: hop.keepalive_max,
        inactivity_timeout: None,
        preferred: Preferred {
            key: Cow::Owned(keys),
            host_key_certificates: Cow::Owned(certificates),
            compression: Cow::Borrowed(&[russh::compression::NONE]),
            ..Preferred::DEFAULT
        },
        ..Config::default()
    }
}

/// Turns a channel's messages into events until it is closed, or until nobody listens.
fn pump(channel: Channel<Msg>, said: Arc<Mutex<Said>>, counters: &Arc<Counters>) -> Process {
    let (mut read, write) = channel.split();
    let writer = Box::new(write.make_writer());
    let (events, receiver) = mpsc::channel(EVENT_QUEUE);
    tokio::spawn(async move {
        let mut status = Ended::default();
        loop {
            let message = tokio::select! {
                () = events.closed() => break,
                message = read.wait() => message,
            };
            let event = match message {
                Some(ChannelMsg::Data { data }) => Event::Out(data.to_vec()),
                Some(ChannelMsg::ExtendedData { data, .. }) => Event::Err(data.to_vec()),
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    status.code = i32::try_from(exit_status).ok();
                    continue;
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    status.why = Some(format!("killed by SIG{}", signal(&signal_name)));
                    continue;
                }
                Some(ChannelMsg::Failure) => {
                    status.why = Some("the server refuses to run commands".to_owned());
                    break;
                }
                Some(ChannelMsg::Close) => break,
                Some(_) => continue,
                None => {
                    if status == Ended::default() {
                        status.why = ended(&said).map(|why| format!("the connection broke: {why}"));
                    }
                    break;
                }
            };
            if events.send(event).await.is_err() {
                break;
            }
        }
        let _ = write.close().await;
        let _ = events.send(Event::Exit(status)).await;
    });
    Process::new(writer, receiver, counters)
}

fn signal(signal: &russh::Sig) -> String {
    match signal {
        russh::Sig::Custom(name) => name.clone(),
        other => format!("{other:?}"),
    }
}
