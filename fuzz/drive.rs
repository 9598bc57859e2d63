//! Runs one target over inputs broken at random, for a time, and keeps what made it panic, hang or lie.

use crate::mutate::Mutator;
use crate::target::Target;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Processor time after which one input counts as a hang; code that is not optimised takes several times as long.
const SLOW: Duration = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 5 });
/// Time on the clock after which it does (it may sleep, or wait for a child).
const STUCK: Duration = Duration::from_secs(60);

/// The slowest input is kept if it takes longer.
const WORTH_A_LOOK: Duration = Duration::from_secs(1);

/// What a run is told.
pub struct Order {
    pub seed: u64,
    pub time: Duration,
    /// Where inputs with which something is wrong are put.
    pub findings: PathBuf,
}

/// What came of a run.
pub struct Tally {
    pub executions: u64,
    pub slowest: Duration,
    /// One line for each kind of problem, with the file that shows it.
    pub findings: Vec<String>,
}

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Panics are told by what they return, not on stderr.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let message = info.payload_as_str().unwrap_or("something").to_owned();
        let told = format!("panic at {place}: {message}");
        if std::thread::current().name() != Some("fuzz") {
            eprintln!("{told}");
        }
        PANIC.with_borrow_mut(|last| *last = told);
    }));
}

/// Runs one input and says what is wrong with it.
pub fn one(target: &Target, input: &[u8]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input)))
        .unwrap_or_else(|_| Err(PANIC.with_borrow(Clone::clone)))
}

/// Runs the target until the time is over. An input on which it hangs ends the process, after being saved; so
/// does one that overflows the stack, and then `current-<target>` in the directory of findings has it.
pub fn drive(target: &Target, order: &Order) -> std::io::Result<Tally> {
    std::fs::create_dir_all(&order.findings)?;
    let current = order.findings.join(format!("current-{}", target.name));
    let started = AtomicI64::new(-1);
    let processor = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    let start = Instant::now();
    let tally = std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .name("fuzz".to_owned())
            .stack_size(8 << 20)
            .spawn_scoped(scope, || {
                processor.store(processor_clock(), Ordering::SeqCst);
                let tally = work(target, order, &current, start, &started);
                done.store(true, Ordering::SeqCst);
                tally
            })?;
        let mut seen = (-1, Duration::ZERO);
        while !done.load(Ordering::SeqCst) && !worker.is_finished() {
            std::thread::sleep(Duration::from_millis(50));
            let case = started.load(Ordering::SeqCst);
            let used = processor_time(processor.load(Ordering::SeqCst));
            if case != seen.0 {
                seen = (case, used);
                continue;
            }
            let since = millis(start).saturating_sub(case);
            let hangs = used.saturating_sub(seen.1) > SLOW
                || since > i64::try_from(STUCK.as_millis()).unwrap_or(i64::MAX);
            if case >= 0 && hangs {
                let kept = order.findings.join(format!("{}-hang", target.name));
                let _ = std::fs::copy(&current, &kept);
                eprintln!("{}: hangs: {}", target.name, kept.display());
                std::process::exit(1);
            }
        }
        worker
            .join()
            .unwrap_or_else(|_| Err(std::io::Error::other("the worker died")))
    })?;
    let _ = std::fs::remove_file(&current);
    Ok(tally)
}

fn millis(start: Instant) -> i64 {
    i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX)
}

fn work(
    target: &Target,
    order: &Order,
    current: &Path,
    start: Instant,
    started: &AtomicI64,
) -> std::io::Result<Tally> {
    let corpus = (target.corpus)();
    let mut mutator = Mutator::new(order.seed);
    let mut file = std::fs::File::create(current)?;
    let mut kinds = BTreeSet::new();
    let mut tally = Tally {
        executions: 0,
        slowest: Duration::ZERO,
        findings: Vec::new(),
    };
    // first the corpus as it is
    let mut whole = corpus.iter();
    while start.elapsed() < order.time {
        let input = match whole.next() {
            Some(seed) => seed.clone(),
            None => (target.mutate)(&mut mutator, &corpus),
        };
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&input)?;
        let before = Instant::now();
        started.store(millis(start), Ordering::SeqCst);
        let outcome = one(target, &input);
        started.store(-1, Ordering::SeqCst);
        let took = before.elapsed();
        if took > tally.slowest.max(WORTH_A_LOOK) {
            let kept = order.findings.join(format!("slowest-{}", target.name));
            std::fs::write(kept, &input)?;
        }
        tally.slowest = tally.slowest.max(took);
        tally.executions += 1;
        let Err(problem) = outcome else { continue };
        // panics are of one kind if they are at one place, lies if they begin alike
        let kind: String = problem.chars().take(60).collect();
        if kinds.len() < 20 && kinds.insert(kind) {
            let name = format!("{}-{}-{}", target.name, order.seed, tally.executions);
            let kept = order.findings.join(name);
            std::fs::write(&kept, &input)?;
            let short: String = problem.chars().take(600).collect();
            tally.findings.push(format!("{}: {short}", kept.display()));
        }
    }
    Ok(tally)
}

/// The clock that counts this thread's processor time.
fn processor_clock() -> u64 {
    let mut clock: libc::clockid_t = 0;
    // SAFETY: `clock` is valid for the write, and the thread is this one.
    let failed = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) };
    if failed == 0 {
        u64::from(clock.cast_unsigned())
    } else {
        0
    }
}

fn processor_time(clock: u64) -> Duration {
    let Ok(clock) = u32::try_from(clock) else {
        return Duration::ZERO;
    };
    if clock == 0 {
        return Duration::ZERO;
    }
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for the write; a clock of a thread that has ended is an error, told by the result.
    if unsafe { libc::clock_gettime(clock.cast_signed(), &raw mut time) } != 0 {
        return Duration::ZERO;
    }
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
