//! What a template file knows of itself.
//!
//! Source: Ansible's documentation, "ansible.builtin.template module".

use crate::value::{LocalAccount, Map, Value};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The variables `template_*` and `ansible_managed`: the file, what the playbook calls it, where its text goes (null if nowhere),
/// and what the setting `ansible_managed` says.
pub fn file_variables(path: &Path, name: &str, dest: Value, managed: &str) -> Map {
    let meta = std::fs::metadata(path).ok();
    let uid = meta.as_ref().map_or(0, MetadataExt::uid);
    let time = |seconds: i64| {
        jiff::Timestamp::from_second(seconds)
            .map(|t| {
                t.to_zoned(jiff::tz::TimeZone::system())
                    .strftime("%Y-%m-%d %H:%M:%S")
                    .to_string()
            })
            .unwrap_or_default()
    };
    let owner = LocalAccount::find(|account| account.uid == uid)
        .map_or_else(|| uid.to_string(), |account| account.name);
    let mtime = time(meta.as_ref().map_or(0, MetadataExt::mtime));
    let host = nix::unistd::gethostname()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let managed = by_name(managed);
    let mut vars = Map::new()
        .with("template_host", Value::data(host))
        .with("template_uid", Value::data(owner))
        .with("template_path", Value::data(name))
        .with("template_fullpath", Value::data(full.display().to_string()))
        .with("template_destpath", dest)
        .with("template_mtime", Value::data(mtime.clone()))
        .with(
            "template_run_date",
            Value::data(
                jiff::Zoned::now()
                    .strftime("%Y-%m-%d %H:%M:%S.%6f")
                    .to_string(),
            ),
        );
    let stamped = meta
        .and_then(|meta| jiff::Timestamp::from_second(meta.mtime()).ok())
        .map(|t| {
            let zoned = t.to_zoned(jiff::tz::TimeZone::system());
            // a format that jiff does not know stays as it is
            jiff::fmt::strtime::format(&managed, &zoned).unwrap_or(managed.clone())
        })
        .unwrap_or(managed);
    vars.set("ansible_managed", Value::str(stamped));
    vars
}

/// The setting with its `{host}`, `{uid}` and `{file}` as templates (what a file is called is neither a format of times
/// nor a template), and with single braces for double ones, as Python's `format` has it.
fn by_name(managed: &str) -> String {
    let fields = [
        ("{{", "{"),
        ("}}", "}"),
        ("{host}", "{{ template_host }}"),
        ("{uid}", "{{ template_uid }}"),
        ("{file}", "{{ template_path }}"),
    ];
    let mut out = String::new();
    let mut rest = managed;
    while let Some(first) = rest.chars().next() {
        let field = fields
            .iter()
            .find_map(|(field, with)| Some((rest.strip_prefix(field)?, with)));
        if let Some((after, with)) = field {
            out.push_str(with);
            rest = after;
        } else {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    out
}
