//! Broken inventories: each message says where, what, and if possible what was meant.

use super::from_text;

fn error(name: &str, text: &str) -> String {
    let problem = from_text(name, text).expect_err("the inventory is broken");
    let place = problem
        .span
        .as_ref()
        .map_or_else(|| "-".into(), |s| format!("{}:{}", s.line, s.column));
    let hint = problem
        .hint
        .map(|hint| format!(" ({hint})"))
        .unwrap_or_default();
    format!("{place} {}{hint}", problem.message)
}

#[test]
fn ini() {
    for (text, expected) in [
        (
            "[web]\nw1\n[site:children]\nwbe\n",
            "4:1 [site:children] includes `wbe`, which is not a group (did you mean `web`?)",
        ),
        (
            "[web]\nw1\n[wed:vars]\na=1\n",
            "3:2 [wed:vars] sets variables of `wed`, which is not a group (did you mean `web`?)",
        ),
        (
            "[web:var]\n",
            "1:6 `var` is not a kind of section: vars, children and hosts are (did you mean `vars`?)",
        ),
        (
            "[we b]\n",
            "1:1 `[we b]` is not a section (a section is [group], [group:vars] or [group:children], without spaces)",
        ),
        (
            "\n  h1 a=1 b\n",
            "2:10 expected name=value after the host `h1`, got `b` (a value with spaces needs quotes; each host has a line of its own)",
        ),
        ("h1 a='x\n", "1:1 No closing quotation in `h1 a='x`"),
        (
            "[g]\nh\n[g:vars]\nnothing\n",
            "4:1 expected name=value, got `nothing`",
        ),
        (
            "all:\n  hosts:\n",
            "1:1 the host `all:` must not end in `:` (the colon is for a port; a YAML inventory needs the extension .yml)",
        ),
        ("h[1:\n", "1:1 the bracket in `h[1:` is not closed"),
        (
            "h[c:a]\n",
            "1:1 the host range must begin before it ends, not `c:a`",
        ),
        (
            "[a]\n[b]\n[a:children]\nb\n[b:children]\na\n",
            "6:1 making group `a` a child of `b` closes a loop",
        ),
        (
            "[a:children]\nb c\n",
            "2:1 expected the name of a group, got `b c`",
        ),
        (
            "[a]\n[a:vars]\nansible_group_priority=high\n",
            "3:1 `ansible_group_priority` of group `a`: expected a whole number, got str 'high'",
        ),
        (
            "---\n",
            "1:1 `---` begins a YAML file, and this is read as INI (give the file the extension .yml)",
        ),
    ] {
        assert_eq!(error("hosts.ini", text), expected, "{text}");
    }
}

#[test]
fn yaml() {
    for (text, expected) in [
        (
            "all:\n  hosts:\n    - w1\n",
            "3:5 `hosts` of group `all` must be a mapping, this is a list (write each name as a key with a colon, without the dash: `web1:`)",
        ),
        (
            "all:\n  hosts:\n    10:\n",
            "3:5 Host pattern 10 must be a string, this is a number (put it in quotes)",
        ),
        (
            "all:\n  hosts:\n    h1: text\n",
            "3:9 the variables of host `h1` must be a mapping, this is a string",
        ),
        (
            "all:\n  children:\n    web: [h1]\n",
            "3:10 group `web` must be a mapping, this is a list",
        ),
        (
            "all:\n  children:\n    a:\n      children:\n        all:\n",
            "4:7 making group `a` a child of `all` closes a loop",
        ),
        (
            "- h1\n",
            "1:1 an inventory is a mapping of groups, this is a list",
        ),
        (
            "plugin: aws_ec2\n",
            "1:9 the inventory config specifies unknown plugin 'aws_ec2' (plugins are not run; write what it gives to a file once: ansible-inventory --list --yaml --output hosts.yml)",
        ),
    ] {
        assert_eq!(error("hosts.yml", text), expected, "{text}");
    }
}

#[test]
fn oddities_in_yaml_are_warnings() {
    let inventory = from_text(
        "hosts.yml",
        "all:\n  host:\n    h1:\n  hosts:\n    h2:\nodd: text\n",
    )
    .unwrap();
    let warnings: Vec<String> = inventory
        .warnings
        .iter()
        .map(|w| w.message.clone())
        .collect();
    assert_eq!(
        warnings,
        [
            "skipping the unknown key `host` of group `all`: a group has hosts, children and vars",
            "skipping `odd`: a group is a mapping, this is a string",
        ]
    );
    assert_eq!(
        inventory.warnings[0].hint.as_deref(),
        Some("did you mean `hosts`?")
    );
}
