//! Our SSH, and the system's, against a real sshd on loopback.

use super::*;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server with its keys, and a home for the client; ended when dropped.
pub(super) struct Sshd {
    child: Child,
    directory: tempfile::TempDir,
    port: u16,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn keygen(path: &Path, kind: &str, phrase: &str) {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-C", "test", "-N", phrase, "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl Sshd {
    /// `None`, loudly, where there is no sshd.
    pub(super) fn start(more: &str) -> Option<Self> {
        let program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"];
        let Some(program) = program.iter().find(|path| Path::new(path).exists()) else {
            skip("no sshd on this machine");
            return None;
        };
        if !nix::unistd::getuid().is_root() {
            skip("not root: sshd is not started");
            return None;
        }
        let _ = std::fs::create_dir_all("/run/sshd");
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for kind in ["ed25519", "rsa", "ecdsa"] {
            keygen(&at(&format!("host_{kind}")), kind, "");
        }
        std::fs::create_dir(at(".ssh")).unwrap();
        keygen(&at(".ssh/id_ed25519"), "ed25519", "");
        std::fs::copy(at(".ssh/id_ed25519.pub"), at("authorized_keys")).unwrap();
        let port = free_port();
        let base = directory.path().display();
        let mut text = format!(
            "Port {port}\nListenAddress 127.0.0.1\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n\
             AuthorizedKeysFile {base}/authorized_keys\nPasswordAuthentication no\nSetEnv HOME={base}\n{more}\n"
        );
        if !more.contains("HostKey") {
            for kind in ["ed25519", "rsa", "ecdsa"] {
                text.push_str(&format!("HostKey {base}/host_{kind}\n"));
            }
        }
        std::fs::write(at("sshd_config"), text.replace("@BASE@", &base.to_string())).unwrap();
        let log = std::fs::File::create(at("log")).unwrap();
        let child = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(at("sshd_config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self {
            child,
            directory,
            port,
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{}",
                server.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.at("log")).unwrap_or_default()
    }

    pub(super) fn target(&self) -> Target {
        Target {
            host: "127.0.0.1".to_owned(),
            port: Some(self.port),
            user: Some("root".to_owned()),
            connect_timeout: Some(Duration::from_secs(10)),
            ..Target::default()
        }
    }

    pub(super) fn open(&self) -> Target {
        Target {
            host_key_checking: Some(HostKeyChecking::Off),
            ..self.target()
        }
    }

    pub(super) fn options(&self) -> Options {
        options(self.directory.path())
    }

    pub(super) fn know(&self, host: &str, kind: &str) {
        let key = std::fs::read_to_string(self.at(&format!("host_{kind}.pub"))).unwrap();
        let line = format!("[{host}]:{} {key}", self.port);
        std::fs::write(self.at(".ssh/known_hosts"), line).unwrap();
    }

    async fn connect(&self, target: Target, agent: &AgentFile) -> Result<Machine, TransportError> {
        Machine::connect(
            ConnectionKind::Ssh,
            target,
            &agent.binaries(),
            &self.options(),
        )
        .await
    }
}

pub(super) async fn echo(machine: &Machine) -> Result<String, TransportError> {
    let outcomes = machine
        .run(
            None,
            vec![call("echo", "msg", "there")],
            true,
            &NoBlobs,
            None,
        )
        .await?;
    Ok(text(&outcomes[0]).to_owned())
}

#[test]
fn installs_runs_and_starts_warm() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let agent = AgentFile::new("sshd");
    within(async {
        let machine = server.connect(server.open(), &agent).await.unwrap();
        assert_eq!(echo(&machine).await.unwrap(), "there");
        assert!(machine.counters().uploaded > 0);
        let output = machine
            .raw(None, "cat; echo no >&2; exit 7", b"yes", None)
            .await
            .unwrap();
        assert_eq!(
            (output.rc, &output.stdout[..], &output.stderr[..]),
            (7, &b"yes"[..], &b"no\n"[..])
        );
        let large: Vec<u8> = (0..2_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let blobs = std::collections::HashMap::from([(
            sha256(&large),
            BlobContent::Bytes(large.clone().into()),
        )]);
        let calls = vec![call("blob", "sha256", &sha256(&large))];
        let outcomes = machine.run(None, calls, true, &blobs, None).await.unwrap();
        assert_eq!(text(&outcomes[0]), "8000000");
        machine.close().await;
        let machine = server.connect(server.open(), &agent).await.unwrap();
        assert_eq!(echo(&machine).await.unwrap(), "there");
        assert_eq!(machine.counters().uploaded, 0);
        machine.reset().await;
        assert_eq!(echo(&machine).await.unwrap(), "there");
    });
}

#[test]
fn keys_of_every_kind_are_tried_on_one_connection() {
    let Some(server) = Sshd::start("MaxAuthTries 10") else {
        return;
    };
    let agent = AgentFile::new("keys");
    for (name, kind, phrase) in [
        ("a", "ed25519", ""),
        ("b", "rsa", ""),
        ("c", "ecdsa", ""),
        ("d", "ed25519", "open sesame"),
    ] {
        keygen(&server.at(name), kind, phrase);
    }
    std::fs::remove_file(server.at(".ssh/id_ed25519")).unwrap();
    within(async {
        for (accepted, offered) in [("a", "cba"), ("b", "ab"), ("c", "abc"), ("d", "ad")] {
            std::fs::copy(
                server.at(&format!("{accepted}.pub")),
                server.at("authorized_keys"),
            )
            .unwrap();
            let target = Target {
                private_keys: offered
                    .chars()
                    .map(|name| server.at(&name.to_string()))
                    .collect(),
                key_passphrase: Some(crate::value::Secret::new("open sesame".to_owned())),
                ..server.open()
            };
            let before = server.log().matches("Connection from").count();
            let machine = server.connect(target, &agent).await.unwrap();
            machine.close().await;
            assert!(server.log().matches("Connection from").count() - before <= 1);
        }
        // A passphrase is asked for once in a run.
        let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&asked);
        let ring = KeyRing::asking(Box::new(move |_| {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Some(crate::value::Secret::new("open sesame".to_owned()))
        }));
        let options = Options {
            keys: std::sync::Arc::new(ring),
            ..server.options()
        };
        for _ in 0..2 {
            let target = Target {
                private_keys: vec![server.at("d")],
                ..server.open()
            };
            Machine::connect(ConnectionKind::Ssh, target, &agent.binaries(), &options)
                .await
                .unwrap();
        }
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 1);
        let refused = server
            .connect(
                Target {
                    private_keys: vec![server.at("b"), server.at("d")],
                    ..server.open()
                },
                &agent,
            )
            .await;
        let error = refused.unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, TransportError::Auth { .. }), "{said}");
        assert!(
            said.contains("refused key")
                && said.contains("is encrypted")
                && said.contains("publickey"),
            "{said}"
        );
    });
}

