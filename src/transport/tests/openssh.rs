//! The system's `ssh` against a real sshd on loopback.

use super::sshd::{Sshd, echo, keygen};
use super::*;

#[test]
fn the_systems_ssh_does_the_same() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let agent = AgentFile::new("openssh");
    within(async {
        server.know("127.0.0.1", "ed25519");
        let target = Target {
            ssh_config: Some("none".into()),
            private_keys: vec![server.at(".ssh/id_ed25519")],
            known_hosts: vec![server.at(".ssh/known_hosts")],
            ssh_args:
                "-C -o ControlMaster=auto -o ControlPersist=60s -o ControlPath=/nonexistent/x"
                    .to_owned(),
            ..server.target()
        };
        let connect = |target: Target| {
            let binaries = agent.binaries();
            let options = server.options();
            async move { Machine::connect(ConnectionKind::OpenSsh, target, &binaries, &options).await }
        };
        let machine = connect(target.clone()).await.unwrap();
        assert_eq!(echo(&machine).await.unwrap(), "there");
        assert_eq!(machine.raw(None, "exit 4", b"", None).await.unwrap().rc, 4);
        machine.close().await;
        // A passphrase goes through the private pipe.
        keygen(&server.at("locked"), "ed25519", "open sesame");
        std::fs::copy(server.at("locked.pub"), server.at("authorized_keys")).unwrap();
        let locked = Target {
            private_keys: vec![server.at("locked")],
            key_passphrase: Some(crate::value::Secret::new("open sesame".to_owned())),
            ..target.clone()
        };
        connect(locked).await.unwrap().close().await;
        let error = connect(target.clone()).await.unwrap_err();
        assert!(matches!(error, TransportError::Auth { .. }), "{error}");
        let unknown = Target {
            known_hosts: vec![server.at("none")],
            ..target
        };
        let error = connect(unknown).await.unwrap_err();
        assert!(matches!(error, TransportError::HostKey { .. }), "{error}");
    });
}
