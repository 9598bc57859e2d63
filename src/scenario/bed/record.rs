//! What a bed made on this machine, written down so that it can be taken away whatever happens to its owner.

use super::kernel;
use super::process::{Process, must};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

const STATE: &str = "/run/runbook-machines";
/// A file of this name says that a directory was made for a bed, and goes with it.
pub const MARK: &str = ".runbook-machines";

/// One machine's traces.
#[derive(Clone, Debug)]
pub struct Booted {
    /// Its name for nspawn.
    pub id: String,
    /// The mount point of its root.
    pub root: PathBuf,
    /// The process that starts nspawn, and starts it again when the machine reboots; or (old) nspawn itself.
    pub keeper: Option<Process>,
}

/// One bed's traces.
#[derive(Debug)]
pub struct Record {
    /// Who takes it down at the end; nobody if it is kept until somebody says so.
    owner: Option<Process>,
    directory: PathBuf,
    subnet: Option<u8>,
    machines: Vec<Booted>,
    file: PathBuf,
}

pub type Shared = Arc<Mutex<Record>>;

static LIVE: Mutex<Vec<Shared>> = Mutex::new(Vec::new());

impl Record {
    /// Begins the record of a bed that lives in `directory`; of this process, unless it is to be kept.
    ///
    /// # Errors
    /// The state directory cannot be written, or there is such a record.
    pub fn begin(directory: &Path, kept: bool) -> Result<Shared, String> {
        let _lock = lock()?;
        let owner = if kept {
            None
        } else {
            Some(Process::of(std::process::id()).ok_or("/proc cannot be read")?)
        };
        let file = Self::file_of(directory);
        if file.exists() {
            return Err(format!(
                "there are machines in {} already",
                directory.display()
            ));
        }
        let record = Self {
            owner,
            directory: directory.to_owned(),
            subnet: None,
            machines: Vec::new(),
            file,
        };
        record.write()?;
        let record = Arc::new(Mutex::new(record));
        if !kept {
            LIVE.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Arc::clone(&record));
            clean_up_at_the_end();
        }
        Ok(record)
    }

    /// The record of the bed in `directory`, if there is one.
    pub fn find(directory: &Path) -> Option<Shared> {
        let record = Self::read(&Self::file_of(directory))?;
        Some(Arc::new(Mutex::new(record)))
    }

    fn file_of(directory: &Path) -> PathBuf {
        let name: String = directory
            .display()
            .to_string()
            .trim_start_matches('/')
            .replace('/', "+");
        Path::new(STATE).join(format!("{name}.bed"))
    }

    /// The number of its network.
    pub fn subnet(&self) -> Option<u8> {
        self.subnet
    }

    /// Takes a free network 198.18.N.0/24, that with `preferred` as N if possible, and makes its bridge, with NAT to
    /// the outside. Returns N.
    ///
    /// # Errors
    /// None is free, or `ip` or `iptables` failed.
    pub fn make_network(&mut self, preferred: Option<u8>) -> Result<u8, String> {
        let _lock = lock()?;
        let used = must("ip", &["-4", "-o", "addr"])?;
        let subnet = preferred
            .into_iter()
            .chain(1..=254)
            .find(|n| !used.contains(&format!("inet 198.18.{n}.")))
            .ok_or("no free network in 198.18.0.0/16")?;
        self.subnet = Some(subnet);
        self.write()?;
        let bridge = bridge(subnet);
        must(
            "ip",
            &["link", "add", &bridge, "mtu", "1400", "type", "bridge"],
        )?;
        must(
            "ip",
            &[
                "addr",
                "add",
                &format!("198.18.{subnet}.1/24"),
                "dev",
                &bridge,
            ],
        )?;
        must("ip", &["link", "set", &bridge, "up"])?;
        kernel::raise(&kernel::NEEDED, Path::new(STATE))?;
        for rule in rules(subnet) {
            let mut words = vec!["-w", "-t", rule.table, "-I", rule.chain];
            words.extend(rule.words.iter().map(String::as_str));
            must("iptables", &words)?;
        }
        Ok(subnet)
    }

    /// Notes a machine before its root is mounted.
    pub fn add(&mut self, machine: Booted) -> Result<(), String> {
        self.machines.push(machine);
        self.write()
    }

    /// Notes the process of a machine.
    pub fn started(&mut self, id: &str, pid: u32) -> Result<(), String> {
        for machine in self.machines.iter_mut().filter(|machine| machine.id == id) {
            machine.keeper = Process::of(pid);
        }
        self.write()
    }

    /// Ends a machine without asking it.
    pub fn power_off(&self, id: &str) {
        for machine in self.machines.iter().filter(|machine| machine.id == id) {
            stop(machine);
        }
    }

    /// Whether a machine ends within that time.
    pub fn wait_gone(&self, id: &str, limit: Duration) -> bool {
        let machine = self.machines.iter().find(|machine| machine.id == id);
        machine
            .and_then(|machine| machine.keeper)
            .is_none_or(|keeper| keeper.wait_gone(limit))
    }

    fn write(&self) -> Result<(), String> {
        let mut lines = match self.owner {
            Some(owner) => format!("owner {} {}\n", owner.pid, owner.start),
            None => "kept\n".to_owned(),
        };
        lines.push_str(&format!("directory {}\n", self.directory.display()));
        if let Some(subnet) = self.subnet {
            lines.push_str(&format!("subnet {subnet}\n"));
        }
        for machine in &self.machines {
            let process = machine
                .keeper
                .map_or((0, 0), |process| (process.pid, process.start));
            lines.push_str(&format!(
                "machine {} {} {} {}\n",
                machine.id,
                process.0,
                process.1,
                machine.root.display()
            ));
        }
        let temporary = self.file.with_extension("new");
        fs::write(&temporary, lines)
            .and_then(|()| fs::rename(&temporary, &self.file))
            .map_err(|error| format!("{}: {error}", self.file.display()))
    }

    fn read(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let mut record = Self {
            owner: None,
            directory: PathBuf::new(),
            subnet: None,
            machines: Vec::new(),
            file: file.to_owned(),
        };
        for line in text.lines() {
            let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
            let words: Vec<&str> = rest.splitn(4, ' ').collect();
            match (key, words.as_slice()) {
                ("kept", _) => record.owner = None,
                ("owner", [pid, start]) => {
                    record.owner = Some(Process {
                        pid: pid.parse().ok()?,
                        start: start.parse().ok()?,
                    });
                }
                ("directory", _) => record.directory = rest.into(),
                ("subnet", [n]) => record.subnet = n.parse().ok(),
                ("machine", [id, pid, start, root]) => {
                    let process = Process {
                        pid: pid.parse().ok()?,
                        start: start.parse().ok()?,
                    };
                    record.machines.push(Booted {
                        id: (*id).to_owned(),
                        root: root.into(),
                        keeper: (process.pid != 0).then_some(process),
                    });
                }
                _ => return None,
            }
        }
        Some(record)
    }

    /// Takes everything away. Only what the record names, only processes that were started for it.
    pub fn tear_down(&mut self) {
        for machine in &self.machines {
            stop(machine);
        }
        for machine in &self.machines {
            let _ = nix::mount::umount2(&machine.root, nix::mount::MntFlags::MNT_DETACH);
            remove_cgroups(&machine.id);
        }
        let Ok(_lock) = lock() else { return };
        if let Some(subnet) = self.subnet.take() {
            for rule in rules(subnet) {
                let mut words = vec!["-w", "-t", rule.table, "-D", rule.chain];
                words.extend(rule.words.iter().map(String::as_str));
                let _ = must("iptables", &words);
            }
            let _ = must("ip", &["link", "del", &bridge(subnet)]);
        }
        let mounted = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let inside = format!(" {}/", self.directory.display());
        let ours = self.directory.join(MARK).exists();
        if ours && !mounted.contains(&inside) {
            let _ = fs::remove_dir_all(&self.directory);
        }
        let _ = fs::remove_file(&self.file);
        self.machines.clear();
        restore_kernel_if_last();
    }
}

