//! What goes to the terminal besides reports: diagnostics, warnings, logs.

use super::args::Global;
use super::exit::CommandFailure;
use super::streams::{errln, outln};
use crate::config::DuplicateKeys;
use crate::diag::{Diagnostic, RenderOptions, render};

/// The code of warnings of keys that are given twice.
const DUPLICATE: &str = "yaml::duplicate-key";

/// In whose words messages are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Voice {
    /// runbook's: the place, the line, a caret.
    #[default]
    Own,
    /// Ansible's: `[WARNING]: …`, `ERROR! …`.
    Ansible,
}

/// Standard error that nobody may read any more (`2>&1 | head`): that is no reason to end.
struct Unread(std::io::Stderr);

impl std::io::Write for Unread {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// Writes messages to standard error.
#[derive(Clone, Copy, Debug)]
pub struct Show {
    /// In whose words.
    pub voice: Voice,
    /// Colours on standard error.
    pub colour: bool,
    /// Colours on standard output.
    pub colour_out: bool,
    /// `-v` count.
    pub verbosity: u8,
    /// Whether skipped hosts are shown.
    pub skipped: bool,
    /// What a key that is given twice in YAML is.
    pub duplicates: DuplicateKeys,
}

impl Show {
    /// As the command line and the environment want it.
    pub fn new(global: &Global) -> Self {
        let wanted = !global.no_color && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let forced = std::env::var("ANSIBLE_FORCE_COLOR")
            .is_ok_and(|v| v == "1" || v.eq_ignore_ascii_case("true"));
        let show = Self {
            voice: Voice::Own,
            colour: wanted && (forced || console::user_attended_stderr()),
            colour_out: wanted && (forced || console::user_attended()),
            verbosity: global.verbose,
            skipped: true,
            duplicates: DuplicateKeys::Warn,
        };
        if show.verbosity >= 3 {
            let level = match show.verbosity {
                3 => tracing::Level::DEBUG,
                _ => tracing::Level::TRACE,
            };
            // the second call in one process (tests) keeps the first one's choice
            let _ = tracing_subscriber::fmt()
                .with_max_level(level)
                .with_writer(|| Unread(std::io::stderr()))
                .with_ansi(show.colour)
                .try_init();
        }
        show
    }

    /// Whether messages are Ansible's.
    pub fn is_ansible(&self) -> bool {
        self.voice == Voice::Ansible
    }

    /// The same with what the configuration says on top.
    #[must_use]
    pub fn configured(mut self, config: &crate::config::Config) -> Self {
        if self.is_ansible() && config.force_color.value {
            self.colour = true;
            self.colour_out = true;
        } else if config.nocolor.value {
            self.colour = false;
            self.colour_out = false;
        } else if config.force_color.value {
            self.colour = true;
            self.colour_out = true;
        }
        self.verbosity = self
            .verbosity
            .max(u8::try_from(config.verbosity.value).unwrap_or(u8::MAX));
        self.skipped = config.display_skipped_hosts.value;
        self.duplicates = config.duplicate_dict_key.value;
        self
    }

    /// What Ansible says first with `-v`.
    pub fn begins(&self, config: &crate::config::Config) {
        let verbosity = self.configured(config).verbosity;
        if verbosity == 0 {
            return;
        }
        let text = match &config.file {
            Some(file) => format!("Using {} as config file", file.display()),
            None => "No config file found; using defaults".to_owned(),
        };
        let text = if self.configured(config).colour_out {
            crate::report::ansible::Colour::Verbose.paint(&text)
        } else {
            text
        };
        if verbosity > 1
            && let Some(program) = super::ansible::Program::called()
        {
            program.version();
        }
        outln!("{text}");
    }

    /// Shows what a playbook or inventory gave rise to.
    ///
    /// # Errors
    /// The first of it that is an error to the configuration (`duplicate_dict_key`).
    pub fn checked(
        &self,
        warnings: impl IntoIterator<Item = Diagnostic>,
    ) -> Result<(), CommandFailure> {
        for warning in warnings {
            if warning.code == DUPLICATE && self.duplicates == DuplicateKeys::Error {
                return Err(Diagnostic {
                    severity: crate::diag::Severity::Error,
                    ..warning
                }
                .into());
            }
            self.diagnostic(&warning);
        }
        Ok(())
    }

    /// Shows a diagnostic.
    pub fn diagnostic(&self, diagnostic: &Diagnostic) {
        if diagnostic.code == DUPLICATE && self.duplicates == DuplicateKeys::Ignore {
            return;
        }
        let text = if self.voice == Voice::Ansible {
            super::ansible::message(diagnostic, self.colour)
        } else {
            render(
                diagnostic,
                RenderOptions {
                    colour: self.colour,
                },
            )
        };
        errln!("{text}");
        super::log::diagnostic(diagnostic.severity, &text);
    }

    /// Shows why a command failed.
    pub fn failure(&self, failure: &CommandFailure) {
        self.diagnostic(&failure.diagnostic);
    }

    /// Shows diagnostics that do not stop anything.
    pub fn warnings(&self, warnings: impl IntoIterator<Item = Diagnostic>) {
        for warning in warnings {
            self.diagnostic(&warning);
        }
    }
}
