//! get_url and uri against a server in this process.

use crate::modules::{Registry, RunMode};
use crate::result::Outcome;
use crate::sys::{FakeRunner, Sys};
use crate::value::{Map, Value};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// A request as the server got it.
#[derive(Clone, Debug, Default)]
struct Got {
    line: String,
    headers: String,
    body: String,
}

/// A server that answers by path, and remembers what it was asked.
struct Server {
    port: u16,
    log: Arc<Mutex<Vec<Got>>>,
}

fn read_request(stream: &mut TcpStream) -> Option<Got> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        let n = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&buffer[..n]);
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let (line, headers) = head.split_once("\r\n")?;
    let headers = headers.to_lowercase();
    let length: usize = headers
        .lines()
        .find_map(|l| l.strip_prefix("content-length: "))
        .map_or(0, |n| n.trim().parse().unwrap_or(0));
    while bytes.len() < end + length {
        let n = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&buffer[..n]);
    }
    let body = String::from_utf8_lossy(&bytes[end..end + length]).into_owned();
    Some(Got {
        line: line.to_owned(),
        headers,
        body,
    })
}

fn answer(got: &Got) -> String {
    let path = got.line.split(' ').nth(1).unwrap_or_default();
    let send = |status: &str, headers: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
        )
    };
    match path {
        "/file" | "/dir/file%20name.txt" if got.headers.contains("if-modified-since: ") => {
            send("304 Not Modified", "", "")
        }
        "/file" => send("200 OK", "", "hello"),
        "/dir/file.txt?x=1" => send("200 OK", "", "hello"),
        "/named" => send(
            "200 OK",
            "Content-Disposition: attachment; filename=\"../n.txt\"\r\n",
            "named",
        ),
        "/SHA256SUMS" => send(
            "200 OK",
            "",
            "0000  other\n2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 *./file\n",
        ),
        "/json" => send(
            "201 Created",
            "Content-Type: application/vnd.x+json; charset=utf-8\r\nX-Some-Thing: a\r\nFailed: yes\r\nSet-Cookie: sid=1; Path=/\r\nSet-Cookie: b=2\r\n",
            "{\"a\": [1, \"{{ x }}\"]}",
        ),
        "/echo" => send("200 OK", "", &got.body),
        "/old" => send("302 Found", "Location: new?y\r\nSet-Cookie: seen=1\r\n", ""),
        "/new?y" => send("200 OK", "", &format!("{} {}", got.line, got.body)),
        "/loop" => send("301 Moved Permanently", "Location: /loop\r\n", ""),
        "/private" if got.headers.contains("authorization: basic bwu6cebzcw==") => {
            send("200 OK", "", "in")
        }
        "/private" => send(
            "401 Unauthorized",
            "WWW-Authenticate: Basic realm=\"x\"\r\n",
            "out",
        ),
        _ => send("404 Not Found", "", "nothing here"),
    }
}

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let ours = Arc::clone(&log);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                if let Some(got) = read_request(&mut stream) {
                    ours.lock().expect("alive").push(got.clone());
                    let _ = stream.write_all(answer(&got).as_bytes());
                }
            }
        });
        Self { port, log }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn asked(&self) -> Vec<Got> {
        std::mem::take(&mut self.log.lock().expect("alive"))
    }
}

struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        for path in ["tmp", "etc", "srv", "root"] {
            std::fs::create_dir(dir.path().join(path)).expect("made");
        }
        Self(dir)
    }

    fn run(&self, module: &str, args: &Map, check: bool) -> Outcome {
        let entry = Registry.find(module).expect("registered");
        let environment = [
            "http_proxy",
            "no_proxy",
            "https_proxy",
            "all_proxy",
            "ALL_PROXY",
        ];
        let environment = environment
            .map(|name| (name.to_owned(), String::new()))
            .to_vec();
        let home = ("HOME".to_owned(), "/root".to_owned());
        let mut sys = Sys::rooted(self.0.path(), Arc::new(FakeRunner::new()))
            .with_environment([environment, vec![home]].concat());
        let outcome = (entry.run)(
            args,
            &mut sys,
            RunMode {
                check,
                diff: true,
                replan: !check,
            },
        );
        assert_eq!(outcome.left_to_do, Vec::<String>::new());
        let left = std::fs::read_dir(self.path("/tmp")).expect("there").count();
        assert_eq!(left, 0, "nothing stays behind");
        outcome
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path.trim_start_matches('/'))
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).expect("readable")
    }
}

