//! The `Vagrantfile` and the inventories beside it: Ruby can read it, and it makes the machines that they name, at their addresses.

use super::root;
use std::collections::BTreeMap;
use std::process::Command;

/// Takes the place of Vagrant: prints each machine with the address that it would get.
const STAND_IN: &str = "
class Config
  def initialize(name = nil) = @name = name
  def vm = self
  def define(name) = yield(Config.new(name))
  def provider(_name) = yield(Struct.new(:memory, :cpus).new)
  def network(kind, ip:) = puts(\"#{@name} #{ip} #{@hostname} #{kind}\")
  def hostname=(name)
    @hostname = name
  end
  def box=(name)
    raise 'no box' if name.empty?
  end
  def synced_folder(*_arguments, disabled:) = disabled || raise('a folder')
end
module Vagrant
  def self.configure(version) = version == '2' ? yield(Config.new) : raise(version)
end
load ARGV.fetch(0)
";

/// The machines by their names, with such numbers of them; nothing, loudly, without Ruby.
fn machines(counts: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    let file = root().join("inventories/vagrant/Vagrantfile");
    let mut ruby = Command::new("ruby");
    ruby.args(["-w", "-e", STAND_IN]).arg(&file);
    for name in ["ETCD", "MASTERS", "WORKERS", "BALANCERS", "VM_NETWORK"] {
        ruby.env_remove(name);
    }
    let Ok(output) = ruby.envs(counts.iter().copied()).output() else {
        let required = std::env::var("RUNBOOK_REQUIRE_HOSTS").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "ruby is missing, and RUNBOOK_REQUIRE_HOSTS is set"
        );
        eprintln!("SKIPPED (loud): without ruby nothing can read the Vagrantfile");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let machine = |line: &str| match line.split(' ').collect::<Vec<_>>().as_slice() {
        [name, address, hostname, "private_network"] if name == hostname => {
            ((*name).to_owned(), (*address).to_owned())
        }
        _ => panic!("{line}"),
    };
    Some(lines.lines().map(machine).collect())
}

/// The hosts of an inventory by their names, each with its address.
fn hosts(file: &str) -> BTreeMap<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_runbook"))
        .args(["inventory", "--list", "-i"])
        .arg(root().join("inventories/vagrant").join(file))
        .output()
        .expect("runbook");
    let all: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let vars = all["_meta"]["hostvars"].as_object().expect("hosts").iter();
    vars.map(|(name, vars)| {
        assert_eq!(vars["ansible_host"], vars["node_ip"], "{name} of {file}");
        let address = vars["ansible_host"].as_str().unwrap_or_default();
        (name.clone(), address.to_owned())
    })
    .collect()
}

#[test]
fn the_machines_of_vagrant_are_the_hosts_of_its_inventories() {
    let Some(machines) = machines(&[]) else {
        return;
    };
    assert!(!machines.is_empty());
    assert_eq!(machines, hosts("hosts.yml"));
    assert_eq!(machines, hosts("vagrant.ini"));
}

#[test]
fn more_machines_have_addresses_of_their_own() {
    let counts = [
        ("ETCD", "3"),
        ("MASTERS", "3"),
        ("WORKERS", "9"),
        ("BALANCERS", "2"),
    ];
    let Some(many) = machines(&counts) else {
        return;
    };
    assert_eq!(many.len(), 17);
    let addresses: std::collections::BTreeSet<_> = many.values().collect();
    assert_eq!(addresses.len(), 17, "{many:?}");
    for (name, address) in hosts("hosts.yml") {
        assert_eq!(many.get(&name), Some(&address), "it moved");
    }
}
