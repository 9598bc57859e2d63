//! `vars_prompt`: variables that the user is asked for when a play begins.
//!
//! Source: Ansible's documentation, "Interactive input: prompts".

use super::run::Run;
use crate::diag::Diagnostic;
use crate::playbook::Play;
use crate::template::{Context, crypt_hash, crypt_salt};
use crate::value::{Map, Value, to_bool};
use std::sync::Arc;

impl Run {
    /// Asks for what `vars_prompt` names, except for what the command line gives.
    pub(super) fn prompts(
        &self,
        play: &Play,
        cx: &Context,
    ) -> Result<Option<Arc<Map>>, Box<Diagnostic>> {
        let mut answers = Map::new();
        let extra = self.extra();
        for node in &play.vars_prompt {
            let Some(Value::Map(words)) = self.play_word(Some(node), cx)? else {
                continue;
            };
            let word = |key: &str| words.get(key).filter(|value| !value.is_null());
            let flag = |key: &str, default: bool| word(key).and_then(to_bool).unwrap_or(default);
            let name = word("name").map(ToString::to_string).unwrap_or_default();
            if extra.get(name.as_str()).is_some() {
                continue;
            }
            let text = word("prompt").map_or_else(|| name.clone(), ToString::to_string);
            let default = word("default").cloned();
            let private = flag("private", true);
            let shown = match &default {
                Some(default) => format!("{text} [{default}]: "),
                None => format!("{text}: "),
            };
            let answer = loop {
                let answer = self.prompt.ask(&shown, !private);
                if !flag("confirm", false) || answer.is_none() {
                    break answer;
                }
                if self.prompt.ask(&format!("confirm {shown}"), !private) == answer {
                    break answer;
                }
                self.prompt.show("***** VALUES ENTERED DO NOT MATCH ****");
            };
            let mut value = match (answer.filter(|answer| !answer.is_empty()), default) {
                (Some(answer), _) => Value::str(answer),
                // a default is what could have been typed
                (None, Some(default)) => Value::str(default.to_string()),
                (None, None) => Value::str(""),
            };
            if let Some(scheme) = word("encrypt") {
                let salt = word("salt").map_or_else(
                    || {
                        let size = word("salt_size").and_then(|size| size.to_string().parse().ok());
                        crypt_salt(size.unwrap_or(16).clamp(1, 16))
                    },
                    ToString::to_string,
                );
                let hash = crypt_hash(&scheme.to_string(), &value.to_string(), &salt, None);
                value = Value::str(hash.map_err(|message| {
                    Diagnostic::error("play::vars-prompt", message).at(&node.span)
                })?);
            }
            if flag("unsafe", false) {
                value = value.into_data();
            }
            answers.set(&name, value);
        }
        Ok((!answers.is_empty()).then(|| Arc::new(answers)))
    }
}
