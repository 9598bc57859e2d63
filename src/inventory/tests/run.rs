//! What a run asks of an inventory, and sources that are not single files.

use super::{fixtures, from_text, names};
use crate::inventory::{HostOrder, Inventory, LoadOptions, SourceSpec, Unparsed, load};
use crate::value::{Map, Value};
use std::path::Path;

fn listed(hosts: &str) -> Inventory {
    load(&[SourceSpec::List(hosts.into())], &LoadOptions::default()).unwrap()
}

/// Each `<inventory>.patterns` has lines `pattern => hosts`.
#[test]
fn patterns_select_what_the_reference_selects() {
    let mut files = 0;
    for entry in std::fs::read_dir(fixtures()).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|e| e != "patterns") {
            continue;
        }
        files += 1;
        let source = SourceSpec::Path(path.with_extension(""));
        let inventory = load(&[source], &LoadOptions::default()).unwrap();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let (pattern, expected) = line.split_once(" =>").unwrap();
            let hosts = inventory
                .select(pattern)
                .map(|s| s.hosts)
                .unwrap_or_default();
            assert_eq!(names(&hosts).join(" "), expected.trim(), "{pattern}");
        }
    }
    assert!(files > 0);
}

#[test]
fn host_lists() {
    let inventory = listed("h1,h2:2222, ::1 ,[fe80::1]:22,h1,");
    let hosts: Vec<_> = inventory
        .hosts
        .values()
        .map(|h| (&*h.name, h.port))
        .collect();
    assert_eq!(
        hosts,
        [
            ("h1", None),
            ("h2", Some(2222)),
            ("::1", None),
            ("fe80::1", Some(22))
        ]
    );
    assert_eq!(inventory.group_names("h1").len(), 1);
}

#[test]
fn localhost_is_implicit_unless_the_inventory_has_it() {
    let inventory = listed("h1,");
    let selection = inventory.select("localhost").unwrap();
    assert_eq!(names(&selection.hosts), ["localhost"]);
    assert!(inventory.host("localhost").unwrap().implicit);
    assert_eq!(names(&inventory.select("all").unwrap().hosts), ["h1"]);
    assert!(inventory.groups_of("localhost").is_empty());

    let inventory = listed("127.0.0.1,h1");
    assert_eq!(
        names(&inventory.select("localhost").unwrap().hosts),
        ["127.0.0.1"]
    );
    assert!(!inventory.host("localhost").unwrap().implicit);
}

#[test]
fn what_matches_nothing_is_a_warning_with_a_hint() {
    let inventory = listed("web1,web2");
    let selection = inventory.select("wbe1:web2").unwrap();
    assert_eq!(names(&selection.hosts), ["web2"]);
    assert_eq!(selection.warnings.len(), 1);
    assert_eq!(
        selection.warnings[0].message,
        "Could not match supplied host pattern, ignoring: wbe1"
    );
    assert_eq!(
        selection.warnings[0].hint.as_deref(),
        Some("did you mean `web1`?")
    );
    assert!(listed("").select("all").unwrap().warnings.is_empty());
    assert!(inventory.select("~(").is_err());
    assert!(inventory.select("all[7]").is_err());
}

#[test]
fn limits() {
    let inventory = listed("a,b,c,d");
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("retry"), "c\n\nb\n").unwrap();
    let limit = |text: &str| inventory.limit(text, directory.path()).unwrap();
    let all = inventory.select("d:c:b").unwrap();
    assert_eq!(
        names(&all.clone().limited_to(&limit("@retry")).hosts),
        ["c", "b"]
    );
    assert_eq!(
        names(&all.clone().limited_to(&limit("@retry:d:!c")).hosts),
        ["d", "b"]
    );
    assert_eq!(names(&all.limited_to(&limit("a")).hosts), [""; 0]);
    assert!(inventory.limit("@missing", directory.path()).is_err());
}

#[test]
fn hosts_and_groups_added_during_a_run() {
    let mut inventory = listed("a,");
    let vars = Map::new().with("x", 1);
    assert!(inventory.add_host("b", &["new", "other"], &vars).unwrap());
    assert!(!inventory.add_host("b", &["new"], &vars).unwrap());
    assert!(
        inventory
            .add_host("b", &[], &Map::new().with("x", 2))
            .unwrap()
    );
    assert_eq!(
        inventory.host("b").unwrap().vars.get("x"),
        Some(&Value::Int(2))
    );
    assert_eq!(names(&inventory.group_names("b")), ["new", "other"]);
    assert!(inventory.group_by("os_debian", "a", &["os"]).unwrap());
    assert!(!inventory.group_by("os_debian", "a", &["os"]).unwrap());
    assert_eq!(names(&inventory.select("os").unwrap().hosts), ["a"]);
    assert_eq!(names(&inventory.group_names("a")), ["os", "os_debian"]);
    assert!(inventory.group_by("x", "nosuch", &[]).is_err());
    assert!(inventory.add_host("", &[], &Map::new()).is_err());
    assert_eq!(names(&inventory.hosts_of_group("ungrouped")), [""; 0]);
}