/// Ends a machine: first its PID 1, with which the kernel ends everything in it, then nspawn itself and who started it.
fn stop(machine: &Booted) {
    let Some(keeper) = machine.keeper else { return };
    let nspawns = if keeper.is_called("systemd-nspawn") {
        vec![keeper]
    } else {
        keeper.children()
    };
    for init in nspawns.iter().flat_map(|nspawn| nspawn.children()) {
        init.kill();
    }
    if keeper.wait_gone(Duration::from_secs(5)) {
        return;
    }
    // first who would start it again
    keeper.kill();
    for nspawn in nspawns {
        nspawn.kill();
        nspawn.wait_gone(Duration::from_secs(5));
    }
    keeper.wait_gone(Duration::from_secs(5));
}

struct Rule {
    table: &'static str,
    chain: &'static str,
    words: Vec<String>,
}

fn rules(subnet: u8) -> Vec<Rule> {
    let bridge = bridge(subnet);
    let rule = |table, chain, words: &str| Rule {
        table,
        chain,
        words: words.split_whitespace().map(str::to_owned).collect(),
    };
    vec![
        rule(
            "nat",
            "POSTROUTING",
            &format!("-s 198.18.{subnet}.0/24 ! -o {bridge} -j MASQUERADE"),
        ),
        rule("filter", "FORWARD", &format!("-i {bridge} -j ACCEPT")),
        rule("filter", "FORWARD", &format!("-o {bridge} -j ACCEPT")),
    ]
}

