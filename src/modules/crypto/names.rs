//! Subjects and alternative names.

use core::net::IpAddr;
use rcgen::{CertificateParams, DistinguishedName, DnType, SanType};
use std::collections::BTreeSet;
use x509_parser::extensions::GeneralName;
use x509_parser::x509::X509Name;

/// Who a certificate is for: its common name and its organisations. The order of these does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) common_name: Option<String>,
    pub(super) organizations: BTreeSet<String>,
    /// Attributes that runbook does not write, as `OU=x`.
    pub(super) others: BTreeSet<String>,
}

impl Subject {
    /// Of arguments.
    pub(super) fn new(common_name: Option<&str>, organizations: &[String]) -> Self {
        Self {
            common_name: common_name
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            organizations: organizations.iter().cloned().collect(),
            others: BTreeSet::new(),
        }
    }

    /// Of a name that was parsed.
    pub(super) fn of(name: &X509Name<'_>) -> Self {
        let mut subject = Self::default();
        for attribute in name.iter_attributes() {
            let text = attribute.as_str().unwrap_or("?").to_owned();
            match attribute.attr_type().to_id_string().as_str() {
                "2.5.4.3" if subject.common_name.is_none() => subject.common_name = Some(text),
                "2.5.4.10" => drop(subject.organizations.insert(text)),
                oid => {
                    let short = match oid {
                        "2.5.4.3" => "CN",
                        "2.5.4.6" => "C",
                        "2.5.4.7" => "L",
                        "2.5.4.8" => "ST",
                        "2.5.4.11" => "OU",
                        other => other,
                    };
                    subject.others.insert(format!("{short}={text}"));
                }
            }
        }
        subject
    }

    /// As text: `O=system:masters, CN=admin`.
    pub(super) fn text(&self) -> String {
        let organizations = self.organizations.iter().map(|o| format!("O={o}"));
        let common_name = self.common_name.iter().map(|cn| format!("CN={cn}"));
        let parts: Vec<String> = organizations
            .chain(common_name)
            .chain(self.others.iter().cloned())
            .collect();
        parts.join(", ")
    }

    /// For issuing.
    ///
    /// # Errors
    /// When there are more organisations than can be written.
    pub(super) fn to_name(&self) -> Result<DistinguishedName, String> {
        let mut name = DistinguishedName::new();
        let mut organizations = self.organizations.iter();
        if let Some(first) = organizations.next() {
            name.push(DnType::OrganizationName, first.as_str());
        }
        if let Some(second) = organizations.next() {
            name.push(DnType::CustomDnType(vec![2, 5, 4, 10]), second.as_str());
        }
        if organizations.next().is_some() {
            return Err("more than two organisations in one subject are not built yet".to_owned());
        }
        if let Some(common_name) = &self.common_name {
            name.push(DnType::CommonName, common_name.as_str());
        }
        Ok(name)
    }
}

/// Alternative names in one way of writing: `DNS:name`, `IP:address`, `URI:…`, `email:…`.
pub(super) type Sans = BTreeSet<String>;

/// Reads them as users write them; the kind of a name without prefix is guessed.
///
/// # Errors
/// A name that cannot be one.
pub(super) fn parse_sans(names: &[String]) -> Result<Sans, String> {
    names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
        .map(|name| {
            let (kind, rest) = match name.split_once(':') {
                Some((kind, rest))
                    if ["dns", "ip", "uri", "email"].contains(&kind.to_lowercase().as_str()) =>
                {
                    (kind.to_lowercase(), rest.trim())
                }
                _ if name.parse::<IpAddr>().is_ok() => ("ip".to_owned(), name),
                _ => ("dns".to_owned(), name),
            };
            match kind.as_str() {
                "ip" => rest
                    .parse::<IpAddr>()
                    .map(|ip| format!("IP:{ip}"))
                    .map_err(|_| format!("`{rest}` in san is no IP address")),
                "dns" => {
                    let fits = |c: char| c.is_ascii_alphanumeric() || "-._*".contains(c);
                    if !rest.is_empty() && rest.chars().all(fits) {
                        Ok(format!("DNS:{}", rest.to_lowercase()))
                    } else {
                        Err(format!("`{rest}` in san is no host name"))
                    }
                }
                "uri" => Ok(format!("URI:{rest}")),
                _ => Ok(format!("email:{rest}")),
            }
        })
        .collect()
}

/// Those of a certificate or request.
pub(super) fn sans_of(names: &[GeneralName<'_>]) -> Sans {
    names
        .iter()
        .map(|name| match name {
            GeneralName::DNSName(name) => format!("DNS:{}", name.to_lowercase()),
            GeneralName::RFC822Name(name) => format!("email:{name}"),
            GeneralName::URI(uri) => format!("URI:{uri}"),
            GeneralName::IPAddress(bytes) => {
                let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                let ip = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
                ip.map_or_else(|_| "IP:?".to_owned(), |ip| format!("IP:{ip}"))
            }
            _ => "other".to_owned(),
        })
        .collect()
}

/// Puts them into what is to be issued.
///
/// # Errors
/// A name that cannot be written.
pub(super) fn add_sans(params: &mut CertificateParams, sans: &Sans) -> Result<(), String> {
    for san in sans {
        let (kind, rest) = san.split_once(':').unwrap_or(("", san));
        let bad = |_| format!("`{san}` cannot be written into a certificate");
        params.subject_alt_names.push(match kind {
            "IP" => SanType::IpAddress(
                rest.parse()
                    .map_err(|_| format!("`{san}` is no IP address"))?,
            ),
            "URI" => SanType::URI(rest.try_into().map_err(bad)?),
            "email" => SanType::Rfc822Name(rest.try_into().map_err(bad)?),
            _ => SanType::DnsName(rest.try_into().map_err(bad)?),
        });
    }
    Ok(())
}

/// As text.
pub(super) fn sans_text(sans: &Sans) -> String {
    sans.iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_one_way() {
        let names = [
            "DNS:Example.ORG",
            "10.0.0.1",
            "ip:2001:DB8:0::1",
            "localhost",
            "*.x.y",
        ];
        let sans = parse_sans(&names.map(str::to_owned)).expect("fit");
        assert_eq!(
            sans_text(&sans),
            "DNS:*.x.y, DNS:example.org, DNS:localhost, IP:10.0.0.1, IP:2001:db8::1"
        );
        assert!(parse_sans(&["IP:300.0.0.1".to_owned()]).is_err());
        assert!(parse_sans(&["DNS:a b".to_owned()]).is_err());
    }
}