fn get(outcome: &Outcome, key: &str) -> serde_json::Value {
    outcome
        .data
        .get(key)
        .map_or(serde_json::Value::Null, Value::to_json)
}

const SHA1: &str = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";
const SHA256: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[test]
fn a_file_is_fetched_once() {
    let (server, world) = (Server::new(), World::new());
    let args = Map::new()
        .with("url", server.url("/file"))
        .with("dest", "/srv/f")
        .with("mode", "0640");
    let check = world.run("get_url", &args, true);
    assert!(check.changed && !world.path("/srv/f").exists());
    assert!(
        server.asked().is_empty(),
        "check mode fetches nothing where nothing is"
    );
    let outcome = world.run("get_url", &args, false);
    assert!(outcome.changed, "{outcome:?}");
    assert_eq!(check.diffs, outcome.diffs);
    assert_eq!(world.read("/srv/f"), "hello");
    assert_eq!(get(&outcome, "checksum_src"), SHA1);
    assert_eq!(get(&outcome, "checksum_dest"), serde_json::Value::Null);
    assert_eq!(get(&outcome, "status_code"), 200);
    assert_eq!(get(&outcome, "msg"), "OK (5 bytes)");
    assert_eq!(get(&outcome, "mode"), "0640");
    let outcome = world.run("get_url", &args, false);
    assert!(!outcome.changed);
    assert_eq!(get(&outcome, "status_code"), 304);
    let outcome = world.run("get_url", &args.clone().with("force", true), false);
    assert!(!outcome.changed, "the same content is no change");
    std::fs::write(world.path("/srv/f"), "other").expect("written");
    let forced = args.with("force", true).with("backup", true);
    let check = world.run("get_url", &forced, true);
    let outcome = world.run("get_url", &forced, false);
    assert!(outcome.changed && check.diffs == outcome.diffs);
    assert_eq!(world.read("/srv/f"), "hello");
    assert!(
        get(&outcome, "backup_file")
            .as_str()
            .is_some_and(|file| world.read(file) == "other")
    );
}

#[test]
fn checksums_decide_and_are_checked() {
    let (server, world) = (Server::new(), World::new());
    let args = Map::new()
        .with("url", server.url("/file"))
        .with("dest", "/srv/f");
    let wrong = args.clone().with("checksum", "sha1:0000");
    let outcome = world.run("get_url", &wrong, false);
    assert!(outcome.failed && outcome.message().expect("why").contains(SHA1));
    assert!(!world.path("/srv/f").exists());
    let list = args
        .clone()
        .with("checksum", format!("sha256:{}", server.url("/SHA256SUMS")));
    assert!(world.run("get_url", &list, false).changed);
    server.asked();
    let right = args.clone().with("checksum", format!("sha256:{SHA256}"));
    let outcome = world.run("get_url", &right, false);
    assert!(
        !outcome.changed && server.asked().is_empty(),
        "not fetched again"
    );
    assert_eq!(get(&outcome, "msg"), "file already exists");
    let outcome = world.run("get_url", &args.with("checksum", "crc:1"), false);
    assert!(outcome.message().expect("why").contains("crc"));
}

#[test]
fn a_directory_gets_the_name_of_the_url_or_the_server() {
    let (server, world) = (Server::new(), World::new());
    for (path, name) in [
        ("/dir/file.txt?x=1", "/srv/file.txt"),
        ("/named", "/srv/n.txt"),
    ] {
        let args = Map::new()
            .with("url", server.url(path))
            .with("dest", "/srv");
        let outcome = world.run("get_url", &args, false);
        assert!(outcome.changed, "{outcome:?}");
        assert_eq!(get(&outcome, "dest"), name);
        assert!(!world.run("get_url", &args, false).changed);
    }
}

