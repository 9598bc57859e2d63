//! Which resources are machines, and how they are reached. `docs/inventory.md` has the same table.

use super::super::Inventory;
use super::super::compose::group_name;
use super::some;
use super::state::{Resource, harmless};
use crate::diag::Diagnostic;
use crate::value::{Map, Value, str_of};
use std::path::Path;
use std::sync::Arc;

/// A kind of machine: where its name and its addresses are. A dot goes into a block or a list's first item.
pub(super) struct Kind {
    resource: &'static str,
    name: &'static [&'static str],
    address: &'static [&'static str],
    labels: &'static str,
}

const fn kind(
    resource: &'static str,
    name: &'static [&'static str],
    address: &'static [&'static str],
    labels: &'static str,
) -> Kind {
    Kind {
        resource,
        name,
        address,
        labels,
    }
}

/// All kinds that are known.
pub(super) const KINDS: &[Kind] = &[
    kind(
        "aws_instance",
        &["tags.Name"],
        &["public_ip", "private_ip", "public_dns", "private_dns"],
        "tags",
    ),
    kind(
        "aws_spot_instance_request",
        &["tags.Name"],
        &["public_ip", "private_ip", "public_dns", "private_dns"],
        "tags",
    ),
    kind(
        "azurerm_linux_virtual_machine",
        &["name"],
        &["public_ip_address", "private_ip_address"],
        "tags",
    ),
    kind(
        "digitalocean_droplet",
        &["name"],
        &["ipv4_address", "ipv4_address_private", "ipv6_address"],
        "tags",
    ),
    kind(
        "exoscale_compute_instance",
        &["name"],
        &["public_ip_address", "ipv6_address"],
        "labels",
    ),
    kind(
        "google_compute_instance",
        &["name"],
        &[
            "network_interface.access_config.nat_ip",
            "network_interface.network_ip",
        ],
        "labels",
    ),
    kind(
        "hcloud_server",
        &["name"],
        &["ipv4_address", "ipv6_address", "network.ip"],
        "labels",
    ),
    kind(
        "libvirt_domain",
        &["name"],
        &["network_interface.addresses"],
        "",
    ),
    kind(
        "linode_instance",
        &["label"],
        &["ip_address", "private_ip_address"],
        "tags",
    ),
    kind(
        "oci_core_instance",
        &["display_name"],
        &["public_ip", "private_ip"],
        "freeform_tags",
    ),
    kind(
        "openstack_compute_instance_v2",
        &["name"],
        &["access_ip_v4", "network.fixed_ip_v4", "access_ip_v6"],
        "all_metadata",
    ),
    kind(
        "proxmox_vm_qemu",
        &["name"],
        &["default_ipv4_address", "ssh_host"],
        "tags",
    ),
    kind(
        "scaleway_instance_server",
        &["name"],
        &["public_ip", "public_ips.address", "private_ip"],
        "tags",
    ),
    kind(
        "vsphere_virtual_machine",
        &["name"],
        &["default_ip_address", "guest_ip_addresses"],
        "",
    ),
    kind(
        "vultr_instance",
        &["label"],
        &["main_ip", "v6_main_ip"],
        "tags",
    ),
];

/// What kind of machine a resource is, if it is one.
pub(super) fn of(resource: &Resource) -> Option<&'static Kind> {
    KINDS.iter().find(|known| known.resource == resource.kind)
}

/// A value inside the attributes, as text.
fn look(attributes: &Map, path: &str) -> Option<String> {
    let mut names = path.split('.');
    let mut value = attributes.get(names.next()?)?;
    for name in names {
        value = first(value).get(name)?;
    }
    match first(value) {
        Value::Null => None,
        found => Some(str_of(found)).filter(|text| !text.is_empty()),
    }
}

/// The first item of a list, or what is no list.
fn first(value: &Value) -> &Value {
    match value {
        Value::List(items) => items.first().unwrap_or(&Value::Null),
        other => other,
    }
}

/// A text of Terraform's as a value.
fn text(text: &str) -> Value {
    harmless(Value::str(text))
}

/// Makes the host of a machine, in groups for its kind, its resource, its module and its labels; returns its name.
pub(super) fn declare(
    inventory: &mut Inventory,
    resource: &Resource,
    kind: &Kind,
    file: &Path,
) -> Result<Arc<str>, Diagnostic> {
    let attributes = &resource.attributes;
    let given = kind.name.iter().find_map(|path| look(attributes, path));
    let mut name = given.unwrap_or_else(|| match &resource.index {
        None => resource.name.clone(),
        Some(index) => format!("{}-{}", resource.name, str_of(index)),
    });
    // two machines of one name (as instances of a `count` may be) are two hosts
    let taken = |name: &str, inventory: &Inventory| {
        inventory.hosts.get(name).is_some_and(|host| {
            let known = host.vars.get("terraform").and_then(|t| t.get("address"));
            known.is_some_and(|known| known.as_str() != Some(&resource.address()))
        })
    };
    if taken(&name, inventory) {
        name = resource.address();
    }
    inventory.declare_host(&name, None, None, Some(file))?;
    let mut join = |group: String| -> Result<(), Diagnostic> {
        let group = group_name(&group);
        inventory.add_group(&group)?;
        inventory.declare_host(&name, Some(&group), None, None)
    };
    join(resource.kind.clone())?;
    join(format!("{}_{}", resource.kind, resource.name))?;
    if !resource.module.is_empty() {
        join(resource.module.replace("module.", "module_"))?;
    }
    match attributes.get(kind.labels) {
        Some(Value::Map(labels)) => {
            for (key, value) in labels
                .iter()
                .filter(|(key, _)| key.as_str() != Some("Name"))
            {
                let value = str_of(value);
                let end = if value.is_empty() {
                    String::new()
                } else {
                    format!("_{value}")
                };
                join(format!("tag_{}{end}", str_of(key)))?;
            }
        }
        Some(Value::List(labels)) => {
            for label in labels.iter() {
                join(format!("tag_{}", str_of(label)))?;
            }
        }
        _ => {}
    }
    if let Some(address) = kind.address.iter().find_map(|path| look(attributes, path)) {
        inventory.set_variable(&name, &Value::str("ansible_host"), text(&address))?;
    }
    let mut about = Map::new()
        .with("address", text(&resource.address()))
        .with("type", text(&resource.kind))
        .with("name", text(&resource.name))
        .with("module", text(&resource.module))
        .with("index", resource.index.clone());
    if let Some(id) = some(attributes, &["id"]) {
        about.set("id", text(&id));
    }
    about.set(
        "labels",
        attributes.get(kind.labels).cloned().unwrap_or_default(),
    );
    inventory.set_variable(&name, &Value::str("terraform"), Value::map(about))?;
    Ok(Arc::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_documents_is_this_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/inventory.md");
        let text = std::fs::read_to_string(path).unwrap();
        let written: Vec<&str> = text
            .lines()
            .skip_while(|line| !line.contains("<!-- table of machines -->"))
            .skip(1)
            .take_while(|line| line.starts_with('|'))
            .collect();
        let quoted = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            names.join(", ")
        };
        let rows: Vec<String> = KINDS
            .iter()
            .map(|kind| {
                let labels = match kind.labels {
                    "" => "| |".to_owned(),
                    labels => format!("| `{labels}` |"),
                };
                format!(
                    "| `{}` | {} | {} {labels}",
                    kind.resource,
                    quoted(kind.name),
                    quoted(kind.address)
                )
            })
            .collect();
        assert_eq!(written, rows);
    }
}