#[test]
fn the_ssh_agent_holds_keys() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let socket = server.at("agent.sock");
    let started = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn();
    let Ok(mut ssh_agent) = started else {
        return skip("no ssh-agent");
    };
    let begun = Instant::now();
    while !socket.exists() && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(10));
    }
    keygen(&server.at("held"), "rsa", "");
    let added = Command::new("ssh-add")
        .arg(server.at("held"))
        .env("SSH_AUTH_SOCK", &socket)
        .stderr(Stdio::null())
        .status();
    assert!(added.unwrap().success());
    std::fs::copy(server.at("held.pub"), server.at("authorized_keys")).unwrap();
    std::fs::remove_file(server.at("held")).unwrap();
    let agent = AgentFile::new("ssh-agent");
    let options = Options {
        auth_sock: Some(socket),
        ..server.options()
    };
    let connected = within(Machine::connect(
        ConnectionKind::Ssh,
        server.open(),
        &agent.binaries(),
        &options,
    ));
    let _ = ssh_agent.kill();
    let _ = ssh_agent.wait();
    connected.unwrap();
}

#[test]
fn host_keys_are_judged() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let agent = AgentFile::new("hostkeys");
    within(async {
        let connect = |checking| {
            let target = Target {
                host_key_checking: checking,
                ..server.target()
            };
            server.connect(target, &agent)
        };
        let error = connect(None).await.unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, TransportError::HostKey { .. }), "{said}");
        assert!(
            said.contains("SHA256:")
                && said.contains("accept-new")
                && said.contains("ANSIBLE_HOST_KEY_CHECKING"),
            "{said}"
        );
        // Only the RSA key is known: it must be the one that is asked for.
        for kind in ["rsa", "ecdsa", "ed25519"] {
            server.know("127.0.0.1", kind);
            connect(Some(HostKeyChecking::Strict)).await.unwrap();
        }
        std::fs::remove_file(server.at(".ssh/known_hosts")).unwrap();
        connect(Some(HostKeyChecking::AcceptNew)).await.unwrap();
        let learned = std::fs::read_to_string(server.at(".ssh/known_hosts")).unwrap();
        assert!(
            learned.starts_with(&format!("[127.0.0.1]:{} ssh-ed25519 ", server.port)),
            "{learned}"
        );
        connect(Some(HostKeyChecking::Strict)).await.unwrap();
        let hashed = Command::new("ssh-keygen")
            .args(["-q", "-H", "-f"])
            .arg(server.at(".ssh/known_hosts"))
            .output();
        assert!(hashed.unwrap().status.success());
        connect(Some(HostKeyChecking::Strict)).await.unwrap();
        // Another machine's key.
        keygen(&server.at("other"), "ed25519", "");
        let other = std::fs::read_to_string(server.at("other.pub")).unwrap();
        std::fs::write(
            server.at(".ssh/known_hosts"),
            format!("# x\n[127.0.0.1]:{} {other}", server.port),
        )
        .unwrap();
        for checking in [HostKeyChecking::Strict, HostKeyChecking::AcceptNew] {
            let said = connect(Some(checking)).await.unwrap_err().to_string();
            assert!(
                said.contains("known_hosts:2") && said.contains("ssh-keygen -f"),
                "{said}"
            );
        }
        connect(Some(HostKeyChecking::Off)).await.unwrap();
        let key = std::fs::read_to_string(server.at("host_ed25519.pub")).unwrap();
        std::fs::write(server.at(".ssh/known_hosts"), format!("@revoked * {key}")).unwrap();
        let said = connect(Some(HostKeyChecking::AcceptNew))
            .await
            .unwrap_err()
            .to_string();
        assert!(said.contains("revoked"), "{said}");
    });
}

