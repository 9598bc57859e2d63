//! `yum_repository`: a repository's section in a file of `/etc/yum.repos.d`.
//!
//! Source: dnf.conf(5), and the documentation of `ansible.builtin.yum_repository`.

use crate::modules::files::attrs::FileAttrs;
use crate::modules::files::place::{Placement, Source, place};
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::{FileKind, Sys};
use crate::value::{Secret, Value};
use crate::{choices, module_args};
use std::borrow::Cow;
use std::path::PathBuf;

choices! {
    /// Whether the repository is to be there.
    pub enum State {
        /// It is not.
        Absent = "absent",
        /// It is.
        Present = "present",
    }
}

choices! {
    /// How a mirror is chosen.
    pub enum Failover {
        /// Any.
        Roundrobin = "roundrobin",
        /// The first that answers.
        Priority = "priority",
    }
}

choices! {
    /// What caches on the way may keep.
    pub enum HttpCaching {
        /// Everything.
        All = "all",
        /// Packages.
        Packages = "packages",
        /// Nothing.
        None = "none",
    }
}

choices! {
    /// The version of IP to use.
    pub enum IpResolve {
        /// Version 4.
        Four = "4",
        /// Version 6.
        Six = "6",
        /// Version 4.
        Ipv4 = "IPv4",
        /// Version 6.
        Ipv6 = "IPv6",
        /// Either.
        Whatever = "whatever",
    }
}

choices! {
    /// Whether packages are kept after installation.
    pub enum Keepcache {
        /// No.
        No = "0",
        /// Yes.
        Yes = "1",
    }
}

choices! {
    /// Which commands may work with old metadata.
    pub enum ExpireFilter {
        /// None.
        Never = "never",
        /// Those that look at the past.
        Past = "read-only:past",
        /// Those that look at the present.
        Present = "read-only:present",
        /// Those that look at the future.
        Future = "read-only:future",
    }
}

