//! From options and settings to vault passwords.

use crate::cli::args::{EncryptWith, VaultArgs};
use crate::cli::exit::{CommandFailure, Exit};
use crate::cli::prompt::password;
use crate::cli::show::Show;
use crate::config::Config;
use crate::diag::Diagnostic;
use crate::vault::{
    Identity, Password, PasswordError, PasswordStage, SecretSource, Vault, VaultError, encrypt,
};
use std::path::Path;
use zeroize::Zeroizing;

/// Finds passwords where the options and the settings say.
pub struct Passwords<'a> {
    config: &'a Config,
}

/// What encrypts: a password, the label that it leaves, and a salt if it is not to be random.
pub struct Key {
    pub identity: Identity,
    salt: Option<String>,
}

impl Key {
    /// A key that leaves this label, or none.
    pub fn new(password: Password, label: Option<String>, salt: Option<String>) -> Self {
        Self {
            identity: Identity {
                id: label.unwrap_or_else(|| crate::vault::DEFAULT_ID.to_owned()),
                password,
                origin: String::new(),
            },
            salt,
        }
    }

    /// The encrypted text.
    pub fn seal(&self, plain: &[u8]) -> Result<String, VaultError> {
        encrypt(
            plain,
            &self.identity.password,
            Some(&self.identity.id),
            self.salt.as_deref().map(str::as_bytes),
        )
    }
}

impl<'a> Passwords<'a> {
    pub fn of(config: &'a Config) -> Self {
        Self { config }
    }

    /// The salt that the configuration prescribes.
    pub fn salt(&self) -> Option<String> {
        self.config.vault_encrypt_salt.value.clone()
    }

    /// All sources, in the order in which Ansible tries them.
    fn sources(&self, args: &VaultArgs) -> Vec<SecretSource> {
        let listed = self.config.vault_identity_list.iter().chain(&args.vault_id);
        let files = args
            .vault_password_file
            .iter()
            .chain(self.config.vault_password_file.iter());
        let asked = (args.ask_vault_pass || *self.config.ask_vault_pass).then(SecretSource::prompt);
        listed
            .map(|text| SecretSource::parse(text))
            .chain(files.map(SecretSource::file))
            .chain(asked)
            .collect()
    }

    /// The passwords of a run. Sources that fail are warned of, as long as another one gives a password.
    pub fn read(&self, args: &VaultArgs, show: &Show) -> Result<Vec<Identity>, CommandFailure> {
        self.read_all(&self.sources(args), false, show)
    }

    /// The passwords for a command that needs one: without any source, the user is asked.
    pub fn required(
        &self,
        args: &VaultArgs,
        twice: bool,
        show: &Show,
    ) -> Result<Vec<Identity>, CommandFailure> {
        let mut sources = self.sources(args);
        if sources.is_empty() {
            sources.push(SecretSource::prompt());
        }
        self.read_all(&sources, twice, show)
    }

    /// What a command encrypts with.
    pub fn encrypting(
        &self,
        args: &VaultArgs,
        with: &EncryptWith,
        show: &Show,
    ) -> Result<Key, CommandFailure> {
        let identities = self.required(args, true, show)?;
        let wanted = with
            .encrypt_vault_id
            .as_deref()
            .or(self.config.vault_encrypt_identity.as_deref());
        self.choose(identities, wanted)
    }

    /// What `rekey` encrypts with. The settings say how to open, not what comes next.
    pub fn new_key(
        &self,
        id: Option<&str>,
        file: Option<&Path>,
        with: &EncryptWith,
        show: &Show,
    ) -> Result<Key, CommandFailure> {
        let source = match (id, file) {
            (Some(id), _) => SecretSource::parse(id),
            (None, Some(file)) => SecretSource::file(file),
            (None, None) => SecretSource::prompt(),
        };
        let identities = self.read_all(&[source], true, show)?;
        self.choose(identities, with.encrypt_vault_id.as_deref())
    }

    fn choose(
        &self,
        identities: Vec<Identity>,
        wanted: Option<&str>,
    ) -> Result<Key, CommandFailure> {
        let known: Vec<String> = identities.iter().map(ToString::to_string).collect();
        let known = known.join(", ");
        let ids: Vec<String> = identities
            .iter()
            .map(|one| format!("'{}'", one.id))
            .collect();
        let ids = ids.join(", ");
        if wanted.is_none() && identities.len() > 1 {
            return Err(CommandFailure::new(
                Exit::Usage,
                format!("there are several vault passwords to encrypt with: {known}"),
            )
            .with_hint("name one with --encrypt-vault-id"));
        }
        let identity = identities
            .into_iter()
            .find(|identity| wanted.is_none_or(|wanted| identity.id == wanted));
        let Some(identity) = identity else {
            let wanted = wanted.unwrap_or_default();
            let mut failure = CommandFailure::new(
                Exit::Error,
                format!(
                    "there is no vault password for the id `{wanted}`; there is one for {known}"
                ),
            );
            failure.diagnostic.told = Some(format!(
                "Did not find a match for --encrypt-vault-id={wanted} in the known vault-ids [{ids}]"
            ));
            return Err(failure);
        };
        Ok(Key {
            identity,
            salt: self.salt(),
        })
    }

    fn read_all(
        &self,
        sources: &[SecretSource],
        twice: bool,
        show: &Show,
    ) -> Result<Vec<Identity>, CommandFailure> {
        let mut found: Vec<Identity> = Vec::new();
        let mut problems: Vec<(&SecretSource, PasswordError)> = Vec::new();
        for source in sources {
            let known = Vault::new(found.clone(), false);
            let identity = source.read(&self.config.vault_identity, &known, twice, &mut |text| {
                password(text).map(|answer| Zeroizing::new(answer.reveal().clone()))
            });
            match identity {
                Ok(identity) => found.push(identity),
                Err(problem) if problem.stage == PasswordStage::Ask => {
                    return Err(failure(problem));
                }
                Err(problem) => problems.push((source, problem)),
            }
        }
        let fatal = if found.is_empty() {
            problems.pop()
        } else {
            None
        };
        for (source, problem) in problems {
            let (stage, id) = (problem.stage, source.id_or(&self.config.vault_identity));
            let message = format!("{} ({id}): {}", stage.told(), problem.message);
            show.diagnostic(
                &Diagnostic::warning("vault::password", message).maybe_hint(problem.hint),
            );
        }
        match fatal {
            None => Ok(found),
            Some((_, problem)) => Err(failure(problem)),
        }
    }
}

fn failure(problem: PasswordError) -> CommandFailure {
    let mut failure = CommandFailure::new(Exit::Error, problem.message);
    failure.diagnostic.hint = problem.hint;
    failure
}
