//! The callback `junit`: a document in a directory of reports.

use super::AnsibleOptions;
use super::result::Shown;
use crate::report::xml::{escaped, quoted, seconds};
use crate::report::{censor, dump};
use crate::result::{Event, EventSink, Outcome, Status, TaskInfo};
use crate::value::Value;
use std::fmt::Write as _;
use std::path::PathBuf;

/// The settings of the callback, as its environment variables name them.
#[derive(Clone, Debug)]
pub struct JunitOptions {
    /// Where documents are written.
    pub dir: PathBuf,
    /// Classes are files, without the line of the task.
    pub task_class: bool,
    /// Paths below this one are shown without it.
    pub relative_to: Option<PathBuf>,
    /// A change is a failure.
    pub fail_on_change: bool,
    /// An ignored failure is one too.
    pub fail_on_ignore: bool,
    /// Tasks that gather facts are cases.
    pub with_setup: bool,
    /// Names hold no arguments.
    pub hide_arguments: bool,
    /// Only tasks whose names begin so are cases.
    pub prefix: String,
    /// Seconds since 1970, for the name of the file.
    pub stamp: String,
}

struct Case {
    class: String,
    name: String,
    ms: u64,
    body: String,
    failed: bool,
    skipped: bool,
}

/// Writes the document when the run ends.
pub struct AnsibleJunit {
    options: AnsibleOptions,
    junit: JunitOptions,
    playbook: String,
    play: String,
    cases: Vec<Case>,
}

impl AnsibleJunit {
    /// With these settings.
    pub fn new(options: AnsibleOptions, junit: JunitOptions) -> Self {
        Self {
            options,
            junit,
            playbook: String::new(),
            play: String::new(),
            cases: Vec::new(),
        }
    }

    fn class(&self, task: &TaskInfo) -> String {
        let mut place = self.options.place(&task.path);
        if let Some(root) = &self.junit.relative_to
            && let Ok(inner) = std::path::Path::new(&place).strip_prefix(root)
        {
            place = inner.display().to_string();
        }
        if self.junit.task_class {
            let file = place.rsplit_once(':').map_or(place.as_str(), |(f, _)| f);
            return file.strip_suffix(".yml").unwrap_or(file).to_owned();
        }
        place
    }

    fn name(&self, host: &str, task: &TaskInfo) -> String {
        let mut name = format!(
            "[{host}] {}: {}",
            self.play,
            crate::report::human::full_name(task)
        );
        if !self.junit.hide_arguments && !task.args.is_empty() {
            name.push(' ');
            name.push_str(&task.args);
        }
        name
    }

    fn wanted(&self, task: &TaskInfo) -> bool {
        let setup = matches!(super::base_name(&task.action), "gather_facts" | "setup");
        (self.junit.with_setup || !setup) && task.name.starts_with(&self.junit.prefix)
    }

    fn case(&mut self, shown: &Shown<'_>, status: Status, ms: u64) {
        let outcome = shown.outcome;
        let failed = match status {
            Status::Failed | Status::Unreachable | Status::Rescued => true,
            Status::Ignored => self.junit.fail_on_ignore,
            Status::Changed => self.junit.fail_on_change,
            Status::Ok | Status::Skipped => false,
        };
        let indent = if shown.flag("_ansible_verbose_always") {
            4
        } else {
            0
        };
        let text = dump(
            &Value::map(shown.members(self.options.verbosity)),
            Some(indent),
        );
        let mut body = String::new();
        let _ = match status {
            Status::Skipped => {
                writeln!(body, "\t\t\t<skipped>{}</skipped>", escaped(&why(outcome)))
            }
            _ if failed => {
                let message = match outcome.message() {
                    Some(text) => format!("message=\"{}\" ", quoted(text)),
                    _ if outcome.failed => "message=\"rc not 0\" ".to_owned(),
                    _ => String::new(),
                };
                writeln!(
                    body,
                    "\t\t\t<failure {message}type=\"failure\">{}</failure>",
                    escaped(&text)
                )
            }
            _ => writeln!(body, "\t\t\t<system-out>{}</system-out>", escaped(&text)),
        };
        self.cases.push(Case {
            class: self.class(shown.task),
            name: self.name(shown.host, shown.task),
            ms,
            body,
            failed,
            skipped: status == Status::Skipped,
        });
    }

    fn write(&self) {
        let failures = self.cases.iter().filter(|case| case.failed).count();
        let skipped = self.cases.iter().filter(|case| case.skipped).count();
        let tests = self.cases.len();
        let time = seconds(self.cases.iter().map(|case| case.ms).sum());
        let mut xml = "<?xml version=\"1.0\" ?>\n".to_owned();
        let _ = write!(
            xml,
            "<testsuites disabled=\"0\" errors=\"0\" failures=\"{failures}\" tests=\"{tests}\" time=\"{time}\">\n\t\
             <testsuite disabled=\"0\" errors=\"0\" failures=\"{failures}\" name=\"{}\" skipped=\"{skipped}\" \
             tests=\"{tests}\" time=\"{time}\">\n",
            quoted(&self.playbook)
        );
        for case in &self.cases {
            let _ = write!(
                xml,
                "\t\t<testcase classname=\"{}\" name=\"{}\" time=\"{}\">\n{}\t\t</testcase>\n",
                quoted(&case.class),
                quoted(&case.name),
                seconds(case.ms),
                case.body
            );
        }
        xml.push_str("\t</testsuite>\n</testsuites>\n");
        let _ = std::fs::create_dir_all(&self.junit.dir);
        let file = format!("{}-{}.xml", self.playbook, self.junit.stamp);
        let _ = std::fs::write(self.junit.dir.join(file), xml);
    }
}

fn why(outcome: &Outcome) -> String {
    for name in ["skip_reason", "skipped_reason"] {
        if let Some(text) = outcome.data.get(name) {
            return text.to_string();
        }
    }
    "skipped".to_owned()
}

impl EventSink for AnsibleJunit {
    fn event(&mut self, event: &Event) {
        match censor(event).as_ref() {
            Event::PlaybookStart { path, .. } if self.playbook.is_empty() => {
                self.playbook = std::path::Path::new(path)
                    .file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned())
                    .unwrap_or_default();
            }
            Event::PlayStart { name, .. } => self.play.clone_from(name),
            Event::TaskDone {
                task,
                host,
                status,
                outcome,
                elapsed_ms,
                quiet: false,
                ..
            } if self.wanted(task) => {
                let shown = Shown {
                    task,
                    host,
                    item: None,
                    outcome,
                    delegated_to: None,
                };
                self.case(&shown, *status, *elapsed_ms);
            }
            Event::Included {
                task, what, hosts, ..
            } if self.wanted(task) => {
                let text = format!("{what} (args={{}} vars={{}}): [{}]", hosts.join(", "));
                self.cases.push(Case {
                    class: self.class(task),
                    name: self.name("include", task),
                    ms: 0,
                    body: format!("\t\t\t<system-out>{}</system-out>\n", escaped(&text)),
                    failed: false,
                    skipped: false,
                });
            }
            Event::Recap { .. } => self.write(),
            _ => {}
        }
    }
}