#[test]
fn failures_say_what_happened() {
    let (server, world) = (Server::new(), World::new());
    let args = Map::new()
        .with("url", server.url("/gone"))
        .with("dest", "/srv/f");
    let outcome = world.run("get_url", &args, false);
    assert_eq!(get(&outcome, "status_code"), 404);
    assert_eq!(get(&outcome, "response"), "HTTP Error 404: Not Found");
    let nobody = args.clone().with("url", "http://127.0.0.1:1/");
    let outcome = world.run("get_url", &nobody, false);
    assert_eq!(
        outcome.message(),
        Some("Request failed: Connection refused")
    );
    let outcome = world.run("get_url", &args.clone().with("dest", "/no/where"), false);
    assert_eq!(outcome.message(), Some("Destination /no does not exist"));
    let ftp = args.clone().with("url", "ftp://127.0.0.1/x");
    assert!(
        world
            .run("get_url", &ftp, false)
            .message()
            .expect("why")
            .contains("FTP")
    );
    std::fs::write(world.path("/srv/local"), "here").expect("written");
    let local = args.with("url", "file:///srv/local");
    assert!(world.run("get_url", &local, false).changed);
    assert_eq!(world.read("/srv/f"), "here");
}

#[test]
fn passwords_are_sent_when_asked_for_or_at_once_or_from_netrc() {
    let (server, world) = (Server::new(), World::new());
    let args = Map::new()
        .with("url", server.url("/private"))
        .with("return_content", true);
    assert_eq!(get(&world.run("uri", &args, false), "status"), 401);
    server.asked();
    let login = args.clone().with("user", "me").with("password", "p@ss");
    assert_eq!(get(&world.run("uri", &login, false), "content"), "in");
    assert_eq!(server.asked().len(), 2);
    let forced = login.with("force_basic_auth", true);
    assert_eq!(get(&world.run("uri", &forced, false), "status"), 200);
    assert_eq!(server.asked().len(), 1);
    let in_url = server.url("/private").replace("127", "me:p%40ss@127");
    assert_eq!(
        get(
            &world.run("uri", &args.clone().with("url", in_url), false),
            "status"
        ),
        200
    );
    std::fs::write(
        world.path("/root/.netrc"),
        "machine 127.0.0.1 login me password p@ss\n",
    )
    .expect("written");
    assert_eq!(get(&world.run("uri", &args.clone(), false), "status"), 200);
    assert_eq!(
        get(
            &world.run("uri", &args.with("use_netrc", false), false),
            "status"
        ),
        401
    );
}

#[test]
fn answers_are_returned_as_ansible_names_them() {
    let (server, world) = (Server::new(), World::new());
    let args = Map::new()
        .with("url", server.url("/json"))
        .with("status_code", vec![200_i64, 201]);
    let outcome = world.run("uri", &args, false);
    assert!(!outcome.failed && !outcome.changed, "{outcome:?}");
    assert_eq!(
        get(&outcome, "json"),
        serde_json::json!({"a": [1, "{{ x }}"]})
    );
    assert!(
        outcome.data.get("json").expect("there").holds_data(),
        "never a template"
    );
    assert_eq!(get(&outcome, "x_some_thing"), "a");
    assert_eq!(
        get(&outcome, "failed"),
        serde_json::Value::Null,
        "a header does not fail the task"
    );
    assert_eq!(
        get(&outcome, "cookies"),
        serde_json::json!({"sid": "1", "b": "2"})
    );
    assert_eq!(get(&outcome, "cookies_string"), "sid=1; b=2");
    assert_eq!(get(&outcome, "content"), serde_json::Value::Null);
    assert_eq!(
        (get(&outcome, "status"), get(&outcome, "redirected")),
        (201.into(), false.into())
    );
    let outcome = world.run("uri", &Map::new().with("url", server.url("/nope")), false);
    let message = "Status code was 404 and not [200]: HTTP Error 404: Not Found";
    assert_eq!(outcome.message(), Some(message));
    assert_eq!(get(&outcome, "content"), "nothing here");
    let outcome = world.run("uri", &Map::new().with("url", "http://127.0.0.1:1/"), false);
    assert_eq!(get(&outcome, "status"), -1);
    assert!(
        world
            .run("uri", &Map::new().with("url", server.url("/json")), true)
            .skipped
    );
}