/// The name of the bridge of a network.
pub fn bridge(subnet: u8) -> String {
    format!("rbtest{subnet}")
}

/// A cgroup of its own in each hierarchy for a machine; two machines in one would share their services' groups.
pub fn cgroups(id: &str) -> Vec<PathBuf> {
    let top = Path::new("/sys/fs/cgroup");
    let mut tops: Vec<PathBuf> = if top.join("cgroup.procs").exists() {
        vec![top.to_owned()]
    } else {
        fs::read_dir(top)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect()
    };
    tops.retain(|top| top.join("cgroup.procs").exists());
    tops.iter()
        .map(|top| top.join(format!("runbook-machine-{id}")))
        .collect()
}

/// Makes the cgroups of a machine. A new group of `cpuset` has no processor and no memory, and takes no process until it gets
/// those of the group above.
///
/// # Errors
/// One cannot be made.
pub fn make_cgroups(groups: &[PathBuf]) -> Result<(), String> {
    for group in groups {
        fs::create_dir_all(group).map_err(|error| format!("{}: {error}", group.display()))?;
        let Some(above) = group.parent() else {
            continue;
        };
        for name in ["cpuset.cpus", "cpuset.mems"] {
            // version 2 needs none of it
            let (here, there) = (group.join(name), above.join(name));
            if let (true, Ok(value)) = (here.exists(), fs::read_to_string(&there))
                && !value.trim().is_empty()
            {
                fs::write(&here, value).map_err(|error| format!("{}: {error}", here.display()))?;
            }
        }
    }
    Ok(())
}

fn remove_cgroups(id: &str) {
    for group in cgroups(id) {
        remove_group(&group);
    }
}

fn remove_group(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_group(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

/// Takes away what beds left behind whose owner is dead.
pub fn remove_stale() {
    for entry in fs::read_dir(STATE).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "bed")
            && let Some(mut record) = Record::read(&path)
            && record.owner.is_some_and(|owner| !owner.alive())
        {
            record.tear_down();
        }
    }
}

/// Takes a record of this process down, once.
pub fn finish(record: &Shared) {
    LIVE.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .retain(|other| !Arc::ptr_eq(other, record));
    record
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .tear_down();
}

fn finish_all() {
    let all = std::mem::take(&mut *LIVE.lock().unwrap_or_else(PoisonError::into_inner));
    for record in all {
        finish(&record);
    }
}

extern "C" fn at_exit() {
    finish_all();
}

/// Beds in statics are never dropped, and signals run no destructors: both ways out of the process are covered here.
fn clean_up_at_the_end() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the function is `extern "C"`, takes nothing, and does not unwind past its own end on purpose.
        unsafe {
            libc::atexit(at_exit);
        }
        let signals = [
            signal_hook::consts::SIGINT,
            signal_hook::consts::SIGTERM,
            signal_hook::consts::SIGHUP,
        ];
        if let Ok(mut signals) = signal_hook::iterator::Signals::new(signals) {
            std::thread::spawn(move || {
                if let Some(signal) = signals.forever().next() {
                    finish_all();
                    std::process::exit(128 + signal);
                }
            });
        }
    });
}

fn restore_kernel_if_last() {
    let others = fs::read_dir(STATE)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "bed")
        });
    if !others {
        kernel::restore(&kernel::NEEDED, Path::new(STATE));
    }
}

/// Held while networks are chosen or removed, by all processes of this machine.
fn lock() -> Result<File, String> {
    fs::create_dir_all(STATE).map_err(|error| format!("{STATE}: {error}"))?;
    let path = Path::new(STATE).join("lock");
    let file = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    file.lock()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(file)
}
