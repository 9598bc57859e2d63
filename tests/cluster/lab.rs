//! A lab on loopback: etcd, an API server, containerd, each started for one test and stopped by its own handle.

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to come up: a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a run of a playbook did.
#[derive(Debug, Default)]
pub struct Run {
    /// Tasks that changed something, and that failed.
    pub changed: i64,
    pub failed: i64,
    /// Results in order, by the tasks' names.
    pub results: Vec<(String, Value)>,
    /// What was printed.
    pub text: String,
}

pub struct Lab {
    dir: tempfile::TempDir,
    servers: Vec<Child>,
    vars: serde_json::Map<String, Value>,
}

impl Drop for Lab {
    fn drop(&mut self) {
        for server in self.servers.iter_mut().rev() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn skipped(why: &str) {
    let is_required = std::env::var("RUNBOOK_REQUIRE_CLUSTER").is_ok_and(|value| value == "1");
    assert!(
        !is_required,
        "the servers are required (RUNBOOK_REQUIRE_CLUSTER=1), but: {why}"
    );
    // past the capture of the test harness
    let _ = writeln!(std::io::stderr(), "SKIPPED (loud): {why}");
}

fn program(name: &str) -> Option<PathBuf> {
    let own = std::env::var_os("RUNBOOK_KUBERNETES").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    own.into_iter()
        .chain(std::env::split_paths(&path))
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

fn needed(names: &[&str]) -> bool {
    for name in names {
        if program(name).is_none() {
            skipped(&format!(
                "there is no `{name}` on the path nor in $RUNBOOK_KUBERNETES"
            ));
            return false;
        }
    }
    true
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its number").port()
}

fn runbook() -> PathBuf {
    std::env::var_os("RUNBOOK_BIN")
        .map_or_else(|| env!("CARGO_BIN_EXE_runbook").into(), PathBuf::from)
}

impl Lab {
    /// A directory with the playbooks, and nothing that runs.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/playbooks");
        for entry in fs::read_dir(source).expect("playbooks") {
            let path = entry.expect("a playbook").path();
            let name = path.file_name().expect("a name");
            fs::copy(&path, dir.path().join(name)).expect("copied");
        }
        let mut lab = Self {
            dir,
            servers: Vec::new(),
            vars: serde_json::Map::new(),
        };
        lab.set(
            "lab",
            lab.path("").to_string_lossy().trim_end_matches('/').into(),
        );
        lab
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn set(&mut self, name: &str, value: Value) {
        self.vars.insert(name.to_owned(), value);
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    fn start(&mut self, name: &str, arguments: &[String]) {
        let log = fs::File::create(self.path(&format!("{name}.log"))).expect("a log");
        let child = Command::new(program(name).expect("looked for before"))
            .args(arguments)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        self.servers.push(child);
    }

    fn wait_until(&mut self, what: &str, mut ready: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !ready(self) {
            if begun.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.path(&format!("{what}.log"))).unwrap_or_default();
                let from = log.len().saturating_sub(3000);
                panic!(
                    "{what} did not come up:\n{}",
                    log.get(from..).unwrap_or_default()
                );
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// An etcd with TLS, that asks for certificates.
    pub fn etcd() -> Option<Self> {
        if !needed(&["etcd"]) {
            return None;
        }
        let mut lab = Self::new();
        let (client, peer) = (free_port(), free_port());
        lab.set("etcd_url", format!("https://127.0.0.1:{client}").into());
        lab.set("peer_url", format!("http://127.0.0.1:{peer}").into());
        lab.set(
            "api_url",
            format!("https://127.0.0.1:{}", free_port()).into(),
        );
        lab.set("containerd", "".into());
        let made = lab.play("pki.yml", &[]);
        assert_eq!(made.failed, 0, "{}", made.text);
        let etcd_url = format!("https://127.0.0.1:{client}");
        let peer_url = format!("http://127.0.0.1:{peer}");
        let pki = |name: &str| lab.text(&format!("pki/{name}"));
        let arguments = [
            "--name",
            "etcd-1",
            "--data-dir",
            &lab.text("etcd-data"),
            "--client-cert-auth",
            "--listen-client-urls",
            &etcd_url,
            "--advertise-client-urls",
            &etcd_url,
            "--listen-peer-urls",
            &peer_url,
            "--initial-advertise-peer-urls",
            &peer_url,
            "--initial-cluster",
            &format!("etcd-1={peer_url}"),
            "--cert-file",
            &pki("etcd.crt"),
            "--key-file",
            &pki("etcd.key"),
            "--trusted-ca-file",
            &pki("etcd-ca.crt"),
        ]
        .map(str::to_owned);
        lab.start("etcd", &arguments);
        lab.wait_until("etcd", |lab| lab.play("etcd-up.yml", &[]).failed == 0);
        Some(lab)
    }

    /// The same with an API server.
    pub fn kubernetes() -> Option<Self> {
        if !needed(&["etcd", "kube-apiserver", "openssl"]) {
            return None;
        }
        let mut lab = Self::etcd()?;
        let var = |lab: &Self, name: &str| {
            lab.vars
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let port = var(&lab, "api_url")
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .to_owned();
        let pki = |name: &str| lab.text(&format!("pki/{name}"));
        let arguments = [
            ("etcd-servers", var(&lab, "etcd_url")),
            ("etcd-cafile", pki("etcd-ca.crt")),
            ("etcd-certfile", pki("root.crt")),
            ("etcd-keyfile", pki("root.key")),
            ("bind-address", "127.0.0.1".to_owned()),
            ("secure-port", port),
            ("tls-cert-file", pki("apiserver.crt")),
            ("tls-private-key-file", pki("apiserver.key")),
            ("client-ca-file", pki("kube-ca.crt")),
            ("token-auth-file", lab.text("tokens.csv")),
            ("authorization-mode", "RBAC".to_owned()),
            (
                "service-account-issuer",
                "https://kubernetes.default.svc".to_owned(),
            ),
            ("service-account-key-file", pki("apiserver.crt")),
            ("service-account-signing-key-file", pki("apiserver.key")),
            ("service-cluster-ip-range", "10.96.0.0/16".to_owned()),
            ("disable-admission-plugins", "ServiceAccount".to_owned()),
            ("cert-dir", lab.text("certs")),
        ]
        .map(|(name, value)| format!("--{name}={value}"));
        fs::write(
            lab.path("tokens.csv"),
            "s3cret-token,admin,1,\"system:masters\"\n",
        )
        .expect("tokens");
        lab.start("kube-apiserver", &arguments);
        lab.wait_until("kube-apiserver", |lab| {
            lab.play("api-up.yml", &[]).failed == 0
        });
        Some(lab)
    }

    /// A containerd with nothing in it.
    pub fn containerd() -> Option<Self> {
        if !needed(&["containerd", "ctr"]) {
            return None;
        }
        if !nix::unistd::geteuid().is_root() {
            skipped("containerd needs root");
            return None;
        }
        let mut lab = Self::new();
        let socket = lab.text("containerd.sock");
        lab.set("containerd", socket.as_str().into());
        let config = format!(
            "version = 2\nroot = \"{}\"\nstate = \"{}\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [grpc]\naddress = \"{socket}\"\n",
            lab.text("root"),
            lab.text("state"),
        );
        fs::write(lab.path("containerd.toml"), config).expect("written");
        lab.pack("tiny.tar", "registry.lab/tiny:1", "content");
        lab.pack("second.tar", "tiny-two", "second");
        let mut squeezed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        squeezed
            .write_all(&fs::read(lab.path("second.tar")).expect("packed"))
            .expect("squeezed");
        fs::write(
            lab.path("second.tar.gz"),
            squeezed.finish().expect("squeezed"),
        )
        .expect("written");
        let arguments = ["--config".to_owned(), lab.text("containerd.toml")];
        lab.start("containerd", &arguments);
        lab.wait_until("containerd", |lab| {
            let version = Command::new("ctr")
                .args(["--address", &lab.text("containerd.sock"), "version"])
                .output();
            version.is_ok_and(|output| output.status.success())
        });
        Some(lab)
    }

    /// Writes an archive with one image of one file, as `docker save` would.
    pub fn pack(&self, file: &str, name: &str, content: &str) {
        use sha2::Digest;
        let tar = |files: &[(&str, &[u8])]| {
            let mut builder = tar::Builder::new(Vec::new());
            for (path, bytes) in files {
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                builder
                    .append_data(&mut header, path, *bytes)
                    .expect("packed");
            }
            builder.into_inner().expect("packed")
        };
        let layer = tar(&[("file", content.as_bytes())]);
        let diff: String = sha2::Sha256::digest(&layer)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let config = serde_json::json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{diff}")]},
        });
        let manifest = serde_json::json!([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]);
        let archive = tar(&[
            ("manifest.json", manifest.to_string().as_bytes()),
            ("config.json", config.to_string().as_bytes()),
            ("layer.tar", &layer),
        ]);
        fs::write(self.path(file), archive).expect("written");
    }

    /// Runs a playbook for this machine with the lab's variables.
    pub fn play(&self, playbook: &str, extra: &[&str]) -> Run {
        let here = ["-i", "localhost,", "-e", "ansible_connection=local"];
        self.run(playbook, &[&here, extra].concat())
    }

    /// Runs a playbook with these arguments.
    pub fn run(&self, playbook: &str, extra: &[&str]) -> Run {
        let vars = Value::Object(self.vars.clone()).to_string();
        let roles = Path::new(env!("CARGO_MANIFEST_DIR")).join("roles");
        let output = Command::new(runbook())
            .args(["play", playbook, "-e", &vars])
            .args(extra)
            .args(["--output", "json"])
            .current_dir(self.dir.path())
            .env("HOME", self.dir.path())
            .env("ANSIBLE_ROLES_PATH", roles)
            .env_remove("KUBECONFIG")
            .output()
            .expect("runbook runs");
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut run = Run {
            failed: 1,
            ..Run::default()
        };
        for line in lines.lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_default();
            match event.get("event").and_then(Value::as_str) {
                Some("task_done") => {
                    let name = event["task"]["name"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned();
                    let mut result = event["outcome"]["data"].clone();
                    if let Some(members) = result.as_object_mut() {
                        members.insert("changed".to_owned(), event["outcome"]["changed"].clone());
                    }
                    run.results.push((name, result));
                }
                Some("recap") => {
                    let stats = event["stats"].as_object().cloned().unwrap_or_default();
                    let sum =
                        |name: &str| stats.values().filter_map(|one| one[name].as_i64()).sum();
                    run.changed = sum("changed");
                    run.failed = if stats.is_empty() { 1 } else { sum("failed") };
                }
                _ => {}
            }
        }
        run.text = lines + &String::from_utf8_lossy(&output.stderr);
        run
    }

    /// What kubectl says; `None` if there is no kubectl.
    pub fn kubectl(&self, arguments: &[&str]) -> Option<String> {
        self.kubectl_with("pki/admin.conf", arguments)
    }

    pub fn kubectl_with(&self, config: &str, arguments: &[&str]) -> Option<String> {
        let output = Command::new(program("kubectl")?)
            .arg("--kubeconfig")
            .arg(self.path(config))
            .args(arguments)
            .env("HOME", self.dir.path())
            .output()
            .expect("kubectl runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