#[test]
fn bodies_are_written_as_asked() {
    let (server, world) = (Server::new(), World::new());
    let form = Map::new().with("a", "x y&").with("b", vec![1_i64, 2]);
    let file = Map::new()
        .with("filename", "/srv/up.txt")
        .with("mime_type", "text/css");
    std::fs::write(world.path("/srv/up.txt"), "FILE").expect("written");
    for (format, body, kind, expected) in [
        (
            "json",
            Value::map(Map::new().with("a", vec![true])),
            "application/json",
            "{\"a\":[true]}",
        ),
        ("json", Value::str("[1]"), "application/json", "[1]"),
        (
            "form-urlencoded",
            Value::map(form),
            "application/x-www-form-urlencoded",
            "a=x+y%26&b=1&b=2",
        ),
        (
            "raw",
            Value::str("plain"),
            "application/x-www-form-urlencoded",
            "plain",
        ),
        (
            "form-multipart",
            Value::map(Map::new().with("f", file)),
            "multipart/form-data; boundary=",
            "FILE",
        ),
    ] {
        let args = Map::new()
            .with("url", server.url("/echo"))
            .with("method", "POST")
            .with("body", body)
            .with("body_format", format)
            .with("return_content", true);
        let outcome = world.run("uri", &args, false);
        let content = get(&outcome, "content");
        let content = content.as_str().unwrap_or_default();
        let got = server.asked().pop().expect("asked");
        assert!(got.line.starts_with("POST"));
        assert!(
            got.headers.contains(&format!("content-type: {kind}")),
            "{got:?}"
        );
        assert!(!got.headers.contains("accept:"), "{got:?}");
        if format == "form-multipart" {
            assert!(content.contains(
                "name=\"f\"; filename=\"up.txt\"\r\nContent-Type: text/css\r\n\r\nFILE\r\n--"
            ));
        } else {
            assert_eq!(content, expected);
        }
    }
}

#[test]
fn redirects_are_followed_as_asked() {
    let (server, world) = (Server::new(), World::new());
    let args = Map::new()
        .with("url", server.url("/old"))
        .with("return_content", true);
    let outcome = world.run("uri", &args, false);
    assert_eq!(get(&outcome, "url"), server.url("/new?y"));
    assert_eq!(get(&outcome, "redirected"), true);
    let asked = server.asked();
    assert!(asked[1].headers.contains("cookie: seen=1"), "{asked:?}");
    let none = args.clone().with("follow_redirects", false);
    assert_eq!(get(&world.run("uri", &none, false), "status"), 302);
    let post = args.with("method", "POST").with("body", "x");
    let outcome = world.run("uri", &post, false);
    assert_eq!(get(&outcome, "status"), 302, "safe does not follow a POST");
    assert_eq!(get(&outcome, "location"), server.url("/new?y"));
    let outcome = world.run("uri", &post.with("follow_redirects", "all"), false);
    assert_eq!(get(&outcome, "content"), "GET /new?y HTTP/1.1 ");
    let endless = world.run("uri", &Map::new().with("url", server.url("/loop")), false);
    assert!(endless.message().expect("why").contains("redirects"));
}

#[test]
fn creates_removes_and_dest() {
    let (server, world) = (Server::new(), World::new());
    let args = Map::new()
        .with("url", server.url("/file"))
        .with("dest", "/srv/f")
        .with("mode", "0600");
    let outcome = world.run("uri", &args, false);
    assert!(outcome.changed, "{outcome:?}");
    assert_eq!(
        (get(&outcome, "path"), world.read("/srv/f").as_str()),
        ("/srv/f".into(), "hello")
    );
    assert!(!world.run("uri", &args, false).changed);
    server.asked();
    let outcome = world.run("uri", &args.clone().with("creates", "/srv/f"), false);
    assert_eq!(get(&outcome, "stdout"), "skipped, since '/srv/f' exists");
    let outcome = world.run("uri", &args.with("removes", "/srv/none"), false);
    assert_eq!(
        get(&outcome, "stdout"),
        "skipped, since '/srv/none' does not exist"
    );
    assert!(server.asked().is_empty());
}
