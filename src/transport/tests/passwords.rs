//! Logins with passwords, against a server in this process: no account of the machine is needed.

use super::*;
use crate::value::Secret;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{self, Auth, Handler, Response};
use russh::{MethodKind, MethodSet};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// Takes `secret` by the methods that it is given.
struct Door {
    methods: Vec<MethodKind>,
    asked: bool,
}

impl Door {
    fn no(&self) -> Auth {
        Auth::Reject {
            proceed_with_methods: Some(MethodSet::from(&self.methods[..])),
            partial_success: false,
        }
    }
}

impl Handler for Door {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, russh::Error> {
        Ok(self.no())
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        let fits = user == "deploy" && password == "secret";
        let fits = fits && self.methods.contains(&MethodKind::Password);
        Ok(if fits { Auth::Accept } else { self.no() })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        if !self.methods.contains(&MethodKind::KeyboardInteractive) {
            return Ok(self.no());
        }
        if !self.asked {
            self.asked = true;
            return Ok(Auth::Partial {
                name: Cow::Borrowed(""),
                instructions: Cow::Borrowed("say it"),
                prompts: Cow::Owned(vec![(Cow::Borrowed("Password: "), false)]),
            });
        }
        let mut answers = response.into_iter().flatten();
        let fits = answers
            .next()
            .is_some_and(|answer| &answer[..] == b"secret");
        Ok(if fits { Auth::Accept } else { self.no() })
    }
}

/// A port where every connection finds such a door.
async fn serve(methods: &[MethodKind]) -> u16 {
    let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap();
    let config = Arc::new(server::Config {
        keys: vec![key],
        auth_rejection_time: Duration::from_millis(1),
        ..server::Config::default()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let methods = methods.to_vec();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let door = Door {
                methods: methods.clone(),
                asked: false,
            };
            let config = Arc::clone(&config);
            tokio::spawn(async move {
                if let Ok(session) = server::run_stream(config, stream, door).await {
                    let _ = session.await;
                }
            });
        }
    });
    port
}

#[test]
fn passwords_are_tried_after_keys_and_answer_questions() {
    let home = tempfile::tempdir().unwrap();
    let agent = AgentFile::new("passwords");
    within(async {
        use MethodKind::{KeyboardInteractive, Password, PublicKey};
        let key = home.path().join("key");
        let made = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519);
        let text = made
            .unwrap()
            .to_openssh(russh::keys::ssh_key::LineEnding::default())
            .unwrap();
        std::fs::write(&key, text.as_bytes()).unwrap();
        for (methods, password, args, expected) in [
            (&[Password, PublicKey][..], Some("secret"), "", ""),
            (
                &[KeyboardInteractive, PublicKey][..],
                Some("secret"),
                "",
                "",
            ),
            (&[Password][..], Some("wrong"), "", "refused key"),
            (
                &[KeyboardInteractive][..],
                Some("wrong"),
                "",
                "keyboard-interactive",
            ),
            (&[Password][..], None, "", "--ask-pass"),
            (
                &[Password][..],
                Some("secret"),
                "-o PasswordAuthentication=no",
                "it takes password",
            ),
        ] {
            let target = Target {
                host: "127.0.0.1".to_owned(),
                port: Some(serve(methods).await),
                user: Some("deploy".to_owned()),
                password: password.map(|text| Secret::new(text.to_owned())),
                private_keys: vec![key.clone()],
                host_key_checking: Some(HostKeyChecking::Off),
                ssh_args: args.to_owned(),
                ..Target::default()
            };
            let connected = Machine::connect(
                ConnectionKind::Ssh,
                target,
                &agent.binaries(),
                &options(home.path()),
            )
            .await;
            match connected {
                Ok(_) => assert_eq!(expected, ""),
                Err(error) => {
                    let said = error.to_string();
                    assert!(matches!(error, TransportError::Auth { .. }), "{said}");
                    assert!(!expected.is_empty() && said.contains(expected), "{said}");
                    assert!(!said.contains("wrong"), "{said}");
                }
            }
        }
    });
}
