//! Which proxy the environment asks for.

use crate::sys::{Error, Result, Sys};
use ureq::Proxy;

impl Sys {
    /// The proxy for a URL: `http_proxy`, `https_proxy` or `all_proxy`, unless `no_proxy` has the host. Variables in
    /// capitals count too, but not `HTTP_PROXY`, which web servers set for programs they start (CVE-2016-5385).
    ///
    /// # Errors
    /// When the variable holds no proxy's address.
    pub(super) fn proxy_for(&self, scheme: &str, host: &str) -> Result<Option<Proxy>> {
        let get = |name: &str| {
            let capitals = name.to_uppercase();
            let found = self.env(name).or_else(|| {
                (capitals != "HTTP_PROXY")
                    .then(|| self.env(&capitals))
                    .flatten()
            });
            found.filter(|value| !value.trim().is_empty())
        };
        let Some(proxy) = get(&format!("{scheme}_proxy")).or_else(|| get("all_proxy")) else {
            return Ok(None);
        };
        if get("no_proxy").is_some_and(|list| is_exempt(&list, host)) {
            return Ok(None);
        }
        let bad = |e: ureq::Error| Error::Other(format!("the proxy `{proxy}` cannot be used: {e}"));
        Proxy::new(&proxy).map(Some).map_err(bad)
    }
}

fn is_exempt(list: &str, host: &str) -> bool {
    list.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .any(|entry| {
            let entry = entry.to_ascii_lowercase();
            let entry = entry.trim_start_matches("*.").trim_start_matches('.');
            entry == "*"
                || host == entry
                || host
                    .strip_suffix(entry)
                    .is_some_and(|before| before.ends_with('.'))
        })
}

#[cfg(test)]
mod tests {
    use super::is_exempt;

    #[test]
    fn exempt_hosts() {
        let list = "localhost, .example.org,10.0.0.1";
        for host in ["localhost", "example.org", "a.example.org", "10.0.0.1"] {
            assert!(is_exempt(list, host), "{host}");
        }
        for host in ["notexample.org", "10.0.0.10", "other"] {
            assert!(!is_exempt(list, host), "{host}");
        }
        assert!(is_exempt("*", "any"));
    }
}