module_args! {
    /// Arguments of `yum_repository`.
    pub struct Args {
        /// The repository's id, the name of its section.
        name: String => required;
        /// Whether it is to be there.
        state: State => default("present");
        /// The file, without `.repo`; the repository's id without it.
        file: Option<String> => optional;
        /// The directory of the file.
        reposdir: PathBuf => default("/etc/yum.repos.d");
        /// Download packages and metadata at the same time.
        r#async: Option<bool> => optional;
        /// Most bytes per second for all downloads.
        bandwidth: Option<String> => optional;
        /// Its addresses.
        baseurl: Option<Vec<String>> => optional;
        /// Its relative cost; the lowest wins.
        cost: Option<String> => optional;
        /// Let the server count the machine.
        countme: Option<bool> => optional;
        /// The size of metadata in percent at which deltas are not loaded any more.
        deltarpm_metadata_percentage: Option<String> => optional;
        /// The size of a package in percent at which deltas are not used any more.
        deltarpm_percentage: Option<String> => optional;
        /// What users read of it.
        description: Option<String> => optional;
        /// Whether it is used.
        enabled: Option<bool> => optional;
        /// Whether its groups of packages are used.
        enablegroups: Option<bool> => optional;
        /// Packages that are not taken from it.
        exclude: Option<Vec<String>> => optional, aliases ["excludepkgs"];
        /// How a mirror is chosen.
        failovermethod: Option<Failover> => optional;
        /// The certificate authority of the key.
        gpgcakey: Option<String> => optional;
        /// Check signatures of packages.
        gpgcheck: Option<bool> => optional;
        /// Addresses of keys.
        gpgkey: Option<Vec<String>> => optional;
        /// What caches on the way may keep.
        http_caching: Option<HttpCaching> => optional;
        /// Another configuration to include.
        include: Option<String> => optional;
        /// Packages that alone are taken from it.
        includepkgs: Option<Vec<String>> => optional;
        /// The version of IP to use.
        ip_resolve: Option<IpResolve> => optional;
        /// Keep connections open.
        keepalive: Option<bool> => optional;
        /// Keep packages after installation.
        keepcache: Option<Keepcache> => optional;
        /// How long metadata is good, e.g. `6h`.
        metadata_expire: Option<String> => optional;
        /// Which commands may work with old metadata.
        metadata_expire_filter: Option<ExpireFilter> => optional;
        /// Address of a metalink.
        metalink: Option<String> => optional;
        /// Address of a list of mirrors.
        mirrorlist: Option<String> => optional;
        /// How long the list of mirrors is good, in seconds.
        mirrorlist_expire: Option<String> => optional;
        /// Its packages come before modular ones.
        module_hotfixes: Option<bool> => optional;
        /// Password for the server.
        password: Option<Secret<String>> => optional, secret;
        /// Its priority, from 1 (highest) to 99.
        priority: Option<String> => optional;
        /// Its packages are not replaced by those of other repositories.
        protect: Option<bool> => optional;
        /// Address of a proxy, or `_none_`.
        proxy: Option<String> => optional;
        /// Password for the proxy.
        proxy_password: Option<Secret<String>> => optional, secret;
        /// User name for the proxy.
        proxy_username: Option<String> => optional;
        /// Check the signature of the metadata.
        repo_gpgcheck: Option<bool> => optional;
        /// How often a download is tried.
        retries: Option<String> => optional;
        /// Use credentials of Amazon's S3.
        s3_enabled: Option<bool> => optional;
        /// Go on without it if it cannot be reached.
        skip_if_unavailable: Option<bool> => optional;
        /// Check the permissions of the client's certificate.
        ssl_check_cert_permissions: Option<bool> => optional;
        /// Certificates of authorities.
        sslcacert: Option<String> => optional, aliases ["ca_cert"];
        /// The client's certificate.
        sslclientcert: Option<String> => optional, aliases ["client_cert"];
        /// The client's key.
        sslclientkey: Option<String> => optional, aliases ["client_key"];
        /// Check the server's certificate.
        sslverify: Option<bool> => optional, aliases ["validate_certs"];
        /// Most of the bandwidth for it, e.g. `40%`.
        throttle: Option<String> => optional;
        /// Seconds to wait for a connection.
        timeout: Option<String> => optional;
        /// Variables that users see in its id.
        ui_repoid_vars: Option<String> => optional;
        /// User name for the server.
        username: Option<String> => optional;
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct YumRepository;

impl Module for YumRepository {
    const NAME: &'static str = "yum_repository";
    const DOC: &'static str = "Add and remove repositories of RPM packages.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.state == State::Present {
            if args.baseurl.is_none() && args.mirrorlist.is_none() && args.metalink.is_none() {
                return Err(
                    "state is present but any of the following are missing: baseurl, mirrorlist, metalink"
                        .into(),
                );
            }
            if args.description.is_none() {
                return Err(
                    "state is present but all of the following are missing: description".into(),
                );
            }
        }
        let dir = sys.expand(&args.reposdir);
        let is_dir = sys
            .stat(&dir, true)?
            .is_some_and(|meta| meta.kind == FileKind::Directory);
        if !is_dir {
            return Err(format!("Repo directory '{}' does not exist.", dir.display()).into());
        }
        let file = args.file.as_ref().unwrap_or(&args.name);
        let path = dir.join(format!("{file}.repo"));
        let old = sys.read_text(&path)?;
        let mut plan = Plan::new();
        plan.returns("repo", Value::data(args.name.as_str()));
        plan.returns("state", args.state.word());
        if args.password.is_some() || args.proxy_password.is_some() {
            plan.secret();
        }
        let text = old.as_deref().unwrap_or_default();
        let found = find(text, &args.name);
        let new = match (args.state, found) {
            (State::Absent, None) => return Ok(plan),
            (State::Absent, Some(section)) => section.before.to_owned() + section.after,
            (State::Present, found) => {
                let wanted = args.items();
                let section = render(&args.name, &wanted);
                match found {
                    Some(found) if found.items() == wanted => text.to_owned(),
                    Some(found) => [found.before, &section, found.after].concat(),
                    None if text.is_empty() || text.ends_with("\n\n") => text.to_owned() + &section,
                    None => format!("{}\n\n{section}", text.trim_end_matches('\n')),
                }
            }
        };
        if args.state == State::Absent && !new.lines().any(|line| header(line).is_some()) {
            let diff = crate::result::Diff::new(path.to_string_lossy(), old, None::<String>);
            plan.step(diff, move |sys| sys.remove_file(&path));
            return Ok(plan);
        }
        if new == text {
            args.attrs.plan(sys, &mut plan, &path, true)?;
            return Ok(plan);
        }
        let mut written = Plan::new();
        place(
            sys,
            &mut written,
            Source::Bytes(Cow::Owned(new.into_bytes())),
            Placement {
                dest: path,
                attrs: args.attrs.clone(),
                backup: false,
                backup_key: "backup_file",
                validate: None,
                follow: true,
                checksums: false,
                parent_planned: false,
            },
        )?;
        plan.absorb(written);
        Ok(plan)
    }
}

