//! Keys from passwords: slow on purpose, so they are kept for the run.

use super::Password;
use sha2::Sha256;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Rounds of PBKDF2.
const ROUNDS: u32 = 10_000;
/// Most keys that are kept; a run uses few of them.
const KEPT: usize = 4096;

/// What a password and a salt give: keys for the cipher and for the HMAC, and the counter to begin with.
pub(super) struct Keys(Zeroizing<[u8; 80]>);

impl Keys {
    pub(super) fn derive(password: &Password, salt: &[u8]) -> Self {
        let mut all = Zeroizing::new([0; 80]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password.bytes(), salt, ROUNDS, all.as_mut());
        Self(all)
    }

    fn part(&self, from: usize, to: usize) -> &[u8] {
        self.0.get(from..to).unwrap_or_default()
    }

    pub(super) fn cipher(&self) -> &[u8] {
        self.part(0, 32)
    }

    pub(super) fn mac(&self) -> &[u8] {
        self.part(32, 64)
    }

    pub(super) fn counter(&self) -> &[u8] {
        self.part(64, 80)
    }
}

/// The keys of a run, by the password's number and the salt. A value that a hundred hosts use costs one derivation.
#[derive(Default)]
pub(super) struct KeyCache(Mutex<Known>);

type Known = HashMap<(usize, Vec<u8>), Arc<Keys>>;

impl KeyCache {
    pub(super) fn get(&self, number: usize, password: &Password, salt: &[u8]) -> Arc<Keys> {
        let key = (number, salt.to_vec());
        if let Some(keys) = self.lock().get(&key) {
            return Arc::clone(keys);
        }
        let keys = Arc::new(Keys::derive(password, salt));
        let mut known = self.lock();
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(key, Arc::clone(&keys));
        keys
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyCache")
    }
}
