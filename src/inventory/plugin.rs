//! The kinds of inventory sources, under the names of Ansible's inventory plugins.

use super::SourceSpec;
use std::path::Path;

/// A kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plugin {
    HostList,
    AdvancedHostList,
    Script,
    Auto,
    Terraform,
    Yaml,
    Ini,
    Toml,
    Constructed,
    Generator,
}

/// The kinds that are tried when nobody says which, in this order.
pub(super) const DEFAULT: [Plugin; 7] = [
    Plugin::HostList,
    Plugin::Script,
    Plugin::Auto,
    Plugin::Terraform,
    Plugin::Yaml,
    Plugin::Ini,
    Plugin::Toml,
];

const NAMES: [(Plugin, &str); 10] = [
    (Plugin::HostList, "host_list"),
    (Plugin::AdvancedHostList, "advanced_host_list"),
    (Plugin::Script, "script"),
    (Plugin::Auto, "auto"),
    (Plugin::Terraform, "terraform"),
    (Plugin::Yaml, "yaml"),
    (Plugin::Ini, "ini"),
    (Plugin::Toml, "toml"),
    (Plugin::Constructed, "constructed"),
    (Plugin::Generator, "generator"),
];

impl Plugin {
    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(_, name)| *name)
    }

    /// The kind of that name, with or without Ansible's collection.
    pub fn named(name: &str) -> Option<Self> {
        let short = name
            .strip_prefix("ansible.builtin.")
            .or_else(|| name.strip_prefix("ansible.legacy."))
            .unwrap_or(name);
        // the collection's plugins read the same files
        let short = match short {
            "cloud.terraform.terraform_provider" | "cloud.terraform.terraform_state" => "terraform",
            other => other,
        };
        NAMES
            .iter()
            .find(|(_, known)| *known == short)
            .map(|(plugin, _)| *plugin)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(plugin, _)| *plugin == self)
            .map_or("", |(_, name)| name)
    }

    /// Whether it is for this source, as far as its name tells.
    pub fn wants(self, source: &SourceSpec, script: bool) -> bool {
        let path = match source {
            SourceSpec::List(_) => {
                return matches!(self, Self::HostList | Self::AdvancedHostList);
            }
            SourceSpec::Path(path) => path,
        };
        let ending = ending(path);
        match self {
            Self::HostList | Self::AdvancedHostList => false,
            Self::Script => script,
            Self::Auto => matches!(ending, Some("yml" | "yaml")),
            Self::Yaml => matches!(ending, None | Some("yml" | "yaml" | "json")),
            Self::Terraform => matches!(ending, Some("yml" | "yaml" | "json" | "tfstate")),
            // as an INI file it would only give a worse error
            Self::Ini => !matches!(ending, Some("toml" | "tfstate")),
            Self::Toml => ending == Some("toml"),
            Self::Constructed | Self::Generator => {
                matches!(ending, None | Some("config" | "yml" | "yaml" | "json"))
            }
        }
    }
}

/// What follows the last dot of a file's name.
pub(super) fn ending(path: &Path) -> Option<&str> {
    path.extension().and_then(|ending| ending.to_str())
}