impl Args {
    /// What stands in the section, sorted by name.
    fn items(&self) -> Vec<(String, String)> {
        let mut items = Vec::new();
        let mut set = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                items.push((name.to_owned(), value));
            }
        };
        let words = |list: &Option<Vec<String>>, by: &str| list.as_ref().map(|l| l.join(by));
        set("baseurl", words(&self.baseurl, "\n"));
        set("gpgkey", words(&self.gpgkey, "\n"));
        set("exclude", words(&self.exclude, " "));
        set("includepkgs", words(&self.includepkgs, " "));
        for (name, value) in [
            ("bandwidth", &self.bandwidth),
            ("cost", &self.cost),
            (
                "deltarpm_metadata_percentage",
                &self.deltarpm_metadata_percentage,
            ),
            ("deltarpm_percentage", &self.deltarpm_percentage),
            ("name", &self.description),
            ("gpgcakey", &self.gpgcakey),
            ("include", &self.include),
            ("metadata_expire", &self.metadata_expire),
            ("metalink", &self.metalink),
            ("mirrorlist", &self.mirrorlist),
            ("mirrorlist_expire", &self.mirrorlist_expire),
            ("priority", &self.priority),
            ("proxy", &self.proxy),
            ("proxy_username", &self.proxy_username),
            ("retries", &self.retries),
            ("sslcacert", &self.sslcacert),
            ("sslclientcert", &self.sslclientcert),
            ("sslclientkey", &self.sslclientkey),
            ("throttle", &self.throttle),
            ("timeout", &self.timeout),
            ("ui_repoid_vars", &self.ui_repoid_vars),
            ("username", &self.username),
        ] {
            set(name, value.clone());
        }
        for (name, value) in [
            ("async", self.r#async),
            ("countme", self.countme),
            ("enabled", self.enabled),
            ("enablegroups", self.enablegroups),
            ("gpgcheck", self.gpgcheck),
            ("keepalive", self.keepalive),
            ("module_hotfixes", self.module_hotfixes),
            ("protect", self.protect),
            ("repo_gpgcheck", self.repo_gpgcheck),
            ("s3_enabled", self.s3_enabled),
            ("skip_if_unavailable", self.skip_if_unavailable),
            (
                "ssl_check_cert_permissions",
                self.ssl_check_cert_permissions,
            ),
            ("sslverify", self.sslverify),
        ] {
            set(name, value.map(|yes| u8::from(yes).to_string()));
        }
        for (name, value) in [
            ("failovermethod", self.failovermethod.map(Failover::word)),
            ("http_caching", self.http_caching.map(HttpCaching::word)),
            ("ip_resolve", self.ip_resolve.map(IpResolve::word)),
            ("keepcache", self.keepcache.map(Keepcache::word)),
            (
                "metadata_expire_filter",
                self.metadata_expire_filter.map(ExpireFilter::word),
            ),
        ] {
            set(name, value.map(str::to_owned));
        }
        for (name, value) in [
            ("password", &self.password),
            ("proxy_password", &self.proxy_password),
        ] {
            set(name, value.as_ref().map(|secret| secret.reveal().clone()));
        }
        items.sort();
        items
    }
}

fn render(name: &str, items: &[(String, String)]) -> String {
    let mut text = format!("[{name}]\n");
    for (key, value) in items {
        // more lines of a value are indented
        text += &format!("{key} = {}\n", value.replace('\n', "\n\t"));
    }
    text.push('\n');
    text
}

/// A section in its file.
struct Section<'a> {
    before: &'a str,
    lines: &'a str,
    after: &'a str,
}

fn header(line: &str) -> Option<&str> {
    line.strip_prefix('[')?.split(']').next()
}

fn find<'a>(text: &'a str, name: &str) -> Option<Section<'a>> {
    let mut at = 0;
    let mut bounds: Option<(usize, usize)> = None;
    let mut end = None;
    for line in text.split_inclusive('\n') {
        match (header(line), bounds) {
            (Some(_), Some(_)) => {
                end = Some(at);
                break;
            }
            (Some(found), None) if found == name => bounds = Some((at, at + line.len())),
            _ => {}
        }
        at += line.len();
    }
    let (start, first) = bounds?;
    let end = end.unwrap_or(text.len());
    Some(Section {
        before: text.get(..start)?,
        lines: text.get(first..end)?,
        after: text.get(end..)?,
    })
}

impl Section<'_> {
    /// Its options, sorted; names are in lower case, more lines belong to the value before.
    fn items(&self) -> Vec<(String, String)> {
        let mut items: Vec<(String, String)> = Vec::new();
        for line in self.lines.lines() {
            let bare = line.trim();
            if bare.is_empty() || bare.starts_with(['#', ';']) {
                continue;
            }
            if line.starts_with([' ', '\t'])
                && let Some((_, value)) = items.last_mut()
            {
                value.push('\n');
                value.push_str(bare);
                continue;
            }
            let (key, value) = bare.split_once(['=', ':']).unwrap_or((bare, ""));
            items.push((key.trim().to_lowercase(), value.trim().to_owned()));
        }
        items.sort();
        items
    }
}
