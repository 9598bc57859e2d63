//! `dnf` and `yum`.
//!
//! Source: Ansible's documentation of `ansible.builtin.dnf`; dnf(8).

use super::simple::{Extra, Manager, PackageArgs, State};
use crate::module_args;
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::Sys;

module_args! {
    /// Arguments of `dnf`.
    pub struct Args {
        packages: Shared => flatten;
        /// Repositories that are used for this task, too.
        enablerepo: Vec<String> => default(Vec::<String>::new());
        /// Repositories that are not used for this task.
        disablerepo: Vec<String> => default(Vec::<String>::new());
        /// Packages that are left out.
        exclude: Vec<String> => default(Vec::<String>::new());
        /// For whom what the configuration leaves out is not left out: `all`, `main` or a repository.
        disable_excludes: Option<String> => optional;
        /// Another configuration.
        conf_file: Option<String> => optional;
        /// Take packages without a signature.
        disable_gpg_check: bool => default(false);
        /// Another root directory.
        installroot: String => default("/");
        /// Another release of the system.
        releasever: Option<String> => optional;
        /// Remove also what nothing needs any more; without names, only that.
        autoremove: bool => default(false);
        /// Leave out what cannot be installed.
        skip_broken: bool => default(false);
        /// Accept versions that are not the newest.
        nobest: Option<bool> => optional;
        /// Accept the newest versions only.
        best: Option<bool> => optional;
        /// Upgrade what is installed, install nothing.
        update_only: bool => default(false);
        /// Upgrade only for security.
        security: bool => default(false);
        /// Upgrade only for bugs.
        bugfix: bool => default(false);
        /// Plugins that are used.
        enable_plugin: Vec<String> => default(Vec::<String>::new());
        /// Plugins that are not used.
        disable_plugin: Vec<String> => default(Vec::<String>::new());
        /// Check the certificate of a URL.
        validate_certs: bool => default(true);
        /// Check the certificates of repositories.
        sslverify: bool => default(true);
        /// dnf itself goes back to the version that is asked for.
        allow_downgrade: bool => default(false);
        /// Without effect.
        install_repoquery: bool => default(true);
        /// Download the packages and nothing else.
        download_only: bool => default(false);
        /// Where they are put.
        download_dir: Option<String> => optional;
        /// Without effect: dnf waits for others as it is configured.
        lock_timeout: i64 => default(30_i64);
        /// Install also what is recommended.
        install_weak_deps: bool => default(true);
        /// Remove what stands in the way.
        allowerasing: bool => default(false);
        /// Go by what is known of the repositories already.
        cacheonly: bool => default(false);
        /// Not built: `package_facts` lists what is installed.
        list: Option<String> => optional;
        /// Without effect: dnf knows what a stream of a module needs.
        auto_install_module_deps: bool => default(true);
        /// Without effect: the machine's dnf is taken, or yum where there is no dnf.
        use_backend: String => default("auto");
    }
}

module_args! {
    /// What is managed.
    pub struct Shared {
        /// The packages: names, with versions or patterns, `@group`s, files, URLs; `*` with `state: latest` is everything.
        name: Vec<String> => default(Vec::<String>::new()), aliases ["pkg"];
        /// What they are to be; `present` unless said.
        state: Option<State> => optional;
        /// Refresh the package index first.
        update_cache: bool => default(false), aliases ["expire-cache"];
    }
}

/// The module.
pub struct Dnf;

impl Module for Dnf {
    const NAME: &'static str = "dnf";
    const ALIASES: &'static [&'static str] = &["yum", "dnf5"];
    const DOC: &'static str = "Install, upgrade and remove packages with dnf, or yum where there is no dnf.\nFor patterns, \
                               groups, files and URLs it is asked what it would do.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.list.is_some() {
            return Err("list is not built: package_facts lists what is installed".into());
        }
        let manager = if sys.which("dnf").is_none() && sys.which("yum").is_some() {
            Manager::Yum
        } else {
            Manager::Dnf
        };
        let state = args.packages.state.unwrap_or(if args.autoremove {
            State::Absent
        } else {
            State::Present
        });
        let extra = Extra {
            flags: flags(args, manager),
            upgrade_flags: [(args.security, "--security"), (args.bugfix, "--bugfix")]
                .into_iter()
                .filter(|(given, _)| *given)
                .map(|(_, flag)| flag.to_owned())
                .collect(),
            update_only: args.update_only,
            autoremove: args.autoremove,
        };
        let wanted = PackageArgs {
            name: Some(args.packages.name.clone()),
            state,
            update_cache: args.packages.update_cache,
        };
        let mut plan = manager.plan_with(&wanted, &extra, sys)?;
        if args.autoremove && args.packages.name.is_empty() {
            let mut more = Plan::new();
            manager.plan_unneeded(&extra.flags, &mut more, sys)?;
            plan.absorb(more);
        }
        if args.download_only && plan.changes() {
            // what is downloaded is not installed, and will be wanted again
            plan.repeats();
        }
        Ok(plan)
    }
}

fn flags(args: &Args, manager: Manager) -> Vec<String> {
    let mut flags = Vec::new();
    let mut each = |option: &str, all: &[String]| {
        flags.extend(
            all.iter()
                .filter(|one| !one.is_empty())
                .map(|one| format!("--{option}={one}")),
        );
    };
    each("disablerepo", &args.disablerepo);
    each("enablerepo", &args.enablerepo);
    each("exclude", &args.exclude);
    each("enableplugin", &args.enable_plugin);
    each("disableplugin", &args.disable_plugin);
    let mut one = |option: &str, value: Option<&String>| {
        flags.extend(value.map(|value| format!("--{option}={value}")));
    };
    one("disableexcludes", args.disable_excludes.as_ref());
    one(
        "config",
        args.conf_file.as_ref().filter(|_| manager == Manager::Dnf),
    );
    one(
        "installroot",
        Some(&args.installroot).filter(|root| *root != "/"),
    );
    one("releasever", args.releasever.as_ref());
    one("downloaddir", args.download_dir.as_ref());
    if let Some(file) = args.conf_file.as_ref().filter(|_| manager == Manager::Yum) {
        flags.extend(["-c".to_owned(), file.clone()]);
    }
    let unsafe_ = !(args.sslverify && args.validate_certs);
    for (given, flag) in [
        (args.disable_gpg_check, "--nogpgcheck"),
        (args.skip_broken, "--skip-broken"),
        (
            args.nobest == Some(true) || args.best == Some(false),
            "--nobest",
        ),
        (
            args.best == Some(true) || args.nobest == Some(false),
            "--best",
        ),
        (args.allowerasing, "--allowerasing"),
        (args.cacheonly, "--cacheonly"),
        (args.download_only, "--downloadonly"),
        (unsafe_, "--setopt=sslverify=False"),
        (!args.install_weak_deps, "--setopt=install_weak_deps=False"),
    ] {
        if given {
            flags.push(flag.to_owned());
        }
    }
    flags
}