#[test]
fn bare_names_are_looked_up_in_inventories() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    std::fs::create_dir_all(root.join("inventories/prod")).unwrap();
    std::fs::write(root.join("inventories/prod/hosts.ini"), "p1\n").unwrap();
    std::fs::write(root.join("inventories/lab.yml"), "{}").unwrap();
    assert_eq!(
        SourceSpec::parse("prod", root),
        SourceSpec::Path(root.join("inventories/prod"))
    );
    assert_eq!(
        SourceSpec::parse("lab", root),
        SourceSpec::Path(root.join("inventories/lab.yml"))
    );
    assert_eq!(
        SourceSpec::parse("a,b", root),
        SourceSpec::List("a,b".into())
    );
    assert_eq!(
        SourceSpec::parse("nosuch", root),
        SourceSpec::Path(root.join("nosuch"))
    );
    let inventory = load(&[SourceSpec::parse("prod", root)], &LoadOptions::default()).unwrap();
    assert_eq!(inventory.hosts.len(), 1);
    let problem = load(&[SourceSpec::parse("prd", root)], &LoadOptions::default()).unwrap_err();
    assert_eq!(problem.hint.as_deref(), Some("did you mean `prod`?"));
}

#[test]
fn later_sources_add_to_earlier_ones_and_bad_ones_can_be_tolerated() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| SourceSpec::Path(directory.path().join(name));
    std::fs::write(directory.path().join("a.ini"), "h a=1 b=1\n").unwrap();
    std::fs::write(directory.path().join("b.ini"), "h b=2\n[g]\nh\n").unwrap();
    std::fs::write(directory.path().join("bad.ini"), "half\n[x:vars]\na=1\n").unwrap();
    let inventory = load(&[path("a.ini"), path("b.ini")], &LoadOptions::default()).unwrap();
    let host = inventory.host("h").unwrap();
    assert_eq!(host.vars, Map::new().with("a", 1).with("b", 2));
    assert_eq!(names(&inventory.group_names("h")), ["g"]);
    assert!(load(&[path("bad.ini")], &LoadOptions::default()).is_err());
    let tolerant = LoadOptions {
        unparsed: Unparsed::Warns,
        ..LoadOptions::default()
    };
    let inventory = load(&[path("bad.ini"), path("a.ini"), path("none")], &tolerant).unwrap();
    assert_eq!(inventory.hosts.len(), 1);
    assert_eq!(inventory.warnings.len(), 3);
}

#[test]
fn a_directory_with_nothing_in_it_is_an_error_where_every_source_must_be_read() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("hosts"), "h a=1\n").unwrap();
    std::fs::create_dir(directory.path().join("empty")).unwrap();
    let sources = [SourceSpec::Path(directory.path().to_owned())];
    for (unparsed, warnings) in [(Unparsed::FileFails, 0), (Unparsed::Warns, 1)] {
        let options = LoadOptions {
            unparsed,
            ..LoadOptions::default()
        };
        let inventory = load(&sources, &options).unwrap();
        assert_eq!(inventory.warnings.len(), warnings);
    }
    let strict = LoadOptions {
        unparsed: Unparsed::Fails,
        ..LoadOptions::default()
    };
    let problem = load(&sources, &strict).unwrap_err();
    assert!(problem.message.ends_with("/empty"), "{}", problem.message);
}

#[test]
fn a_script_that_fails_says_what_it_said() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("inv");
    std::fs::write(&path, "#!/bin/sh\necho no cloud today >&2\nexit 3\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let problem = load(&[SourceSpec::Path(path)], &LoadOptions::default()).unwrap_err();
    assert!(
        problem.message.contains("exit status: 3"),
        "{}",
        problem.message
    );
    assert_eq!(problem.notes, ["no cloud today"]);
}

#[test]
fn a_plain_file_may_have_the_executable_bit() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hosts");
    std::fs::write(&path, "[g]\nh1\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let inventory = load(&[SourceSpec::Path(path)], &LoadOptions::default()).unwrap();
    assert_eq!(inventory.hosts.len(), 1);
}

#[test]
fn orders_of_hosts() {
    let mut hosts = listed("b,c,a").select("all").unwrap().hosts;
    HostOrder::ReverseInventory.arrange(&mut hosts);
    assert_eq!(names(&hosts), ["a", "c", "b"]);
    HostOrder::ReverseSorted.arrange(&mut hosts);
    assert_eq!(names(&hosts), ["c", "b", "a"]);
    HostOrder::Sorted.arrange(&mut hosts);
    assert_eq!(names(&hosts), ["a", "b", "c"]);
}

#[test]
fn short_names_and_places() {
    let inventory = from_text("hosts.ini", "web.example.com\n10.0.0.1\n2001:db8::1\n").unwrap();
    let short: Vec<_> = inventory
        .hosts
        .values()
        .map(|h| h.short_name().to_owned())
        .collect();
    assert_eq!(short, ["web", "10.0.0.1", "2001:db8::1"]);
    let host = inventory.host("web.example.com").unwrap();
    assert_eq!(
        host.dir().as_deref(),
        host.file.as_deref().and_then(Path::parent)
    );
}