#[test]
fn host_certificates_are_judged() {
    let Some(server) =
        Sshd::start("HostKey @BASE@/host_ed25519\nHostCertificate @BASE@/host_ed25519-cert.pub")
    else {
        return;
    };
    // The server reads its certificate at its start: sign, then start another with the same files.
    keygen(&server.at("ca"), "ed25519", "");
    for (names, fits) in [("127.0.0.1", true), ("elsewhere", false)] {
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-s"])
            .arg(server.at("ca"))
            .args(["-I", "id-of-it", "-h", "-n", names, "-V", "-1d:+1d"])
            .arg(server.at("host_ed25519.pub"))
            .status();
        assert!(signed.unwrap().success());
        let port = free_port();
        let mut again = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-p", &port.to_string(), "-f"])
            .arg(server.at("sshd_config"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err()
            && begun.elapsed() < Duration::from_secs(10)
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        let ca = std::fs::read_to_string(server.at("ca.pub")).unwrap();
        std::fs::write(
            server.at(".ssh/known_hosts"),
            format!("@cert-authority [127.0.0.*]:* {ca}"),
        )
        .unwrap();
        let agent = AgentFile::new("certs");
        let target = Target {
            port: Some(port),
            ..server.target()
        };
        let result = within(server.connect(target, &agent));
        let _ = again.kill();
        let _ = again.wait();
        match result {
            Ok(_) => assert!(fits),
            Err(error) => assert!(!fits && error.to_string().contains("elsewhere"), "{error}"),
        }
    }
}

#[test]
fn bastions_resolve_the_name() {
    let (Some(bastion), Some(inner)) = (Sshd::start(""), Sshd::start("")) else {
        return;
    };
    let agent = AgentFile::new("jump");
    let key = std::fs::read(bastion.at(".ssh/id_ed25519.pub")).unwrap();
    std::fs::write(inner.at("authorized_keys"), key).unwrap();
    within(async {
        let config = format!(
            "Host bastion\n HostName 127.0.0.1\n Port {}\n User root\nHost app\n HostName localhost\n ProxyJump bastion\n",
            bastion.port
        );
        std::fs::write(bastion.at(".ssh/config"), config).unwrap();
        let target = Target {
            host: "app".to_owned(),
            ..inner.open()
        };
        let machine = bastion.connect(target, &agent).await.unwrap();
        assert_eq!(echo(&machine).await.unwrap(), "there");
        machine.close().await;
        assert!(
            bastion.log().contains("Accepted publickey")
                && inner.log().contains("Accepted publickey")
        );
        // A name that only the bastion could know: asked there, and refused there.
        let target = Target {
            host: "no-such-host.invalid".to_owned(),
            proxy_jump: vec![format!("root@127.0.0.1:{}", bastion.port)],
            ..inner.open()
        };
        let said = bastion
            .connect(target, &agent)
            .await
            .unwrap_err()
            .to_string();
        assert!(said.contains("the bastion cannot reach it"), "{said}");
    });
}

#[test]
fn what_does_not_answer_is_told_apart_in_bounded_time() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let agent = AgentFile::new("unreachable");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let (silent_port, other_port) = (
        silent.local_addr().unwrap().port(),
        other.local_addr().unwrap().port(),
    );
    std::thread::spawn(move || {
        if let Ok((mut stream, _)) = other.accept() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    within(async {
        let at = |host: &str, port: u16| Target {
            host: host.to_owned(),
            port: Some(port),
            connect_timeout: Some(Duration::from_secs(1)),
            ..server.open()
        };
        for (target, expected) in [
            (at("127.0.0.1", silent_port), "no login within 1 s"),
            (at("127.0.0.1", free_port()), "connection refused"),
            (at("no-such-host.invalid", 22), "cannot be resolved"),
            (at("127.0.0.1", other_port), ""),
        ] {
            let begun = Instant::now();
            let error = server.connect(target, &agent).await.unwrap_err();
            let said = error.to_string();
            assert!(
                matches!(error, TransportError::Unreachable { .. }) && said.contains(expected),
                "{said}"
            );
            assert!(begun.elapsed() < Duration::from_secs(8), "{said}");
        }
    });
}

#[test]
fn a_cut_connection_is_lost_and_made_anew() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let agent = AgentFile::new("cutssh");
    within(async {
        let machine = server.connect(server.open(), &agent).await.unwrap();
        machine.start(None).await.unwrap();
        let other = machine.clone();
        let waiting = tokio::spawn(async move {
            other
                .run(None, vec![call("wait", "", "")], true, &NoBlobs, None)
                .await
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        // The server's process for this session ends.
        let output = machine.raw(None, "kill -9 $PPID", b"", None).await;
        assert!(output.is_err());
        let error = tokio::time::timeout(Duration::from_secs(5), waiting)
            .await
            .unwrap()
            .unwrap()
            .unwrap_err();
        assert!(matches!(error, TransportError::Lost { .. }), "{error}");
        assert_eq!(echo(&machine).await.unwrap(), "there");
    });
}

#[test]
fn hanging_up_ends_what_runs_there() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let agent = AgentFile::new("hangup");
    within(async {
        let machine = server.connect(server.open(), &agent).await.unwrap();
        let pid = machine.start(None).await.unwrap().pid;
        machine.cancel().await;
        let gone = PathBuf::from(format!("/proc/{pid}"));
        let begun = Instant::now();
        while gone.exists() && begun.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(!gone.exists());
    });
}
